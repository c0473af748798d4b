"""Which types belong to which: sub-configs in the class attribute and in the default instance, and derived configs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from modelmuster.catalog import library


@dataclass(frozen=True, slots=True)
class Relations:
    """The relatives of one type."""

    contains: Mapping[str, str] = field(default_factory=dict)
    """Types of the sub-configs of the default instance, from any package, by path, outermost first."""
    sub_configs: tuple[type, ...] = ()
    """Config classes of its sub-configs, outermost first, whether or not they are a type of their own."""
    part_of: tuple[str, ...] = ()
    extends: str | None = None


def relations(classes: Mapping[str, Any]) -> dict[str, Relations]:
    """The relatives of every type among these that has a config class.

    A type is a part of another when its config class is named in the other's `sub_configs`, or occurs in the other's
    default instance, and both are in the same package: CLIP's text tower is a part of CLIP, but Llama is no part of
    LLaVA, which merely uses it.
    """
    configs: dict[str, Any] = {name: found for name, found in classes.items() if isinstance(found, type)}
    types = _types_by_config(configs)
    owners: dict[str, list[str]] = {name: [] for name in configs}
    found: dict[str, Relations] = {}
    for name, config_class in configs.items():
        nested = {path.rstrip("."): type(config) for path, config in tree(library.default_config(config_class)) if path}
        stated = [sub for sub in (config_class.sub_configs or {}).values() if isinstance(sub, type)]
        used = list(dict.fromkeys([*nested.values(), *stated]))
        for sub in used:
            for part in types.get(sub, ()):
                if part != name and library.package_of(sub) == library.package_of(config_class):
                    owners[part].append(name)
        found[name] = Relations(
            contains={path: types[sub][0] for path, sub in nested.items() if sub in types},
            sub_configs=tuple(used),
            extends=_extended(name, config_class, types),
        )
    return {
        name: Relations(entry.contains, entry.sub_configs, tuple(owners[name]), entry.extends)
        for name, entry in found.items()
    }


def tree(config: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """A config and its sub-configs, each with its path, such as `text_config.`; nothing for what is no config."""
    from transformers import PreTrainedConfig

    if not isinstance(config, PreTrainedConfig):
        return
    yield path, config
    for name, value in vars(config).items():
        if isinstance(value, PreTrainedConfig):
            yield from tree(value, f"{path}{name}.")


def _types_by_config(configs: dict[str, type]) -> dict[type, list[str]]:
    types: dict[type, list[str]] = {}
    for name, config_class in configs.items():
        known = types.setdefault(config_class, [])
        # Two types can share a config class (gpt-sw3 and gpt2): the one that the class itself names comes first.
        known.insert(0 if getattr(config_class, "model_type", None) == name else len(known), name)
    return types


def _extended(name: str, config_class: type, types: dict[type, list[str]]) -> str | None:
    for base in config_class.__mro__[1:]:
        if base in types and library.package_of(base) == library.package_of(config_class) and name not in types[base]:
            return types[base][0]
    return None
