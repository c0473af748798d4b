"""`muster estimate`: what a model would need, from its config alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from modelmuster.cli import reading

if TYPE_CHECKING:
    from modelmuster.estimate.requirements import Requirements
    from modelmuster.records import Environment


def estimate(
    name: Annotated[str, typer.Argument(metavar="TYPE|CHECKPOINT", help="An architecture, or a checkpoint's folder.")],
    *,
    class_name: Annotated[str | None, typer.Option("--class", help="Default: the most telling class.")] = None,
    dtype: Annotated[str, typer.Option("--dtype", help="float32, bfloat16, float16, int8 or int4.")] = "bfloat16",
    batch: Annotated[int, typer.Option("--batch", help="Rows.", min=1)] = 1,
    context: Annotated[int, typer.Option("--context", help="Tokens of each row.", min=1)] = 2048,
    json: reading.AsJson = False,
) -> None:
    """Estimate parameters, memory for weights, cache and activations, and disk; nothing is loaded.

    Examples: muster estimate llama --dtype int4 --context 8192 · muster estimate ./my-model --batch 8 --json
    """
    from modelmuster.cli.console import write_json
    from modelmuster.runs.environment import capture

    found = requirements(name, class_name, dtype=dtype, batch=batch, context=context)
    machine = capture()
    if json:
        write_json({"estimate": found, "total_bytes": found.total_bytes, "memory_bytes": machine.memory_bytes})
    else:
        _print(found, machine)


def requirements(
    name: str, class_name: str | None, *, dtype: str = "bfloat16", batch: int = 1, context: int = 2048
) -> Requirements:
    """What an architecture, or the checkpoint in a folder, would need.

    Raises:
        UnknownName: there is no such architecture or class.
        UsageError: the folder holds no checkpoint, or there is no class to estimate.
        CannotBuild, Unavailable: there is no such model here.
    """
    from pathlib import Path

    from modelmuster import catalog
    from modelmuster.errors import UsageError
    from modelmuster.estimate.requirements import estimate as estimated
    from modelmuster.recipes.checkpoint import description

    known, folder = catalog.load(), Path(name) if Path(name).is_dir() else None
    if folder is not None:
        described = description.described(name)
        entry = description.architecture_of(described.model_type, class_name, known)
        chosen = class_name or description.class_of(described, entry)
    else:
        entry = known.get(name)
        chosen = class_name or entry.default_class or ""
    if not chosen:
        raise UsageError(f"{entry.model_type} has no model class: {entry.note or 'nothing to estimate'}")
    return estimated(entry, chosen, folder=folder, dtype=dtype, batch=batch, context=context)


def _print(found: Requirements, machine: Environment) -> None:
    from modelmuster.cli.console import out

    cache = "none" if found.cache_bytes is None else _gigabytes(found.cache_bytes)
    lines = [
        f"{found.model_type} {found.model_class}, sizes from {found.source}; all of this is estimated from shapes",
        f"parameters   {found.parameters:,}",
        "weights      " + ", ".join(f"{name} {_gigabytes(size)}" for name, size in found.weight_bytes.items()),
        f"cache        {cache} for {found.batch} × {found.context} tokens in {found.dtype}"
        + (f", {found.cache_bytes_per_token / 1024:.1f} KiB a token" if found.cache_bytes_per_token else ""),
        "activations  " + ("unknown" if found.activation_bytes is None else _gigabytes(found.activation_bytes)),
        f"together     {_gigabytes(found.total_bytes)}; this machine has {_gigabytes(machine.memory_bytes)}: "
        + ("it fits" if found.total_bytes < machine.memory_bytes else "it does not fit"),
        *(f"note: {note}" for note in found.notes),
    ]
    for line in lines:
        out().print(reading.safe(line), soft_wrap=True)


def _gigabytes(size: float) -> str:
    return f"{size / 2**30:.2f} GiB" if size >= 2**28 else f"{size / 2**20:.2f} MiB"
