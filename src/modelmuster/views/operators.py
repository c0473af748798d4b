"""Operators that a runtime or an exporter has named as missing, with the architectures that need them."""

from __future__ import annotations

from dataclasses import dataclass

from modelmuster.history.operators import named
from modelmuster.records import FINDINGS, Outcome
from modelmuster.selection import reproduce
from modelmuster.store import Reader
from modelmuster.store.cells import IDENTITY, cell_of
from modelmuster.views.narrowing import RESULTS, Narrowing


@dataclass(frozen=True, slots=True)
class MissingOperator:
    """One operator that is missing on one target."""

    operator: str
    target: str
    architectures: tuple[str, ...]
    reproduce: str
    """The command for the first of them."""


def missing_operators(reader: Reader, narrowing: Narrowing) -> list[MissingOperator]:
    """Those that hold back most architectures first. Mock results are never among them."""
    rows = reader.rows(
        f"""
        SELECT coalesce(message, '') || ' ' || coalesce(error_message, '') AS words, check_name,
            {", ".join(IDENTITY)}
        FROM {RESULTS}
        WHERE NOT mock AND list_contains($counted, outcome)
        ORDER BY cell, place
        """,  # noqa: S608 - a constant
        **narrowing.parameters,
        counted=sorted({*FINDINGS, Outcome.UNSUPPORTED}),
    )
    needed: dict[tuple[str, str], set[str]] = {}
    first: dict[tuple[str, str], str] = {}
    for row in rows:
        for operator in named(row["words"]):
            key = operator, row["target"]
            needed.setdefault(key, set()).add(row["model_type"])
            first.setdefault(key, reproduce(cell_of(row), row["check_name"]))
    return [
        MissingOperator(operator, target, tuple(sorted(names)), first[operator, target])
        for (operator, target), names in sorted(needed.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
