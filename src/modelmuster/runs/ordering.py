"""The order in which cells start: scarce devices and long cells first, so that no run ends with one slow cell."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modelmuster import plugins
from modelmuster.contracts import Job
from modelmuster.optional import SlowInSoftware
from modelmuster.records import Cell
from modelmuster.runs import folders, journal
from modelmuster.settings import Home

RUNS = 3
"""How many earlier runs are looked at, the youngest last."""

Kind = tuple[str, str, str, str, str]
"""What makes two cells of different runs take about as long: type, class, target, dtype, scale."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """How long cells will take."""

    seconds: float
    measured: int
    """How many of them have been measured in earlier runs."""


def kind(cell: Cell) -> Kind:
    """The kind of a cell."""
    return cell.model_type, cell.model_class, cell.target, cell.dtype, cell.scale.value


def measured_durations(home: Home) -> dict[Kind, float]:
    """Milliseconds that cells of each kind took in the last runs of this home."""
    found: dict[Kind, float] = {}
    for run_id in folders.run_ids(home)[-RUNS:]:
        for record in journal.read_lenient(folders.open_run(home, run_id).journal).records:
            if record.measurement.duration_ms is not None and not record.lost:
                found[kind(record.cell)] = record.measurement.duration_ms
    return found


def longest_first(jobs: Sequence[Job], durations: Mapping[Kind, float]) -> list[Job]:
    """The jobs in the order to start them; a cell never seen is taken to be of middling length.

    Among equals one target comes after another: side by side, the cells of one model that read the same export would
    wait for the one of them that makes it.
    """
    middling = statistics.median(durations.values()) if durations else 0.0

    def urgency(job: Job) -> tuple[bool, float, str]:
        scarce = bool(plugins.targets().get(job.cell.target).resources)
        return not scarce, -durations.get(kind(job.cell), middling), job.cell.target

    return sorted(jobs, key=urgency)


def forecast(cells: Sequence[Cell], durations: Mapping[Kind, float], slots: int) -> Forecast | None:
    """How long these cells will take, so many at a time; None where nothing is known of some target.

    A cell that was never measured is taken to be like the middling one of its target, or else like what the target
    states of itself.
    """
    by_target: dict[str, list[float]] = {}
    for (_, _, name, *_), milliseconds in durations.items():
        by_target.setdefault(name, []).append(milliseconds / 1000)
    total, measured = 0.0, 0
    for cell in cells:
        if (known := durations.get(kind(cell))) is not None:
            total, measured = total + known / 1000, measured + 1
        elif cell.target in by_target:
            total += statistics.median(by_target[cell.target])
        elif isinstance(target := plugins.targets().get(cell.target), SlowInSoftware):
            total += target.software_cell_s
        else:
            return None
    return Forecast(total / slots, measured)
