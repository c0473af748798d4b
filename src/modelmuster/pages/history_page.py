"""History: success over the runs, what broke and was mended, what wavers, and what got slower."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelmuster.errors import MissingDependency
from modelmuster.history.questions import Question
from modelmuster.history.series import SAYS, metrics_of
from modelmuster.history.steps import Verdict
from modelmuster.pages import charts
from modelmuster.pages.blocks import (
    Block,
    Choice,
    Code,
    Facts,
    Heading,
    Link,
    Mark,
    Page,
    Table,
    heads,
    note,
    spread,
    to,
)  # fmt: skip
from modelmuster.pages.words import REAL, number, of_cell, of_model, percent, quantity, real, when
from modelmuster.store import Reader
from modelmuster.views.trends import Level, Measurements, Trends, measurements, trends

DAYS = (("", "all"), ("1", "the last day"), ("7", "the last week"), ("30", "the last month"))


def history(
    reader: Reader, check: str = "", metric: str = "", names: Sequence[str] = (), days: float | None = None
) -> Page:
    """What changed over the runs."""
    found = trends(reader, days=days)
    blocks: list[Block] = []
    if len(found.levels) < 2:
        blocks.append(
            note(
                "One run is on record: there is nothing to compare it with yet. After the next one: ",
                Code("muster run"),
            )
        )
    blocks += [charts.levels(found.levels), *_levels(found.levels), *_answers(found)]
    choices = [Choice("days", "Changed in", DAYS, f"{days:g}" if days else "")]
    try:
        measured = measurements(reader, check=check or None, metric=metric or None, names=names)
    except MissingDependency as error:
        blocks += [Heading("Measurements"), note(error.message, ". ", Code(error.hint.removeprefix("type: ")))]
    else:
        blocks += _measured(measured)
        choices += [
            Choice("check", "Check", tuple((name, name) for name in measured.checks), measured.check or ""),
            Choice("metric", "Metric", tuple(metrics_of(measured.check).items()), measured.metric),
        ]
    return Page(
        name="history",
        title="History",
        question="When did it break, is it real, and what got slower?",
        choices=tuple(choices),
        blocks=tuple(blocks),
    )


def _levels(found: Sequence[Level]) -> list[Block]:
    """Success and kind of inference by run, the youngest first."""
    rows = tuple(
        (
            Link(level.run_id, to("matrix", run=level.run_id)),
            f"{number(level.tally.passed)} / {number(level.tally.decided)}",
            percent(level.tally.pass_rate),
            *real(level.realness),
        )
        for level in reversed(found)
    )
    columns = heads("run", "#pass / decided", "#pass rate", *REAL)
    return [Heading("Success and kind of inference by run", len(rows)), Table("by-run", columns, rows, "no run")]


def _answers(found: Trends) -> list[Block]:
    flaky = tuple(
        (
            Link(one.question.cell_id, of_cell(one.question.now.run.run_id, one.question.cell_id)),
            Code(one.question.check),
            f"{one.rate.hits} of {one.rate.of}",
            percent(one.rate.share),
            f"{percent(one.rate.low)} to {percent(one.rate.high)}",
        )
        for one in found.flaky
    )
    unlike = tuple(
        (one.what, Code(one.target), f"{one.value:.4g}", f"{one.usual:.4g}", f"{one.spread:.2g}", number(one.runs))
        for one in found.anomalies
    )
    columns = heads("cell", "check", "was", "is", "last before", "first since", "machine and software between")
    return [
        Heading("Broken: failing now, passing before", len(found.broken)),
        Table("broken", columns, tuple(map(_since, found.broken)), "none"),
        Heading("Mended", len(found.mended)),
        Table("mended", columns, tuple(map(_since, found.mended)), "none"),
        Heading("Flaky: answered otherwise where nothing was changed", len(flaky)),
        Table("flaky", heads("cell", "check", "#times", "#rate", "#95 % interval"), flaky, "none that was seen"),
        Heading("Unlike the runs before", len(unlike)),
        Table(
            "unlike",
            heads("what", "target", "#now", "#usual", "#spread", "#runs before"),
            unlike,
            "nothing, or fewer than five runs before",
        ),
    ]


def _since(one: Question) -> tuple[Any, ...]:
    before, first = one.since
    assert before is not None  # a question that did not turn is in neither table
    same = (before.run.machine, before.run.software) == (first.run.machine, first.run.software)
    return (
        Link(one.cell_id, of_cell(one.now.run.run_id, one.cell_id)),
        Code(one.check),
        Mark(before.outcome),
        Mark(one.now.outcome),
        Link(before.run.run_id, to("compare", old=before.run.run_id, new=first.run.run_id)),
        f"{first.run.run_id}, {when(first.run.created_at)}",
        "the same" if same else "differ: look at these first",
    )


def _measured(found: Measurements) -> list[Block]:
    blocks: list[Block] = [Heading("Measurements", len(found.trends))]
    facts = (
        ("machine", found.machine or "not recorded"),
        ("check, metric", f"{found.check or 'none'}, {SAYS[found.metric]}"),
        ("noise of the machine", f"{percent(found.noise_floor)} from run to run"),
    )
    blocks.append(Facts(facts))
    if not found.trends:
        blocks.append(note("Six runs on one machine are the least for a trend; there are fewer."))
        return blocks
    rows = tuple(
        (
            Link(one.series.model_type, of_model(one.series.samples[-1].run.run_id, one.series.model_type)),
            Code(one.series.label),
            one.judgement.verdict.value,
            spread(
                f"{(step.ratio - 1) * 100:+.0f} % with {one.series.samples[step.at].run.run_id}"
                for step in one.judgement.steps
            ),
            quantity(one.series.values[-1], found.metric),
            number(len(one.series.samples)),
            "–" if one.judgement.noise is None else percent(one.judgement.noise),
            "–" if one.judgement.smallest is None else percent(one.judgement.smallest),
        )
        for one in found.trends
    )
    columns = heads(
        "architecture", "target", "verdict", "steps", "#last", "#runs", "#noise", "#smallest step that shows"
    )
    drawn = [one for one in found.trends if one.judgement.verdict in {Verdict.CHANGED, Verdict.UNCONFIRMED}]
    blocks.append(charts.over_runs(drawn[:6] or found.trends[:3], found.metric))
    blocks.append(Table("series", columns, rows, "none"))
    return blocks
