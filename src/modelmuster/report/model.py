"""What a report says, as plain records: everything is decided and counted here, so that templates only lay out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from modelmuster.records import FINDINGS, Cell, CellRecord, DeviceKind, Environment, Family, Outcome, Result
from modelmuster.views.rates import Tally, tally


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the matrix."""

    target: str
    dtype: str
    scale: str

    @property
    def key(self) -> str:
        """Identity within the report, used in links."""
        return f"{self.target}/{self.dtype}/{self.scale}"

    @property
    def runtime(self) -> str:
        """The part of the target's name before the colon."""
        return self.target.partition(":")[0]

    @property
    def device(self) -> str:
        """The part of the target's name after the colon; empty where there is none."""
        return self.target.partition(":")[2]


@dataclass(frozen=True, slots=True)
class ReportCell:
    """One planned cell with whatever is known about it."""

    cell: Cell
    outcome: Outcome
    """The worst of its checks; `not_run` where no attempt was final."""
    results: tuple[Result, ...]
    """One per planned check, in the plan's order; `not_run` where the journal holds none."""
    attempts: tuple[CellRecord, ...] = ()
    """Every recorded attempt, the deciding one last."""
    reproduce: str = ""
    mock: bool = False
    """Whether its target runs nothing; such a cell enters no count but the count of mock cells."""

    @property
    def record(self) -> CellRecord | None:
        """The attempt that decides, or the last one where none does."""
        return self.attempts[-1] if self.attempts else None

    @property
    def emulated(self) -> bool:
        """Whether software imitated the device."""
        evidence = self.record.provenance.evidence if self.record else None
        return evidence is not None and evidence.device_kind is DeviceKind.SOFTWARE_EMULATED

    @property
    def expected(self) -> bool:
        """Whether it has findings and an entry in expectations foresaw all of them."""
        findings = [result for result in self.results if result.outcome in FINDINGS]
        return bool(findings) and all(result.expected is not None for result in findings)

    @property
    def flaky(self) -> bool:
        """Whether a repetition alone gave another outcome."""
        return any(result.flaky for result in self.results)


def tally_cells(cells: Iterable[ReportCell]) -> Tally:
    """Count cells by their outcome; mock ones stand apart."""
    return tally(
        {
            "outcome": cell.outcome,
            "mock": cell.mock,
            "expected": cell.expected,
            "flaky": cell.flaky,
            "results": 1,
        }
        for cell in cells
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the matrix."""

    model_type: str
    qualifier: str
    """What tells it from other rows of the same architecture: class, checkpoint or seed; empty where it is alone."""
    cells: tuple[ReportCell | None, ...]
    """Aligned with the columns; None where the plan has no such cell."""

    @property
    def key(self) -> str:
        """Identity within the report, used in links."""
        return f"{self.model_type} {self.qualifier}".rstrip()


@dataclass(frozen=True, slots=True)
class FamilyGroup:
    """The rows of one family, with counts per column."""

    family: Family
    rows: tuple[Row, ...]
    tallies: tuple[Tally, ...]
    total: Tally


@dataclass(frozen=True, slots=True)
class TargetSummary:
    """What became of one column's cells, and which device answered."""

    column: Column
    tally: Tally
    devices: tuple[str, ...]
    """Device names read back from the runtime, the most frequent first."""
    emulated: bool


@dataclass(frozen=True, slots=True)
class CheckSummary:
    """What became of one check, over all cells that were to ask it."""

    check: str
    question: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class Place:
    """A cell by the names of its row and column, for links."""

    row: str
    column: Column

    @property
    def link(self) -> str:
        """The value of `cell` in the report's address."""
        return f"{self.row}@{self.column.key}"


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Findings with the same cause."""

    fingerprint: str
    outcome: Outcome
    title: str
    """The exception's type; empty where there was none."""
    message: str
    """Of the first of them."""
    checks: tuple[str, ...]
    stages: tuple[str, ...]
    places: tuple[Place, ...]
    expected: bool
    reproduce: str
    """The command for the first of them."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Planned checks that gave no answer, for one reason."""

    outcome: Outcome
    reason: str
    checks: tuple[str, ...]
    targets: tuple[str, ...]
    results: int
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Realness:
    """How much of the plan was real: counts of cells."""

    hardware: int
    """A device of the named kind answered."""
    emulated: int
    """The runtime answered, on software that imitates the device."""
    unproven: int
    """It was decided before anything could be read back from the runtime."""
    mock: int
    nothing: int
    """No answer."""

    @property
    def total(self) -> int:
        """All planned cells but the mock ones."""
        return self.hardware + self.emulated + self.unproven + self.nothing


@dataclass(frozen=True, slots=True)
class ReportData:
    """One run, ready to be laid out."""

    run_id: str
    created_at: str
    command: str
    version: str
    """Of this package."""
    environment: Environment | None
    columns: tuple[Column, ...]
    groups: tuple[FamilyGroup, ...]
    cells: Tally
    results: Tally
    architectures: int
    """Selected, those that could not be planned included."""
    answered: int
    """Architectures with at least one decided cell."""
    targets: tuple[TargetSummary, ...]
    checks: tuple[CheckSummary, ...]
    failures: tuple[FailureGroup, ...]
    gaps: tuple[Gap, ...]
    realness: Realness
    unplanned: Mapping[str, str] = field(default_factory=dict)
    damages: tuple[str, ...] = ()
    """What of the run's folder could not be used."""

    @property
    def rows(self) -> list[Row]:
        """All rows, in the order of the matrix."""
        return [row for group in self.groups for row in group.rows]

    @property
    def scales(self) -> tuple[str, ...]:
        """The scales that occur, so that one alone need not be named in every header."""
        return tuple(dict.fromkeys(column.scale for column in self.columns))
