"""A config on its way from its defaults to a tiny one: what the rules read and write.

A rule never builds a config. It looks at the values of the default instance and notes what to pass instead; the
keyword arguments that come out are what `Recipe.config` stores.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from modelmuster.recipes.shrink.declaration import declared
from modelmuster.recipes.shrink.tokens import TokenIds
from modelmuster.records import Applied

NOT_SHRUNK = frozenset(
    {
        "transformers_version",
        "dtype",
        "architectures",
        "_name_or_path",
        "name_or_path",
        "id2label",
        "label2id",
        "problem_type",
        "chunk_size_feed_forward",
        "return_dict",
        "output_hidden_states",
        "is_encoder_decoder",
        "_out_features",
        "_out_indices",
    }
)
"""Fields that say what the model is for or how it answers; they have no size. `out_indices` keeps the last two."""


def read(config: Any, name: str, default: Any = None) -> Any:
    """`getattr` for configs, some of which raise for attributes that differ from layer to layer."""
    try:
        return getattr(config, name, default)
    except Exception:  # noqa: BLE001 - heterogeneous configs raise their own errors; the declared default is meant then
        value = vars(config).get(name)
        if value is not None:
            return value
        found = declared(type(config)).get(name)
        return default if found is None else found


class Draft:
    """One config class, its default values, and what was chosen instead.

    Attributes:
        config: the default instance; only read.
        path: where it hangs in the root config, such as `text_config.`; empty for the root.
        values: each declared field with its default value.
        derived: fields declared as None that the class fills itself; passing them would freeze a wrong value.
        given: fields that the parent config passed, so that they differ from this class's own defaults.
        extra: attributes that the parent config passed and that are no fields of this class; models read them.
        chosen: the keyword arguments so far; sub-configs are in `parts`.
        layers: how many layers a layer count shrinks to.
        kept_layers: indices of the layers that per-layer lists keep; None where the config has no such lists.
        per_layer_length: length of those lists by default.
    """

    def __init__(self, config: Any, *, path: str, tokens: TokenIds, relaxed: frozenset[str]) -> None:
        from transformers import PreTrainedConfig

        self.config, self.path, self.tokens, self.relaxed = config, path, tokens, relaxed
        fields = {name: default for name, default in declared(type(config)).items() if name not in NOT_SHRUNK}
        self.values = {name: read(config, name) for name in fields}
        self.part_configs = {n: v for n, v in self.values.items() if isinstance(v, PreTrainedConfig)}
        self.given, self.extra = self._given() if path else (frozenset[str](), {})
        self.derived = frozenset(name for name, default in fields.items() if default is None and name not in self.given)
        self.parts: dict[str, Draft] = {}
        self.chosen: dict[str, Any] = {}
        self.applied: list[Applied] = []
        self.layers = 2
        self.kept_layers: tuple[int, ...] | None = None
        self.per_layer_length = 0

    def _given(self) -> tuple[frozenset[str], dict[str, Any]]:
        from transformers import PreTrainedConfig

        base = declared(PreTrainedConfig).keys()
        try:
            own = type(self.config)()
        except Exception:  # noqa: BLE001 - a class without usable defaults has none to compare with
            return frozenset(), {}
        given = frozenset(
            name
            for name, value in self.values.items()
            if value is not None
            and name not in base
            and not isinstance(value, PreTrainedConfig)
            and jsonable(value) != jsonable(read(own, name))
        )
        fields = declared(type(self.config)).keys()
        extra = {
            name: value
            for name, value in vars(self.config).items()
            if name not in fields | vars(own).keys() and not name.startswith("_") and _is_plain(value)
        }
        return given, extra

    def name_of(self, name: str) -> str:
        """The config's own field for a standard attribute name, such as `n_embd` for `hidden_size`."""
        return str((getattr(type(self.config), "attribute_map", None) or {}).get(name, name))

    def get(self, name: str) -> Any:
        """The value in force: chosen, else the default; `name` may be a standard attribute name."""
        own = self.name_of(name)
        if own in self.chosen:
            return self.chosen[own]
        return self.values[own] if own in self.values else read(self.config, own)

    def before(self, name: str) -> Any:
        """The default value; `name` may be a standard attribute name."""
        own = self.name_of(name)
        return self.values[own] if own in self.values else read(self.config, own)

    def number(self, name: str) -> int | None:
        """The value in force where it is an integer, else None."""
        value = self.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def choose(self, name: str, value: Any, *, rule: str, reason: str) -> None:
        """Note that `name` will be passed as `value`; changes are kept for `--explain`."""
        own = self.name_of(name)
        before = self.chosen.get(own, self.values.get(own))
        if value != before:
            self.applied.append(
                Applied(rule=rule, field=self.path + own, before=jsonable(before), after=jsonable(value), reason=reason)
            )
        self.chosen[own] = value

    def allows(self, kind: str) -> bool:
        """Whether rules of that kind are in force; the relaxation ladder gives some back."""
        return kind not in self.relaxed

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments for the config class, sub-configs nested, JSON values only."""
        found: dict[str, Any] = {name: jsonable(value) for name, value in {**self.extra, **self.chosen}.items()}
        for name, part in self.parts.items():
            found[name] = part.arguments()
            if part.config.model_type:
                found[name]["model_type"] = part.config.model_type
        return found

    def walk(self) -> Iterator[Draft]:
        """This draft and those of its sub-configs, outermost first."""
        yield self
        for part in self.parts.values():
            yield from part.walk()


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str, list, tuple))


def jsonable(value: Any) -> Any:
    """The value with tuples and sets as lists and keys as strings, as it would come back from JSON."""
    if isinstance(value, dict):
        return {str(key): jsonable(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(entry) for entry in value]
    if isinstance(value, (set, frozenset)):
        return sorted(jsonable(entry) for entry in value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    to_dict = getattr(value, "to_dict", None)
    return jsonable(to_dict()) if to_dict is not None else str(value)
