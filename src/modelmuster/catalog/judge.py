"""From facts to the catalogue's records: asks every rule in turn and keeps the reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from modelmuster.catalog import classes, families, modalities, requires, traits
from modelmuster.catalog.attention import reading
from modelmuster.catalog.facts import ClassFacts, Fit, TypeFacts
from modelmuster.records import Architecture, Modality, ModelClass


@dataclass(frozen=True, slots=True)
class Judgement:
    """An architecture with the reason for everything that is said about it."""

    architecture: Architecture
    reasons: Mapping[str, str]
    """By what they are the reason for: `family`, `default_class`, `trait:generative`, `modality:text`, …"""


NOT_IMPORTED = "cannot be imported here"
"""How the note begins about a type whose modules raise when they are imported."""

_PROCESSED = {
    "image": Modality.IMAGE,
    "video": Modality.VIDEO,
    "audio": Modality.AUDIO,
    "text": Modality.TEXT,
}


def judge(
    facts: TypeFacts, known: Mapping[str, TypeFacts], distribution: Callable[[str], str] = lambda backend: backend
) -> Judgement:
    """What the catalogue says about a type.

    Args:
        facts: The type.
        known: All types that it may refer to, by name.
        distribution: What to install for a backend.
    """
    direction = reading(facts, known)
    default = classes.default(facts, direction.direction)
    chosen = facts.model_class(default.value) if default is not None else None
    kinds = _kinds(facts, chosen, known)
    rule = families.family(families.Case(facts, chosen, kinds, direction.direction))
    found_traits = traits.traits(facts, chosen)
    needed = requires.backends(facts, chosen, known)
    note = _note(facts, chosen)
    architecture = Architecture(
        model_type=facts.model_type,
        config_class=facts.config_class,
        module=facts.module,
        family=rule.family,
        top_level=not facts.part_of,
        part_of=facts.part_of,
        traits=tuple(found_traits),
        modalities=tuple(kinds),
        model_classes=tuple(ModelClass(name=found.name, tasks=found.tasks) for found in classes.usable(facts)),
        default_class=default.value if default is not None else None,
        requires=tuple(sorted({distribution(backend) for backend in needed})),
        note=note,
    )
    reasons = {"family": rule.reason}
    if Modality.TEXT in kinds:
        reasons["attention"] = f"{direction.direction.value}: {direction.reason}"
    if default is not None:
        reasons["default_class"] = default.reason
    reasons |= {f"modality:{kind.value}": reason for kind, reason in kinds.items()}
    reasons |= {f"trait:{trait.value}": reason for trait, reason in found_traits.items()}
    reasons |= {f"requires:{distribution(backend)}": reason for backend, reason in needed.items()}
    return Judgement(architecture, reasons)


def _kinds(facts: TypeFacts, chosen: ClassFacts | None, known: Mapping[str, TypeFacts]) -> dict[Modality, str]:
    """What the chosen class takes in.

    A part that takes hidden states only, and that derives its config from a type that takes data, takes that type's
    data; a type without a class takes what its processors make.
    """
    if chosen is None:
        return {_PROCESSED[name]: f"its processors make {name}" for name in _PROCESSED if name in facts.processors}
    kinds = modalities.of_class(facts, chosen)
    base = known.get(facts.extends) if facts.extends is not None else None
    if set(kinds) <= {Modality.EMBEDDING} and base is not None:
        whole = classes.default(base, reading(base, known).direction)
        inherited = modalities.of_class(base, base.model_class(whole.value)) if whole is not None else {}
        return {kind: f"its config derives from {base.model_type}'s, which takes {kind.value}" for kind in inherited}
    return kinds


def _note(facts: TypeFacts, chosen: ClassFacts | None) -> str | None:
    if facts.failure is not None:
        return f"{NOT_IMPORTED}: {facts.failure}"
    if chosen is not None and chosen.fit is not Fit.PART:
        return f"its default config is refused: {facts.refusal}" if facts.refusal is not None else None
    without_forward = [found.name for found in facts.classes if not found.runs and found.tasks] or [
        found.name for found in facts.classes if not found.runs
    ]
    silent = f"{' and '.join(without_forward)} has no forward of its own" if without_forward else ""
    if chosen is not None:
        return f"{silent}: it only generates; {chosen.name}, the model of one of its parts, is run instead"
    if not facts.modelling:
        return f"{facts.module} has no modelling code, and no auto-mapping lists a class for {facts.config_class}"
    if silent:
        return silent
    owners = f" inside {' and '.join(facts.part_of)}" if facts.part_of else ""
    if facts.plain_modules:
        return f"no model of its own: {' and '.join(facts.plain_modules)} runs only{owners}"
    return f"no model of its own: {facts.config_class} only configures something{owners}"
