"""Hardware, performance and history: pages about targets side by side, about numbers, and about change over runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from modelmuster.errors import MissingDependency
from modelmuster.history.questions import Question
from modelmuster.history.series import SAYS, metrics_of
from modelmuster.history.steps import Verdict
from modelmuster.history.timings import timings
from modelmuster.pages import charts
from modelmuster.pages.blocks import (
    Block,
    Choice,
    Code,
    Command,
    Facts,
    Heading,
    Link,
    Mark,
    Note,
    Page,
    Piece,
    Table,
    heads,
    note,
    spread,
    to,
)
from modelmuster.pages.words import COUNTED, counted, milliseconds, number, of_cell, of_model, percent, quantity, when
from modelmuster.records import DeviceKind
from modelmuster.store import Reader
from modelmuster.views.hardware import Hardware, Versus, versus
from modelmuster.views.hardware import hardware as hardware_view
from modelmuster.views.narrowing import narrow
from modelmuster.views.performance import performance as performance_view
from modelmuster.views.trends import Measurements, Trends, measurements, trends

DAYS = (("", "all"), ("1", "the last day"), ("7", "the last week"), ("30", "the last month"))


def hardware(reader: Reader, run: str = "latest", a: str = "", b: str = "") -> Page:
    """What each target covers; and A against B, where both are given."""
    found = hardware_view(reader, run)
    labels = [card.column.label for card in found.cards]
    compared = versus(reader, run, a, b) if a and b else None
    blocks: list[Block] = [
        Heading("Targets", len(labels)),
        Table("targets", heads("target", "what ran", "devices that answered", *COUNTED), tuple(_cards(found)), "none"),
    ]
    if compared is not None:
        blocks += _versus(compared)
    blocks += [
        Heading("By family"),
        Table("families", heads("target", "family", *COUNTED), tuple(_families(found)), "none"),
    ]
    options = tuple((label, label) for label in ("", *labels))
    return Page(
        name="hardware",
        title="Hardware",
        question="What does each runtime cover, and A or B?",
        run_id=found.run_id,
        choices=(Choice("a", "A", options, a), Choice("b", "B", options, b)),
        blocks=tuple(blocks),
    )


def performance(
    reader: Reader, run: str = "latest", check: str = "", metric: str = "", names: Sequence[str] = ()
) -> Page:
    """Times and sizes of a run."""
    found = performance_view(reader, narrow(reader, run=run, names=names), check=check or None, metric=metric or None)
    columns = heads("target", "dtype", "scale", "weights", "device", "#cells", "#p10", "#median", "#p90")
    rows = tuple(
        (
            Code(one.target),
            one.dtype,
            one.scale,
            one.weights,
            one.device_name,
            number(one.n),
            quantity(one.p10, found.metric),
            quantity(one.median, found.metric),
            quantity(one.p90, found.metric),
        )
        for one in found.distributions
    )
    blocks: list[Block] = [
        note(
            "Only checks that passed, by real inference on real hardware. Mock inference yields no time, software that "
            "imitates a device enters no figure, and scales are never mixed."
        )
    ]
    if found.distributions and not found.speed:
        blocks.append(
            note(
                "All of it is of tiny models: it tells what the tests cost, and nothing about the speed of a model. "
                "For that: ",
                Code("muster run --scale default bert"),
            )
        )
    if found.points:
        blocks.append(charts.by_size(found))
    blocks.append(Table("columns", columns, rows, "nothing was measured on real hardware: muster run bert llama vit"))
    blocks += _timings(reader, found.run_id, names)
    return Page(
        name="performance",
        title="Performance",
        question="How fast and how large, with what certainty?",
        run_id=found.run_id,
        choices=(
            Choice("check", "Check", tuple((name, name) for name in found.checks), found.check or ""),
            Choice("metric", "Metric", tuple((name, SAYS.get(name, name)) for name in found.metrics), found.metric),
        ),
        blocks=tuple(blocks),
    )


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
    blocks.append(charts.levels(found.levels))
    blocks += _answers(found)
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


def _timings(reader: Reader, run_id: str, names: Sequence[str]) -> list[Block]:
    rows = tuple(
        (
            Link(one.model_type, of_model(run_id, one.model_type)),
            Code(f"{one.target} {one.dtype} {one.scale}"),
            "–" if one.batch is None else str(one.batch),
            milliseconds(one.median_ms),
            "–" if one.low_ms is None else f"{milliseconds(one.low_ms)} to {milliseconds(one.high_ms)}",
            f"{milliseconds(one.p10_ms)} to {milliseconds(one.p90_ms)}",
            milliseconds(one.first_ms),
            "–" if one.samples_per_s is None else f"{one.samples_per_s:.4g}",
            "–" if one.memory_bytes is None else quantity(one.memory_bytes, "memory_bytes"),
            number(one.repeats),
            ", ".join([*([one.thin] if one.thin else []), *one.flags]) or "none",
            Command(one.reproduce),
        )
        for one in timings(reader, run_id=run_id)
        if one.device_kind is DeviceKind.HARDWARE and (not names or one.model_type in names)
    )
    columns = heads(
        "architecture", "target", "#batch", "#median", "#95 % interval", "#p10 to p90", "#first call", "#samples/s",
        "#memory", "#passes", "doubts", "measure again",
    )  # fmt: skip
    return [
        Heading("Measured one cell at a time on an idle machine", len(rows)),
        Table("timings", columns, rows, "nothing in this run: muster measure bert"),
    ]


def _cards(found: Hardware) -> Iterable[tuple[Any, ...]]:
    for card in found.cards:
        column = card.column
        emulated = column.device_kind is DeviceKind.SOFTWARE_EMULATED
        ran = column.inference.label if column.inference else "nothing ran"
        devices = ", ".join(column.devices) + (" · software-emulated" if emulated else "")
        yield Code(column.label), ran, devices or "none", *counted(column.tally)


def _families(found: Hardware) -> Iterable[tuple[Any, ...]]:
    for card in found.cards:
        for family, tally in card.families.items():
            if tally.planned:
                yield Code(card.column.label), family.value, *counted(tally)


def _versus(found: Versus) -> list[Block]:
    def named(names: Sequence[str]) -> tuple[Piece, ...]:
        return spread((Link(name, of_model(found.run_id, name)) for name in names), 40) or ("none",)

    said: Note
    if found.ratio is None:
        said = note("Times are not compared: ", found.no_ratio, ".")
    else:
        ratio = found.ratio
        said = note(
            f"{found.b.label} takes {ratio.mean:.2f} times as long as {found.a.label}: the geometric mean over "
            f"{len(ratio.pairs)} checks timed on both, with 95 % confidence between {ratio.low:.2f} and "
            f"{ratio.high:.2f}."
        )
    groups: Mapping[str, Sequence[str]] = {
        "both pass": found.both,
        f"only {found.a.label}": found.only_a,
        f"only {found.b.label}": found.only_b,
        "neither": found.neither,
        "not decided on both": found.undecided,
    }
    rows = tuple((name, number(len(names)), named(names)) for name, names in groups.items())
    return [
        Heading(f"{found.a.label} against {found.b.label}"),
        Table("versus", heads("passes", "#architectures", "which"), rows, "none"),
        said,
    ]


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
