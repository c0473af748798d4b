"""What changed over the runs: answers that turned, levels that stepped, what wavers, and what is unlike before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from modelmuster.history.anomalies import Anomaly, anomalies
from modelmuster.history.machines import Dated, dated_runs
from modelmuster.history.questions import Question, Rate, flakiness, turning
from modelmuster.history.series import Series, comparable, metrics_of
from modelmuster.history.steps import Judgement, judge, noise_floor
from modelmuster.records import FINDINGS
from modelmuster.store import Reader
from modelmuster.views.overview import moment
from modelmuster.views.performance import preferred
from modelmuster.views.rates import Tally, tally
from modelmuster.views.realness import Realness, realness_of

SHOWN = 200


@dataclass(frozen=True, slots=True)
class Level:
    """One run counted."""

    run_id: str
    created_at: str
    tally: Tally
    realness: Realness


@dataclass(frozen=True, slots=True)
class Flaky:
    """A question that wavers where nothing was changed."""

    question: Question
    rate: Rate


@dataclass(frozen=True, slots=True)
class Trend:
    """A series of measurements with what it says."""

    series: Series
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Trends:
    """Answers over the runs that are kept."""

    levels: tuple[Level, ...]
    """The oldest first."""
    broken: tuple[Question, ...]
    """Failing now and passing before, the latest first."""
    mended: tuple[Question, ...]
    flaky: tuple[Flaky, ...]
    """The most wavering first."""
    anomalies: tuple[Anomaly, ...]


@dataclass(frozen=True, slots=True)
class Measurements:
    """One metric of one check over the runs of the youngest run's machine."""

    check: str | None
    """None where nothing was measured."""
    metric: str
    checks: tuple[str, ...]
    machine: str
    noise_floor: float
    """Of this machine, for this metric, as a share."""
    trends: tuple[Trend, ...]
    """The most changed first."""


def trends(reader: Reader, *, days: float | None = None) -> Trends:
    """What changed over the runs that the store keeps.

    Args:
        reader: an open store.
        days: only answers that turned in so many days before the youngest run; None for all.
    """
    runs = dated_runs(reader)
    turned = turning(reader, runs)
    wavering = [Flaky(one, rate) for one in turned if (rate := flakiness(one)) is not None and rate.hits]
    recent = [one for one in turned if _recent(one, runs, days)]
    return Trends(
        levels=_levels(reader, runs),
        broken=tuple(one for one in recent if one.broken)[:SHOWN],
        mended=tuple(one for one in recent if one.now.outcome not in FINDINGS and one.since[0])[:SHOWN],
        flaky=tuple(sorted(wavering, key=lambda one: -one.rate.low))[:SHOWN],
        anomalies=tuple(anomalies(reader, runs)),
    )


def measurements(
    reader: Reader, *, check: str | None = None, metric: str | None = None, names: Sequence[str] = ()
) -> Measurements:
    """The steps of a metric, over comparable runs only.

    Args:
        reader: an open store.
        check: whose; the first that has some where it is not given.
        metric: one of `metrics_of` the check; its first where it is not given, or another check's.
        names: only these architectures; empty for the most changed of all.

    Raises:
        MissingDependency: ruptures is not installed.
    """
    runs = dated_runs(reader)
    asked = _checks(reader, runs)
    chosen = check if check is not None and check in asked else preferred(asked)
    metric = metric if metric in metrics_of(chosen) else next(iter(metrics_of(chosen)))
    series = comparable(reader, runs, check=chosen, metric=metric, names=names) if chosen else []
    floor = noise_floor([one.values for one in series])
    return Measurements(
        check=chosen,
        metric=metric,
        checks=tuple(asked),
        machine=runs[-1].machine if runs else "",
        noise_floor=floor,
        trends=tuple(Trend(one, judge(one.values, floor=floor)) for one in series),
    )


def _checks(reader: Reader, runs: Sequence[Dated]) -> list[str]:
    """What passed in any run of the youngest run's machine: measurements are often made in runs of their own."""
    rows = reader.rows(
        "SELECT DISTINCT check_name FROM tallies WHERE list_contains($runs, run) AND NOT mock AND outcome = 'pass' "
        "ORDER BY check_name",
        runs=[run.key for run in runs if run.machine == runs[-1].machine],
    )
    return [row["check_name"] for row in rows]


def _levels(reader: Reader, runs: Sequence[Dated]) -> tuple[Level, ...]:
    rows = reader.rows(
        "SELECT run, outcome, mock, expected, flaky, sum(results)::BIGINT AS results FROM tallies "
        "WHERE list_contains($runs, run) GROUP BY ALL",
        runs=[run.key for run in runs],
    )
    real = realness_of(reader, (run.key for run in runs))
    return tuple(
        Level(run.run_id, run.created_at, tally(row for row in rows if row["run"] == run.key), real[run.key])
        for run in runs
    )


def _recent(question: Question, runs: Sequence[Dated], days: float | None) -> bool:
    if days is None:
        return True
    return moment(question.since[1].run.created_at) >= moment(runs[-1].created_at) - timedelta(days=days)
