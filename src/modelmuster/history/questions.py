"""Questions whose answer was not always the same: since when they fail or pass, and how often they waver."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from modelmuster.history.machines import Dated
from modelmuster.records import DECIDED, FINDINGS, Outcome
from modelmuster.store import Reader

LIMIT = 2000
"""Questions that are looked at; with more, those that failed last are kept."""


@dataclass(frozen=True, slots=True)
class Turned:
    """The answer of a question in one run."""

    run: Dated
    outcome: Outcome
    flaky: bool


@dataclass(frozen=True, slots=True)
class Question:
    """One check of one cell over the runs, with decided answers of real inference only."""

    cell_id: str
    check: str
    answers: tuple[Turned, ...]
    """The oldest first."""

    @property
    def now(self) -> Turned:
        """The youngest answer."""
        return self.answers[-1]

    @property
    def since(self) -> tuple[Turned | None, Turned]:
        """The last answer of the other kind, and the first of the present one: what broke or mended it lies between."""
        failing = self.now.outcome in FINDINGS
        first = len(self.answers) - 1
        while first > 0 and (self.answers[first - 1].outcome in FINDINGS) is failing:
            first -= 1
        return (self.answers[first - 1] if first else None), self.answers[first]

    @property
    def broken(self) -> bool:
        """Whether it fails now and passed before."""
        return self.now.outcome in FINDINGS and self.since[0] is not None


@dataclass(frozen=True, slots=True)
class Rate:
    """A measured rate with the interval that holds the true one with 95 % confidence (Wilson)."""

    hits: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Hits over all."""
        return self.hits / self.of


def turning(reader: Reader, runs: Sequence[Dated]) -> list[Question]:
    """The questions that were answered in more than one way in these runs, or whose repetition contradicted."""
    by_key = {run.key: run for run in runs}
    places = {run.key: place for place, run in enumerate(runs)}
    found = reader.rows(
        """
        SELECT DISTINCT found.run, cell_id, check_name
        FROM (FROM answers WHERE list_contains($findings, outcome) OR flaky) AS found
        JOIN cells ON cells.run = found.run AND cells.cell = found.cell AND decided_by = entry
        WHERE list_contains($runs, found.run) AND coalesce(target_inference, 'real') <> 'mock'
        """,
        runs=list(by_key),
        findings=sorted(FINDINGS),
    )
    found.sort(key=lambda row: (-places[row["run"]], row["cell_id"], row["check_name"]))
    suspects = list(dict.fromkeys((row["cell_id"], row["check_name"]) for row in found))[:LIMIT]
    # In two queries: as one, DuckDB joins all answers of all runs first, which takes twenty times as long.
    rows = reader.rows(
        """
        WITH chosen AS MATERIALIZED (
            SELECT cell_id, run, cell, decided_by, check_name
            FROM cells JOIN (SELECT unnest($cells) AS cell_id, unnest($checks) AS check_name) USING (cell_id)
            WHERE list_contains($runs, run)
        )
        SELECT cell_id, check_name, list({'run': chosen.run, 'outcome': outcome, 'flaky': flaky}) AS answers
        FROM chosen JOIN answers USING (run, cell, check_name)
        WHERE entry = decided_by AND list_contains($decided, outcome)
        GROUP BY cell_id, check_name
        HAVING min(outcome) <> max(outcome) OR bool_or(flaky)
        """,
        runs=list(by_key),
        cells=[cell for cell, _ in suspects],
        checks=[check for _, check in suspects],
        decided=sorted(DECIDED),
    )
    questions = [
        Question(
            row["cell_id"],
            row["check_name"],
            tuple(
                Turned(by_key[one["run"]], Outcome(one["outcome"]), one["flaky"])
                for one in sorted(row["answers"], key=lambda one: places[one["run"]])
            ),
        )
        for row in rows
    ]
    return sorted(questions, key=lambda one: (one.since[1].run.created_at, one.cell_id, one.check), reverse=True)


def flakiness(question: Question) -> Rate | None:
    """How often a question is answered otherwise than usual where nothing was changed; None if it was asked but once.

    Only runs of the same machine and software are counted together, and a repetition that contradicted counts once
    more. What failed before an upgrade and passes after it is no flake.
    """
    by_surroundings: dict[tuple[str, str], list[Turned]] = defaultdict(list)
    for answer in question.answers:
        by_surroundings[answer.run.machine, answer.run.software].append(answer)
    hits = asked = 0
    for answers in by_surroundings.values():
        outcomes = Counter(answer.outcome for answer in answers)
        contradicted = sum(answer.flaky for answer in answers)
        if len(answers) + contradicted > 1:
            asked += len(answers) + contradicted
            hits += len(answers) - max(outcomes.values()) + contradicted
    return wilson(hits, asked) if asked else None


def wilson(hits: int, of: int) -> Rate:
    """The rate with its interval."""
    z = NormalDist().inv_cdf(0.975)
    share = hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * ((share * (1 - share) / of + z * z / (4 * of * of)) ** 0.5)
    return Rate(hits, of, max(0.0, middle - half), min(1.0, middle + half))
