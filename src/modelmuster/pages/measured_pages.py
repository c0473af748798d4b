"""Hardware and performance: pages about targets side by side, and about numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from modelmuster.history.series import SAYS
from modelmuster.history.timings import timings
from modelmuster.pages import charts
from modelmuster.pages.blocks import (
    Block,
    Choice,
    Code,
    Command,
    Heading,
    Link,
    Note,
    Page,
    Piece,
    Table,
    heads,
    note,
    spread,
)
from modelmuster.pages.words import (
    COUNTED,
    counted,
    milliseconds,
    number,
    of_model,
    quantity,
)  # fmt: skip
from modelmuster.records import DeviceKind
from modelmuster.store import Reader
from modelmuster.views.hardware import Hardware, Versus, versus
from modelmuster.views.hardware import hardware as hardware_view
from modelmuster.views.narrowing import narrow
from modelmuster.views.performance import performance as performance_view


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
