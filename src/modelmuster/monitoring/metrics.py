"""What is told of a run, by name, and how its records become numbers. Nothing here knows who takes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self

from modelmuster.contracts import Progress
from modelmuster.records import FINDINGS, CellRecord, Inference, Plan


class Kind(StrEnum):
    """How a number behaves."""

    COUNTER = "counter"
    """Only grows."""
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One family of numbers."""

    name: str
    kind: Kind
    says: str
    labels: tuple[str, ...]


PLANNED = Metric("muster_cells_planned", Kind.GAUGE, "Cells of the run's plan.", ("run", "target"))
RECORDED = Metric(
    "muster_cells_recorded",
    Kind.GAUGE,
    "Cells with a deciding record, those of earlier sittings of the run among them.",
    ("run", "target"),
)
RUNNING = Metric("muster_cells_running", Kind.GAUGE, "Cells that run at this moment.", ("run", "target"))
LONGEST = Metric(
    "muster_longest_running_seconds",
    Kind.GAUGE,
    "How long the oldest of the cells that run now has been running; 0 where none runs.",
    ("run", "target"),
)
RESULTS = Metric(
    "muster_results",
    Kind.COUNTER,
    "Results of finished cells. Mock inference is told apart and never holds a pass.",
    ("run", "target", "family", "outcome", "inference"),
)
UNEXPECTED = Metric(
    "muster_unexpected_findings",
    Kind.COUNTER,
    "Findings that no entry of the expectations foresaw.",
    ("run", "target", "outcome", "inference"),
)
FLAKY = Metric("muster_flaky_results", Kind.COUNTER, "Results that a repetition contradicted.", ("run", "target"))
REPEATED = Metric("muster_repeated_cells", Kind.COUNTER, "Attempts that another one had to follow.", ("run", "target"))
LOST = Metric("muster_lost_attempts", Kind.COUNTER, "Attempts that were lost with their worker.", ("run", "target"))
SECONDS = Metric("muster_attempt_seconds", Kind.HISTOGRAM, "Time of an attempt at a cell.", ("run", "target"))

METRICS = (PLANNED, RECORDED, RUNNING, LONGEST, RESULTS, UNEXPECTED, FLAKY, REPEATED, LOST, SECONDS)

BOUNDS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Upper bounds of the histogram's buckets: from a tiny model to the limit of a cell."""


class Meter(Protocol):
    """Takes numbers, and tells them to somebody."""

    def add(self, metric: Metric, labels: Mapping[str, str], by: int = 1) -> None:
        """To a counter."""
        ...

    def set(self, metric: Metric, labels: Mapping[str, str], value: float) -> None:
        """A gauge."""
        ...

    def observe(self, metric: Metric, labels: Mapping[str, str], value: float) -> None:
        """In a histogram."""
        ...

    def close(self) -> None:
        """Tell what was not told yet."""
        ...


class Watch:
    """Told what a run's display is told, and hands it to a meter as numbers."""

    def __init__(self, plan: Plan, meter: Meter) -> None:
        self.plan, self.meter = plan, meter
        self._targets = {cell.id: cell.target for cell in plan.cells}
        self._recorded = Counter[str]()

    def __enter__(self) -> Self:
        for target, cells in Counter(self._targets.values()).items():
            self.meter.set(PLANNED, self._labels(target), cells)
            self.meter.set(RECORDED, self._labels(target), 0)
        self.progress(Progress(running={}))
        return self

    def __exit__(self, *_: object) -> None:
        self.progress(Progress(running={}))
        self.meter.close()

    def record(self, record: CellRecord) -> None:
        """A cell ended."""
        labels = self._labels(record.cell.target)
        if record.measurement.duration_ms is not None:
            self.meter.observe(SECONDS, labels, record.measurement.duration_ms / 1000)
        if record.lost:
            self.meter.add(LOST, labels)
        if not record.final:
            self.meter.add(REPEATED, labels)
            return
        self._recorded[record.cell.target] += 1
        self.meter.set(RECORDED, labels, self._recorded[record.cell.target])
        self._results(record, labels)

    def progress(self, progress: Progress) -> None:
        """These cells are running now."""
        longest = dict.fromkeys(self._targets.values(), 0.0)
        running = Counter[str]()
        for cell_id, seconds in progress.running.items():
            target = self._targets[cell_id]
            running[target] += 1
            longest[target] = max(longest[target], seconds)
        for target, seconds in longest.items():
            self.meter.set(RUNNING, self._labels(target), running[target])
            self.meter.set(LONGEST, self._labels(target), seconds)

    def _results(self, record: CellRecord, labels: Mapping[str, str]) -> None:
        mock = record.provenance.inference is Inference.MOCK
        kind = {**labels, "inference": record.provenance.inference.value}
        for result in record.results:
            outcome = result.mock_word if mock else result.outcome.value
            self.meter.add(RESULTS, {**kind, "family": record.cell.family.value, "outcome": outcome})
            if result.outcome in FINDINGS and result.expected is None:
                self.meter.add(UNEXPECTED, {**kind, "outcome": result.outcome.value})
            if result.flaky:
                self.meter.add(FLAKY, labels)

    def _labels(self, target: str) -> dict[str, str]:
        return {"run": self.plan.run_id, "target": target}
