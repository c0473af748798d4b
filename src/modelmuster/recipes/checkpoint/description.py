"""What a checkpoint's config.json says about it: enough to plan its cells, read without torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelmuster.catalog import Catalog
from modelmuster.errors import UsageError
from modelmuster.recipes.checkpoint.places import absolute, fetched
from modelmuster.records import Architecture, Family, ModelClass


@dataclass(frozen=True, slots=True)
class Description:
    """A checkpoint before anything is built."""

    spec: str
    """What `--checkpoint` was given; folders by their full path."""
    model_type: str
    model_class: str | None
    """The class that the checkpoint was saved from; None where its config does not say."""


def described(spec: str) -> Description:
    """Read what a checkpoint is; of a repository of the hub, only its config is downloaded.

    Raises:
        UsageError: there is no such checkpoint, or its config cannot be read.
        InfrastructureError: the hub cannot be reached.
    """
    config = read_config(fetched(spec, weights=False))
    listed = config.get("architectures")
    first = listed[0] if isinstance(listed, list) and listed else None
    return Description(absolute(spec), config["model_type"], first if isinstance(first, str) else None)


def architecture_of(model_type: str, model_class: str | None, catalog: Catalog) -> Architecture:
    """The catalogue's entry of a checkpoint's type.

    Where it lacks one, only the checkpoint's own code, if anything, can build the model; the entry then says no module.
    """
    if model_type in catalog:
        return catalog.get(model_type)
    return Architecture(
        model_type=model_type,
        config_class="",
        module="",
        family=Family.OTHER,
        top_level=True,
        model_classes=(ModelClass(name=model_class),) if model_class else (),
        default_class=model_class,
    )


def class_of(checkpoint: Description, architecture: Architecture) -> str:
    """The class to load it into: the one that it was saved from, else the architecture's most telling one.

    Raises:
        UsageError: there is neither.
    """
    name = checkpoint.model_class or architecture.default_class
    if name is None:
        raise UsageError(f"nothing says which class to load {checkpoint.spec} into", hint="name it: --class NAME")
    return name


def read_config(folder: Path) -> dict[str, Any]:
    """The content of config.json, which names a model type.

    Raises:
        UsageError: it is missing, no JSON object, or names no model type.
    """
    path = folder / "config.json"
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        hint = "give the folder that `save_pretrained` wrote"
        if (folder / "adapter_config.json").exists():
            hint = "this is an adapter: merge it into its base model first (peft: merge_and_unload, save_pretrained)"
        raise UsageError(f"{folder} has no config.json: it is no checkpoint of transformers", hint=hint) from None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON: {error}", hint="save or download the checkpoint again") from error
    if not isinstance(content, dict) or not isinstance(content.get("model_type"), str) or not content["model_type"]:
        raise UsageError(
            f'{path} names no model type: transformers writes one as "model_type"',
            hint="give a checkpoint of transformers; those of other libraries have to be converted first",
        )
    return content
