"""Checks in words: what each asks, of whom, and how far off an answer may be. Read from the checks themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import msgspec

from modelmuster.contracts import Check


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """One check as a reader wants to know it."""

    name: str
    question: str
    asked_of: str
    """Families, traits, modalities and capabilities, and what `applies` asks beyond them."""
    tolerance: str


def describe(check: Check) -> Description:
    """The check's own words: its attributes, and the first lines of what `applies` and `run` say of themselves."""
    narrowed = "; ".join(_narrowed(check))
    further = _first_line(check.applies)
    return Description(
        name=check.name,
        question=check.question,
        asked_of=" ".join(part for part in (f"{narrowed}." if narrowed else "", further) if part),
        tolerance=_first_line(check.run),
    )


def table(descriptions: list[Description]) -> str:
    """A table in Markdown."""
    head = "| check | question | asked of | tolerance |\n|---|---|---|---|\n"
    return head + "".join(
        f"| `{found.name}` | {found.question} | {found.asked_of} | {found.tolerance} |\n" for found in descriptions
    )


def _narrowed(check: Check) -> Iterator[str]:
    if check.families is not None:
        yield ", ".join(sorted(family.value for family in check.families))
    if check.traits:
        yield f"trait {', '.join(sorted(trait.value for trait in check.traits))}"
    if check.modalities:
        yield f"fed {', '.join(sorted(modality.value for modality in check.modalities))}"
    if check.needs:
        yield f"needs {', '.join(sorted(capability.value for capability in check.needs))}"


def _first_line(method: object) -> str:
    return (inspect.getdoc(method) or "").partition("\n")[0]
