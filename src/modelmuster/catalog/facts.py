"""What introspection observes about a model type and its classes: plain data, from which every rule judges.

The rules see nothing else. So each can be tested on a few hand-made facts, without torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Fit(StrEnum):
    """How a model class relates to the config of the type that it is listed for."""

    OWN = "own"
    """Made for this config class, or for one that it extends."""
    ALIKE = "alike"
    """Made for another type's config, but builds from this one, as `LlamaForCausalLM` does for InternLM3."""
    PART = "part"
    """Made for a sub-config of this config."""


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """What the compiled code of a class refers to, over everything that building and calling it can reach."""

    masks: frozenset[str] = frozenset()
    """Functions that make attention masks and are always used, such as `create_causal_mask`."""
    masks_by_role: frozenset[str] = frozenset()
    """Such functions in code that first asks the config whether it `is_decoder`."""
    triangles: bool = False
    """A triangular matrix (`tril`, `triu`) is made somewhere."""
    experts: bool = False
    """A module named `experts` is made or called."""
    recurs: bool = False
    """A recurrent state is kept in the cache, as Mamba and gated linear attention do; a convolution's is not meant."""
    packages: frozenset[str] = frozenset()
    """Backends, in the library's words, that are demanded when it is built or called."""
    builds: frozenset[str] = frozenset()
    """Makers of whatever model a sub-config asks for: `AutoModel`, `AutoBackbone`, `load_backbone`."""
    inner_parameters: frozenset[str] = frozenset()
    """Parameters of the forward methods of the modules inside."""


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """One model class."""

    name: str
    fit: Fit = Fit.OWN
    tasks: tuple[str, ...] = ()
    """Auto-mappings that list it for this type."""
    exported: bool = True
    """Its module exports it."""
    runs: bool = True
    """It has a forward method of its own."""
    parameters: tuple[str, ...] = ()
    """Parameters that forward really reads, in order."""
    passes_on: bool = False
    """Forward hands further keyword arguments on to the modules inside."""
    main_input: str = ""
    """`main_input_name`."""
    declared: tuple[str, ...] = ()
    """`input_modalities` where the library states them for this class; empty where it says nothing."""
    outputs: frozenset[str] = frozenset()
    """Fields of the output classes that forward is annotated with."""
    generates: bool = False
    """`can_generate()`."""
    code: CodeFacts = field(default_factory=CodeFacts)

    def takes(self, *names: str) -> bool:
        """Whether forward reads any of these parameters."""
        return any(name in self.parameters for name in names)


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """One model type."""

    model_type: str
    config_class: str
    module: str
    """Its package, such as `transformers.models.bert`."""
    classes: tuple[ClassFacts, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The default config, flattened: `text_config.hidden_size`. Numbers, strings, None and lists of them only."""
    contains: Mapping[str, str] = field(default_factory=dict)
    """Model types of the sub-configs in the default config, from any package, by path: `vlm_config.text_config`."""
    part_of: tuple[str, ...] = ()
    """Model types of the same package that have this config as a sub-config."""
    extends: str | None = None
    """Model type of the same package whose config class this one derives from."""
    plain_modules: tuple[str, ...] = ()
    """Modules of the package that take this config but are no models of their own."""
    processors: tuple[str, ...] = ()
    """What the library's auto-processors make for this type: text, image, video, audio."""
    modelling: bool = True
    """The package holds modelling code."""
    refusal: str | None = None
    """Why the config class refuses to be made without arguments."""
    failure: str | None = None
    """Why its config or modelling code cannot be imported here; nothing else is known then."""

    def setting(self, name: str) -> Any:
        """The value at the top level of the default config; None where there is none."""
        return self.settings.get(name)

    def named(self, *names: str) -> Iterator[tuple[str, Any]]:
        """Settings with one of these last names, at any depth, with their path."""
        for path, value in self.settings.items():
            if path.rpartition(".")[2] in names:
                yield path, value

    def model_class(self, name: str) -> ClassFacts:
        """The class of that name.

        Raises:
            KeyError: there is none.
        """
        for found in self.classes:
            if found.name == name:
                return found
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Because:
    """A judgement's reason in words, with what was judged."""

    value: str
    reason: str
