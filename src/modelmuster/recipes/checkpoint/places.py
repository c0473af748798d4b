"""Where a checkpoint lies: a folder here, or a repository of the hub and its copy in the hub's cache."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any

from modelmuster.errors import InfrastructureError, UsageError

HUB_SECONDS = 10.0
"""How long the hub may take to answer the first question."""

_HUB_ID = re.compile(r"(?P<repo>[\w-][\w.-]*(?:/[\w-][\w.-]*)?)(?:@(?P<revision>[\w./-]+))?")

_SMALL_FILES = (".json", ".txt", ".model", ".jinja")
"""Configs, tokenizers and processors; weights are chosen by name."""


def located(spec: str) -> Path:
    """The folder of a checkpoint, as far as it is here; nothing is downloaded.

    Raises:
        UsageError: there is no such folder, and nothing of a repository of that name has been downloaded.
    """
    folder = Path(spec).expanduser()
    if folder.is_dir():
        return folder.absolute()
    repo, revision = _hub_name(spec)
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(repo, "config.json", revision=revision)
    if not isinstance(config, str):
        raise UsageError(
            f"there is no folder {spec}, and no downloaded copy of the repository {repo}",
            hint="give a folder with config.json and model.safetensors, or the name of a repository of the hub",
        )
    return Path(config).parent


def fetched(spec: str, *, weights: bool = True, trust_remote_code: bool = False) -> Path:
    """The folder of a checkpoint with its files in it; a repository of the hub is downloaded first.

    Args:
        spec: a folder, or the name of a repository of the hub, with `@REVISION` behind it where it is not the newest.
        weights: whether the weights are wanted too, or the config alone.
        trust_remote_code: whether Python files are wanted.

    Raises:
        UsageError: there is no such folder, and the hub has no such repository or does not give it.
        InfrastructureError: the hub cannot be reached, and there is no earlier copy.
    """
    if Path(spec).expanduser().is_dir():
        return located(spec)
    repo, revision = _hub_name(spec)
    found = _asked(spec, repo, revision)
    if found is None:
        return located(spec)
    names = [entry.rfilename for entry in found.siblings or ()]
    wanted = [name for name in names if _is_wanted(name, names, trust_remote_code)] if weights else ["config.json"]
    if "config.json" not in names:
        raise UsageError(f"the repository {repo} has no config.json: it is no checkpoint of transformers")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(repo, revision=revision, allow_patterns=wanted))
    except Exception as error:
        raise InfrastructureError(
            f"{repo} cannot be downloaded: {type(error).__name__}: {' '.join(str(error).split())}",
            hint=f"what was fetched is kept; try again, or: hf download {repo}",
        ) from error


def absolute(spec: str) -> str:
    """The spec as it can be used from anywhere: folders by their full path."""
    folder = Path(spec).expanduser()
    return str(folder.absolute()) if folder.is_dir() else spec


def _hub_name(spec: str) -> tuple[str, str | None]:
    found = _HUB_ID.fullmatch(spec)
    if found is None or spec.startswith("."):
        raise UsageError(
            f"there is no folder {spec}",
            hint="give a folder with config.json and model.safetensors, or the name of a repository of the hub",
        )
    return found["repo"], found["revision"]


def _asked(spec: str, repo: str, revision: str | None) -> Any:
    """What the hub says about a repository; None where it cannot be asked but an earlier copy is here.

    Downloads of the client repeat themselves for half a minute when there is no network; this question does not.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        return HfApi().model_info(repo, revision=revision, timeout=HUB_SECONDS)
    except GatedRepoError as error:
        raise UsageError(
            f"the hub gives {repo} only to accounts that were granted access",
            hint=f"ask for it on the page of {repo}, then: hf auth login",
        ) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise UsageError(
            f"there is no folder {spec}, and the hub has no repository {repo} that this account may see",
            hint="check the name; for a private repository: hf auth login",
        ) from error
    except RevisionNotFoundError as error:
        raise UsageError(f"the repository {repo} has no revision {revision}") from error
    except Exception as error:  # noqa: BLE001 - each HTTP library has errors of its own for every way a network fails
        try:
            located(spec)
        except UsageError:
            reason = " ".join(str(error).split())
            raise InfrastructureError(
                f"there is no folder {spec}, no downloaded copy of {repo}, and the hub cannot be asked: {reason}",
                hint="give a local folder, or download it while there is a network: hf download " + repo,
            ) from error
        return None


def _is_wanted(name: str, names: list[str], trust_remote_code: bool) -> bool:
    """Files in the repository's own folder that a model, its tokenizer and its processor are made of.

    Pickled weights are never fetched. Some repositories hold the same weights twice, under `consolidated` names.
    """
    path = PurePosixPath(name)
    if path.parent.name:
        return trust_remote_code and path.suffix == ".py"
    if path.suffix == ".safetensors":
        sharded = "model.safetensors.index.json" in names
        return name.startswith("model-") if sharded else name == "model.safetensors"
    return path.suffix in _SMALL_FILES or (trust_remote_code and path.suffix == ".py")
