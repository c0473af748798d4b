"""Measurements over runs, comparable ones only: the same machine, device, target, dtype, scale, weights and model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelmuster.history.machines import Dated
from modelmuster.history.steps import LEAST
from modelmuster.records import MEASURE
from modelmuster.store import Reader

METRICS = {
    "duration_ms": "time of the whole check, in ms",
    "cpu_ms": "processor time of the whole check, in ms",
    "peak_rss_bytes": "peak memory of the cell's process, in bytes",
}
"""What every check is measured by; whatever else is measured stands among its figures, with its unit at the end."""

PASSES = {
    "median_ms": "time of one pass, in the middle, in ms",
    "p90_ms": "time of one pass, nine of ten are faster, in ms",
    "first_ms": "time of the first pass, in ms",
    "model_bytes": "memory that the model takes, in bytes",
}
"""What `muster measure` finds, one cell at a time on an idle machine."""

SAYS = METRICS | PASSES
"""Every metric that is a column, in words."""


def metrics_of(check: str | None) -> dict[str, str]:
    """The metrics that a check always has, the most telling first."""
    return PASSES if check == MEASURE else METRICS


def source_of(check: str | None) -> str:
    """The view of the store that these are columns of."""
    return "passes" if check == MEASURE else "measured"


CANDIDATES = 60
"""Series that are judged: those whose first and second half differ most."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The value of one run: the median where it has several."""

    run: Dated
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one check of one model on one machine."""

    model_type: str
    model_class: str
    target: str
    dtype: str
    scale: str
    checkpoint: str | None
    batch: int | None
    """This and the next two as they were asked for; None for the recipe's own."""
    sequence: int | None
    attention: str | None
    threads: int | None
    """Of a measurement; None for a check's own time."""
    weights: str
    device_name: str
    machine: str
    check: str
    metric: str
    samples: tuple[Sample, ...]
    """The oldest first."""
    cell_id: str
    """Of the youngest."""

    @property
    def label(self) -> str:
        """Where and how it ran, as far as it is not the usual."""
        asked = {"batch": self.batch, "sequence": self.sequence, "threads": self.threads, "attention": self.attention}
        sizes = [f"{name} {value}" for name, value in asked.items() if value is not None]
        return " ".join([self.target, self.dtype, self.checkpoint or self.scale, *sizes])

    @property
    def values(self) -> list[float]:
        """The bare numbers."""
        return [sample.value for sample in self.samples]


_KEY = (
    "model_type, model_class, target, dtype, scale, checkpoint, batch, sequence, attention, threads, weights, "
    "device_name"
)


def comparable(
    reader: Reader, runs: Sequence[Dated], *, check: str, metric: str, names: Sequence[str] = ()
) -> list[Series]:
    """The series of one check that end in the youngest run, on its machine; the most changed first.

    Args:
        reader: an open store.
        runs: the oldest first.
        check: its name.
        metric: one of `metrics_of` it, or the name of a figure.
        names: only these architectures; empty for all.
    """
    if not runs:
        return []
    mine = [run for run in runs if run.machine == runs[-1].machine]
    by_key = {run.key: run for run in mine}
    halves = [run.key for run in mine[len(mine) // 2 :]]
    columns = metrics_of(check)
    value = metric if metric in columns else "figure_of(figures, $metric)"
    rows = reader.rows(
        f"""
        WITH of_runs AS (
            SELECT {_KEY}, run, any_value(cell_id) AS cell_id, median({value}) AS value
            FROM {source_of(check)}
            WHERE list_contains($runs, run) AND check_name = $check
                AND ($names::VARCHAR[] IS NULL OR list_contains($names, model_type))
                AND ({value}) > 0
            GROUP BY {_KEY}, run
        )
        SELECT {_KEY}, arg_max(cell_id, run) AS cell_id, list({{'run': run, 'value': value}}) AS samples,
            abs(ln(
                median(value) FILTER (list_contains($late, run)) / median(value) FILTER (NOT list_contains($late, run))
            )) AS moved
        FROM of_runs
        GROUP BY {_KEY}
        HAVING count(*) >= $least OR len($names::VARCHAR[]) > 0
        ORDER BY moved DESC NULLS LAST LIMIT $limit
        """,  # noqa: S608 - constants, and a parameter
        runs=list(by_key),
        late=halves,
        check=check,
        names=list(names) or None,
        least=LEAST,
        limit=CANDIDATES,
        **({} if metric in columns else {"metric": metric}),
    )
    places = {run.key: place for place, run in enumerate(mine)}
    series = []
    for row in rows:
        del row["moved"]
        samples = sorted(row.pop("samples"), key=lambda one: places[one["run"]])
        series.append(
            Series(
                **row,
                machine=runs[-1].machine,
                check=check,
                metric=metric,
                samples=tuple(Sample(by_key[one["run"]], one["value"]) for one in samples),
            )
        )
    return series
