"""Types by family: how many there are, ran, and took everything that they take in one call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from modelmuster.records import Architecture, Family, Outcome
from modelmuster.store import Reader
from modelmuster.views.narrowing import RESULTS, Narrowing
from modelmuster.views.rates import severity
from modelmuster.views.summary import unplanned

UNKNOWN = "unknown to the installed transformers"


@dataclass(frozen=True, slots=True)
class NotPassed:
    """A type of which not every cell passed, or that could not be planned."""

    model_type: str
    outcome: Outcome | None
    """The worst one; None where no cell could be planned."""
    reason: str


@dataclass(frozen=True, slots=True)
class FamilyCounts:
    """One family. Every type counts once; what mock targets say counts nowhere."""

    family: str
    types: int
    ran: int
    """Types with an answer of real inference: a pass or a finding."""
    passed: int
    """Types of which every answer is a pass."""
    multimodal: int
    """Of those that passed: they take in more than one kind of input."""
    fused: int
    """Of the multimodal: all kinds were in the same call, but those that the model refuses in one call."""
    not_fused: tuple[str, ...]
    outcomes: Mapping[Outcome, int]
    """Types by their worst outcome."""
    rest: tuple[NotPassed, ...]


def by_family(reader: Reader, chosen: Narrowing, known: Mapping[str, Architecture]) -> tuple[FamilyCounts, ...]:
    """Count the types of a run; `chosen` says by which check and on which targets.

    Args:
        reader: an open store.
        chosen: the run, and what of it counts.
        known: the catalogue, by type: kinds of input, and the families of types that could not be planned.
    """
    rows = reader.rows(
        f"""
        SELECT family, model_type, outcome, message,
            CAST(json_extract(recipes.body, '$.modalities') AS VARCHAR[]) AS fed,
            json_keys(recipes.body, '$.apart') AS apart
        FROM {RESULTS} LEFT JOIN recipes ON recipes.hash = recipe_hash
        WHERE NOT mock ORDER BY model_type
        """,  # noqa: S608 - a macro of this package, with named parameters
        **chosen.parameters,
    )
    by_type: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_type.setdefault(row["model_type"], []).append(row)
    families: dict[str, list[list[dict[str, Any]]]] = {}
    for found in by_type.values():
        families.setdefault(found[0]["family"], []).append(found)
    left_out: dict[str, list[NotPassed]] = {}
    for name, reason in {} if _narrowed(chosen) else unplanned(reader, chosen.run.key).items():
        family = known[name].family.value if name in known else UNKNOWN
        left_out.setdefault(family, []).append(NotPassed(name, None, reason))
    order = [*Family, UNKNOWN]
    return tuple(
        _counts(str(family), families.get(family, []), left_out.get(family, []), known)
        for family in order
        if family in families or family in left_out
    )


def _narrowed(chosen: Narrowing) -> bool:
    return bool(chosen.names or chosen.families or chosen.outcomes)


def _counts(
    family: str, types: list[list[dict[str, Any]]], left_out: list[NotPassed], known: Mapping[str, Architecture]
) -> FamilyCounts:
    worst = [max(rows, key=lambda row: severity(row["outcome"])) for rows in types]
    passed = [rows for rows, row in zip(types, worst, strict=True) if row["outcome"] == Outcome.PASS]
    several = [rows for rows in passed if len(_taken(rows, known)) > 1]
    not_fused = [rows[0]["model_type"] for rows in several if not all(_whole(row, known) for row in rows)]
    return FamilyCounts(
        family=family,
        types=len(types) + len(left_out),
        ran=sum(any(Outcome(row["outcome"]).decided for row in rows) for rows in types),
        passed=len(passed),
        multimodal=len(several),
        fused=len(several) - len(not_fused),
        not_fused=tuple(not_fused),
        outcomes=Counter(Outcome(row["outcome"]) for row in worst),
        rest=(*_rest(worst), *left_out),
    )


def _rest(worst: list[dict[str, Any]]) -> Iterator[NotPassed]:
    for row in worst:
        if row["outcome"] != Outcome.PASS:
            yield NotPassed(row["model_type"], Outcome(row["outcome"]), row["message"])


def _taken(rows: list[dict[str, Any]], known: Mapping[str, Architecture]) -> frozenset[str]:
    """Kinds of input that the type takes in; what was fed, where the catalogue does not know it."""
    entry = known.get(rows[0]["model_type"])
    return frozenset(entry.modalities) if entry else frozenset(rows[0]["fed"] or ())


def _whole(row: dict[str, Any], known: Mapping[str, Architecture]) -> bool:
    return _taken([row], known) - set(row["apart"] or ()) <= set(row["fed"] or ())
