"""Which results of which run a view speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from modelmuster.errors import UsageError
from modelmuster.records import Outcome
from modelmuster.selection import family, match_names
from modelmuster.store import Reader
from modelmuster.views.runs import Run, find

RESULTS = (
    "results_of($run, $names::VARCHAR[], $families::VARCHAR[], $targets::VARCHAR[], "
    "$checks::VARCHAR[], $outcomes::VARCHAR[])"
)
"""The table of a query that `Narrowing.parameters` belongs to."""

MARKS = "marks_of($run, $names::VARCHAR[], $families::VARCHAR[], $targets::VARCHAR[], $outcomes::VARCHAR[])"
"""The same, counted by architecture and column; belongs to `Narrowing.of_marks`. It cannot be narrowed to checks."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One run, and what to keep of it; an empty tuple keeps everything."""

    run: Run
    names: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()

    @property
    def parameters(self) -> dict[str, Any]:
        """Values for the parameters in `RESULTS`."""
        return {
            "run": self.run.key,
            "names": list(self.names) or None,
            "families": list(self.families) or None,
            "targets": list(self.targets) or None,
            "checks": list(self.checks) or None,
            "outcomes": list(self.outcomes) or None,
        }

    @property
    def of_marks(self) -> dict[str, Any]:
        """Values for the parameters in `MARKS`."""
        return {name: value for name, value in self.parameters.items() if name != "checks"}


def narrow(
    reader: Reader,
    *,
    run: str = "latest",
    names: Sequence[str] = (),
    families: Sequence[str] = (),
    targets: Sequence[str] = (),
    checks: Sequence[str] = (),
    outcomes: Sequence[str] = (),
) -> Narrowing:
    """Find the run and resolve globs against what was planned in it.

    Args:
        reader: An open store.
        run: Its id, an unambiguous beginning of it, or `latest`.
        names: Globs over architectures.
        families: Names of families.
        targets: Globs over targets.
        checks: Globs over checks.
        outcomes: Names of outcomes.

    Raises:
        UnknownName: a run, or a name or glob that matches nothing in the run.
        UsageError: an outcome that does not exist.
    """
    found = find(reader, run)
    see = f"muster results --run {found.run_id}"

    def matching(kind: str, patterns: Sequence[str], known: list[str]) -> tuple[str, ...]:
        return tuple(match_names(kind, patterns, known, see=see)) if patterns else ()

    return Narrowing(
        run=found,
        names=matching("architecture", names, _known_architectures(reader, found.key) if names else []),
        families=tuple(family(name).value for name in families),
        targets=matching("target", targets, _known_targets(reader, found.key) if targets else []),
        checks=matching("check", checks, _known_checks(reader, found.key) if checks else []),
        outcomes=tuple(_outcome(name) for name in outcomes),
    )


def _known_architectures(reader: Reader, run: int) -> list[str]:
    found = reader.rows("SELECT DISTINCT model_type FROM cells WHERE run = $run ORDER BY model_type", run=run)
    return [row["model_type"] for row in found]


def _known_targets(reader: Reader, run: int) -> list[str]:
    found = reader.rows("SELECT DISTINCT target FROM cells WHERE run = $run ORDER BY target", run=run)
    return [row["target"] for row in found]


def _known_checks(reader: Reader, run: int) -> list[str]:
    found = reader.rows("SELECT DISTINCT check_name FROM planned WHERE run = $run ORDER BY check_name", run=run)
    return [row["check_name"] for row in found]


def _outcome(name: str) -> Outcome:
    try:
        return Outcome(name)
    except ValueError:
        raise UsageError(f"unknown outcome {name!r}", hint=f"outcomes are: {', '.join(Outcome)}") from None
