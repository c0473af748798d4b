"""Overrides: what the rules cannot know about a type, as data. One table per model type in the TOML files here.

    [reformer]
    reason = "Axial position embeddings must multiply to the number of positions."
    config."axial_pos_shape" = [8, 16]

`reason` is mandatory. `config` sets arguments by dotted path after the rules ran; `none` lists paths to set to None,
which TOML cannot say. `parts` names, by field, the model type of a sub-config that the default leaves out; the rules
shrink it with the rest. `apart` lists modalities that the model refuses in one call with the others. `layout` names
the only input layout to use, and `inputs` is handed to the input layouts. `exercises` names the check that shows what
would lie idle without the override, where the model runs all the same. A table called `type:Class` is for that class
alone. What an override says of a sub-config also holds where that part is run alone, unless the part has an override
of its own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from modelmuster.errors import UsageError
from modelmuster.recipes.shrink.draft import jsonable
from modelmuster.records import Applied, Architecture, Modality

FOLDER = Path(__file__).parent


class Override(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One type's table."""

    reason: str
    config: dict[str, Any] = {}
    none: tuple[str, ...] = ()
    layout: str | None = None
    parts: dict[str, str] = {}
    apart: tuple[Modality, ...] = ()
    inputs: dict[str, Any] = {}
    exercises: str = ""

    def __post_init__(self) -> None:
        if len(self.reason.split()) < 4:
            raise ValueError("`reason` must be a sentence that says why the rules do not suffice")
        if not (self.config or self.none or self.layout or self.inputs or self.parts or self.apart):
            raise ValueError("it changes nothing: give `config`, `none`, `parts`, `layout`, `apart` or `inputs`")


@cache
def load(folder: Path = FOLDER) -> Mapping[str, Override]:
    """Every override, by model type.

    Raises:
        UsageError: a file that is not TOML, a table that is not an override, or a type that has two.
    """
    found: dict[str, Override] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{path}: not valid TOML: {error}") from error
        for model_type, table in tables.items():
            if model_type in found:
                raise UsageError(f"{path}: a second override for {model_type}", hint="merge the two tables")
            try:
                found[model_type] = msgspec.convert(table, Override)
            except msgspec.ValidationError as error:
                raise UsageError(f"{path}: the override for {model_type} cannot be read: {error}") from error
    return found


def find(architecture: Architecture, model_class: str, config_type: str | None = None) -> Override | None:
    """The override for that class of that type; None where the rules suffice.

    Args:
        architecture: the type.
        model_class: the class.
        config_type: the model type of the config that the class is made for, where that is another one.
    """
    known = load()
    for name in (f"{architecture.model_type}:{model_class}", config_type or architecture.model_type):
        if name in known:
            return known[name]
    return _of_whole(architecture, config_type or architecture.model_type)


def _of_whole(architecture: Architecture, part_type: str) -> Override | None:
    """What the override of a whole, the architecture itself among them, says of one of its parts."""
    from transformers import CONFIG_MAPPING

    for whole in (*architecture.part_of, architecture.model_type):
        override = load().get(whole)
        parts = getattr(CONFIG_MAPPING[whole], "sub_configs_defaults", None) or {} if whole in CONFIG_MAPPING else {}
        for name, part in parts.items():
            if override and getattr(part, "model_type", None) == part_type:
                config = dict(_below(name, override.config.items()))
                none = tuple(path for path, _ in _below(name, ((path, None) for path in override.none)))
                if config or none:
                    return Override(reason=override.reason, config=config, none=none)
    return None


def _below(name: str, values: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The values of one sub-config, by the path within it."""
    for path, value in values:
        if path.startswith(f"{name}."):
            yield path.removeprefix(f"{name}."), value


def apply(override: Override, arguments: dict[str, Any]) -> tuple[Applied, ...]:
    """Write the override's values into the arguments, in place, and say what changed."""
    applied = []
    for path, value in [*override.config.items(), *((path, None) for path in override.none)]:
        place, names = arguments, path.split(".")
        for name in names[:-1]:
            place = place.setdefault(name, {})
        before = place.get(names[-1])
        place[names[-1]] = value
        applied.append(
            Applied(rule="override", field=path, before=jsonable(before), after=jsonable(value), reason=override.reason)
        )
    return tuple(applied)
