"""From a checkpoint's folder to a model that holds exactly the weights of its files."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from modelmuster.errors import CannotBuild, CellFailure, TooLarge, Unavailable
from modelmuster.recipes import scales
from modelmuster.recipes.build import TooManyParameters, count_parameters, describe
from modelmuster.recipes.checkpoint.weight_files import WeightFiles
from modelmuster.recipes.configs import missing_distribution, model_class
from modelmuster.records import Applied, Architecture

NAMED = 5
"""Weights named in a message; the rest is counted."""


TENSORS_PER_TENSOR, SPARE_TENSORS = 10, 1000
"""A model may split tensors that its files hold in one piece, but not without end."""


def build(
    folder: Path, content: Mapping[str, Any], architecture: Architecture, class_name: str, *, trusted: bool
) -> tuple[Any, Any]:
    """The model class and the config.

    Args:
        folder: of the checkpoint.
        content: of its config.json.
        architecture: the catalogue's entry, or one without a module where there is none.
        class_name: the class that is wanted.
        trusted: whether Python code of the checkpoint may run.

    Raises:
        CannotBuild: there is no such class, it is only in code that is not trusted, or the config is refused.
        Unavailable: a distribution is missing.
    """
    remote = _remote_reference(content, class_name)
    if content.get("quantization_config"):
        method = content["quantization_config"].get("quant_method", "unknown")
        raise CannotBuild(f"its weights are quantised ({method}); only plain ones are run", hint="use the original")
    try:
        if remote and trusted:
            from transformers.dynamic_module_utils import get_class_from_dynamic_module

            found = get_class_from_dynamic_module(remote, folder, local_files_only=True)
        elif not architecture.module:
            raise _why_unknown(content, remote, folder)
        else:
            found = _library_class(architecture, class_name, remote, folder)
        from transformers import AutoConfig

        own = architecture.module and not (remote and trusted)
        maker: Any = found.config_class if own and inspect.isclass(found.config_class) else AutoConfig
        return found, maker.from_pretrained(folder, local_files_only=True, trust_remote_code=trusted)
    except CellFailure:
        raise
    except Exception as error:
        if isinstance(error, ImportError) and (missing := missing_distribution(error)):
            raise Unavailable(f"{class_name} needs the package {missing}, which is not installed") from error
        raise CannotBuild(f"its config cannot be built: {describe(error)}") from error


def refuse_if_too_large(cls: Any, config: Any, files: WeightFiles) -> None:
    """Compare what the weight files hold and what the config asks for with the memory that is available.

    Raises:
        TooLarge: the weights do not fit.
        CannotBuild: the config asks for far more than the files hold, or no model can be made of it.
    """
    most = scales.most_parameters()
    if files.elements > most:
        raise TooLarge(
            f"its weight files hold {files.elements / 1e9:.2f} billion numbers: running them needs "
            f"{scales.gibibytes(files.elements)}, and {scales.gibibytes(most)} are available"
        )
    try:
        count_parameters(cls, config, most=most, most_tensors=TENSORS_PER_TENSOR * files.tensors + SPARE_TENSORS)
    except TooManyParameters as error:
        raise CannotBuild(
            f"its config asks for more than {error.parameters:,} parameters in {error.tensors:,} tensors, which takes "
            f"{scales.gibibytes(error.parameters)} of {scales.gibibytes(most)}; its weight files hold "
            f"{files.elements:,} in {files.tensors:,}: they do not belong together"
        ) from error
    except Exception as error:
        raise CannotBuild(f"no {cls.__name__} can be made of its config: {describe(error)}") from error


def load(folder: Path, cls: Any, config: Any, *, trusted: bool) -> tuple[nn.Module, tuple[Applied, ...]]:
    """The model in eval mode, float32, on the CPU, and what of the files it does not use.

    Raises:
        CannotBuild: weights are missing or have other shapes than the config says.
    """
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        module, info = cls.from_pretrained(
            folder,
            config=config,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=trusted,
            dtype=torch.float32,
            # Else the library names the weights in its log only; none of them is accepted below.
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except Exception as error:
        raise CannotBuild(f"its weights cannot be loaded into {cls.__name__}: {describe(error)}") from error
    if wrong := [_mismatch(*entry) for entry in sorted(info["mismatched_keys"])] or list(map(str, info["error_msgs"])):
        raise CannotBuild(f"{len(wrong)} weights do not fit into {cls.__name__} as its config says: {_some(wrong)}")
    missing, unused = sorted(info["missing_keys"]), sorted(info["unexpected_keys"])
    if missing:
        # The library would draw them at random and say so in its log.
        raise CannotBuild(
            f"{len(missing)} weights of {cls.__name__} are not in the files: {_some(missing)}",
            hint="choose the class that it was saved from, or another one that has all of its weights: --class NAME",
        )
    applied = [
        Applied(rule="weights", field=name, reason=f"in the files, but {cls.__name__} has no such weight")
        for name in unused
    ]
    return module.float().eval(), tuple(applied)


def _library_class(architecture: Architecture, class_name: str, remote: str | None, folder: Path) -> Any:
    try:
        return model_class(architecture, class_name)
    except CannotBuild:
        if remote is None:
            raise
        raise _code_refused(class_name, folder) from None


def _why_unknown(content: Mapping[str, Any], remote: str | None, folder: Path) -> CannotBuild:
    import transformers

    name = content["model_type"]
    if remote or content.get("auto_map"):
        return _code_refused(name, folder)
    written = content.get("transformers_version")
    by = f", and the checkpoint was written by {written}" if isinstance(written, str) else ""
    return CannotBuild(
        f"transformers {transformers.__version__} has no model type {name!r}{by}", hint="see: muster catalog"
    )


def _code_refused(name: str, folder: Path) -> CannotBuild:
    return CannotBuild(
        f"{name} is not in transformers: its Python code comes with the checkpoint and is not run unasked",
        hint=f"read {folder}/*.py and, if you trust it, add --trust-remote-code",
    )


def _remote_reference(content: Mapping[str, Any], class_name: str) -> str | None:
    """Where the checkpoint's own code has the class, such as `modeling_own.OwnModel`."""
    listed = content.get("auto_map")
    references = [entry for entry in listed.values() if isinstance(entry, str)] if isinstance(listed, Mapping) else []
    return next((entry for entry in references if entry.rpartition(".")[2] == class_name), None)


def _mismatch(name: str, held: Any, wanted: Any) -> str:
    return f"{name} is {list(held)} in the files and {list(wanted)} in the model"


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + rest
