"""`muster recipe TYPE`: how one architecture is built, and what it is fed."""

from __future__ import annotations

import json as jsonlib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelmuster.cli import selecting

if TYPE_CHECKING:
    from modelmuster.records import Applied, Recipe


def recipe(
    model_type: Annotated[str | None, typer.Argument(help="The architecture, such as bert.")] = None,
    *,
    class_name: Annotated[str | None, typer.Option("--class", help="Another class than the default one.")] = None,
    scale: Annotated[str, typer.Option("--scale", help="tiny, or default for the class's own size.")] = "tiny",
    seed: Annotated[int, typer.Option("--seed", help="Determines weights and inputs.")] = 0,
    checkpoint: Annotated[
        str | None, typer.Option("--checkpoint", help="Real weights instead: a folder, or a repository of the hub.")
    ] = None,
    trust_remote_code: selecting.TrustRemoteCode = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say why each rule and override acted.")] = False,
    json: Annotated[bool, typer.Option("--json", help="The recipe as one JSON document.")] = False,
) -> None:
    """Build one architecture and show its config, its inputs, its size, and the rules and overrides that made it."""
    from modelmuster.cli.console import write_json
    from modelmuster.errors import UsageError

    if (model_type is None) == (checkpoint is None):
        raise UsageError("name one architecture, or one --checkpoint", hint="such as: muster recipe bert")
    if checkpoint is not None:
        made = _of_checkpoint(checkpoint, class_name, seed=seed, trust_remote_code=trust_remote_code)
    else:
        assert model_type is not None
        made = _of_architecture(model_type, class_name, scale=scale, seed=seed)
    if json:
        write_json(made)
    else:
        _show(made, explain=explain)


def _of_architecture(model_type: str, class_name: str | None, *, scale: str, seed: int) -> Recipe:
    from modelmuster import catalog
    from modelmuster.errors import CannotBuild
    from modelmuster.recipes import prepare
    from modelmuster.settings import Home

    architecture = catalog.load().get(model_type)
    chosen = class_name or architecture.default_class
    if chosen is None:
        raise CannotBuild(f"{model_type} has no model class: {architecture.note or 'none is known'}")
    return prepare(architecture, chosen, scale=_scale(scale), seed=seed, cache_dir=Home.find().cache / "recipes").recipe


def _of_checkpoint(spec: str, class_name: str | None, *, seed: int, trust_remote_code: bool) -> Recipe:
    from modelmuster import catalog
    from modelmuster.recipes import checkpoint, ignore

    described = checkpoint.described(spec)
    checkpoint.fetched(spec, trust_remote_code=trust_remote_code)
    architecture = checkpoint.architecture_of(described.model_type, class_name or described.model_class, catalog.load())
    return checkpoint.opened(
        architecture,
        class_name or checkpoint.class_of(described, architecture),
        described.spec,
        trust_remote_code=trust_remote_code,
        seed=seed,
        entering=ignore,
    ).recipe


def _scale(name: str) -> Any:
    from modelmuster.errors import UnknownName
    from modelmuster.records import Scale

    try:
        return Scale(name)
    except ValueError:
        raise UnknownName("scale", name, [s.value for s in Scale], see="muster recipe --help") from None


def _show(made: Recipe, *, explain: bool) -> None:
    lines = [
        f"{made.model_type}  {made.model_class}",
        f"  scale       {made.scale.value}, seed {made.seed}",
        f"  parameters  {made.parameters:,}",
        f"  layout      {made.layout}",
        f"  modalities  {', '.join(modality.value for modality in made.modalities)}",
        f"  versions    {', '.join(f'{name} {version}' for name, version in made.versions.items())}",
        f"  hash        {made.hash}",
        "",
        "inputs",
        *(f"  {spec.name:28} {spec.dtype:9} {' × '.join(map(str, spec.shape))}" for spec in made.inputs),
        "",
        "config",
        *_tree(made.config, "  "),
        "",
        "rules and overrides" if explain else "rules and overrides (--explain says why)",
        *(line for entry in made.applied for line in _applied(entry, explain=explain)),
    ]
    typer.echo("\n".join(line.rstrip() for line in lines))


def _tree(config: dict[str, Any], indent: str) -> list[str]:
    lines = []
    for name, value in config.items():
        if isinstance(value, dict) and "model_type" in value:
            lines += [f"{indent}{name}", *_tree(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name} = {jsonlib.dumps(value)}")
    return lines


def _applied(entry: Applied, *, explain: bool) -> list[str]:
    before, after = (_short(value) for value in (entry.before, entry.after))
    line = f"  {entry.rule:24} {entry.field}: {before} → {after}"
    return [line, f"  {'':24} {entry.reason}"] if explain and entry.reason else [line]


def _short(value: Any) -> str:
    text = jsonlib.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
