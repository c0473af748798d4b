"""What can be drawn, each from one view, with the counts behind it written on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from modelmuster.errors import UsageError
from modelmuster.pages.charts import COLOURS
from modelmuster.pages.words import number, percent
from modelmuster.records import Outcome
from modelmuster.views.gaps import coverage as coverage_view
from modelmuster.views.matrix import matrix
from modelmuster.views.narrowing import Narrowing
from modelmuster.views.palette import PAINTS
from modelmuster.views.performance import performance
from modelmuster.views.rates import ordered
from modelmuster.views.trends import trends

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from modelmuster.store import Reader

ROWS = 120
"""Architectures that a heat map shows one by one; with more, families stand for them."""

_BLANK = "#FFFFFF"


def heatmap(reader: Reader, narrowing: Narrowing) -> Figure:
    """Architecture by target; families by target, with pass rates, where there are too many."""
    found = matrix(reader, narrowing)
    rows = [row for group in found.families for row in group.rows]
    if len(rows) > ROWS:
        return _by_family(found)
    figure, axes = _sheet(2.5 + 0.9 * len(found.columns), 1.6 + 0.2 * len(rows))
    for place, row in enumerate(rows):
        for column, cell in enumerate(row.cells):
            if cell is None:
                continue
            paint = PAINTS[cell.outcome]
            colour = _BLANK if cell.mock else paint.background or _BLANK
            axes.barh(
                place, 1, left=column, height=1, color=colour, edgecolor="white", hatch="///" if cell.mock else None
            )
            letter = "~" if cell.mock else cell.outcome.letter
            ink = "#333333" if cell.mock else paint.text or "#6b6f75"
            axes.text(column + 0.5, place, letter, ha="center", va="center", fontsize=7, color=ink)
    axes.set_yticks(range(len(rows)), [_plain(row.model_type) for row in rows], fontsize=7)
    _columns(axes, [column.label for column in found.columns])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    figure.suptitle(f"run {_plain(found.run_id)}: {_plain(str(found.total))}", fontsize=7, wrap=True)
    return figure


def latency(reader: Reader, narrowing: Narrowing) -> Figure:
    """Times by target: median with the middle four fifths, each scale apart; real hardware only."""
    found = performance(reader, narrowing)
    if not found.distributions:
        raise UsageError(
            f"the run {found.run_id} has no time of a model that really ran on hardware",
            hint="type: muster run bert llama vit",
        )
    figure, axes = _sheet(7, 1.4 + 0.35 * len(found.distributions))
    labels = []
    for place, one in enumerate(found.distributions):
        axes.plot([one.p10, one.p90], [place, place], color=COLOURS[0], linewidth=3, alpha=0.5)
        axes.plot(one.median, place, marker="o", color=COLOURS[0])
        labels.append(f"{_plain(one.target)} {one.dtype} {one.scale} (n = {number(one.n)})")
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.set_xscale("log")
    axes.invert_yaxis()
    note = "" if found.speed else "; tiny models: what tests cost, not how fast models are"
    axes.set_xlabel(f"{_plain(found.check or '')}: ms, median and 10th to 90th percentile{note}", fontsize=8)
    axes.grid(axis="x", alpha=0.3)
    return figure


def trend(reader: Reader, _: Narrowing) -> Figure:
    """Planned, decided and passed results over the runs."""
    found = trends(reader).levels
    figure, axes = _sheet(max(6, 0.5 * len(found) + 2), 4)
    runs = [_plain(level.run_id) for level in found]
    for place, name in enumerate(("planned", "decided", "passed")):
        values = [getattr(level.tally, name) for level in found]
        axes.plot(runs, values, marker="osD"[place], color=COLOURS[place], label=name, drawstyle="steps-post")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("results, mock ones left out", fontsize=8)
    axes.tick_params(axis="x", labelrotation=60, labelsize=7)
    axes.legend(fontsize=8)
    axes.grid(axis="y", alpha=0.3)
    return figure


def coverage(reader: Reader, narrowing: Narrowing) -> Figure:
    """Outcomes by family as stacked bars, with pass rate and coverage written beside them."""
    found = coverage_view(reader, narrowing.run.run_id)
    figure, axes = _sheet(9, 1.6 + 0.35 * len(found.totals))
    drawn: set[Outcome] = set()
    for place, tally in enumerate(found.totals.values()):
        left = 0
        for outcome, count in ordered(tally.counts):
            label = None if outcome in drawn else f"{outcome.letter} {outcome.value}"
            drawn.add(outcome)
            axes.barh(place, count, left=left, color=_colour(outcome), edgecolor="#888888", linewidth=0.4, label=label)
            left += count
        said = f" {percent(tally.pass_rate)} of {number(tally.decided)}, coverage {percent(tally.coverage)}"
        axes.text(left, place, said, va="center", fontsize=7)
    axes.set_yticks(range(len(found.totals)), [family.value for family in found.totals], fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.45)
    axes.set_xlim(left=0)
    axes.set_xlabel(
        f"results of run {_plain(found.run_id)}; beside each bar: pass rate of decided ones, coverage", fontsize=8
    )
    axes.legend(fontsize=7, loc="lower right")
    return figure


KINDS: Mapping[str, Callable[[Reader, Narrowing], Figure]] = {
    "heatmap": heatmap,
    "latency": latency,
    "trend": trend,
    "coverage": coverage,
}
"""By the name that is typed."""


def _by_family(found: Any) -> Figure:
    figure, axes = _sheet(2.5 + 1.1 * len(found.columns), 1.6 + 0.35 * len(found.families))
    from matplotlib import colormaps

    shades = colormaps["cividis"]
    for place, group in enumerate(found.families):
        for column, tally in enumerate(group.tallies):
            rate = tally.pass_rate
            colour = _BLANK if rate is None else shades(rate)
            hatch = "///" if rate is None and tally.mock else None
            axes.barh(place, 1, left=column, height=1, color=colour, edgecolor="white", hatch=hatch)
            said = "–" if rate is None else f"{percent(rate)}\n{number(tally.passed)}/{number(tally.decided)}"
            ink = "white" if rate is not None and rate < 0.6 else "#222222"
            axes.text(column + 0.5, place, said, ha="center", va="center", fontsize=6, color=ink)
    axes.set_yticks(range(len(found.families)), [group.family.value for group in found.families], fontsize=8)
    _columns(axes, [column.label for column in found.columns])
    axes.set_ylim(len(found.families) - 0.5, -0.5)
    figure.suptitle(f"run {_plain(found.run_id)}: {_plain(str(found.total))}", fontsize=7, wrap=True)
    return figure


def _sheet(width: float, height: float) -> tuple[Figure, Any]:
    """An empty figure. Its text stays text in an SVG, and no window system is looked for."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _columns(axes: Any, labels: list[str]) -> None:
    axes.set_xticks(
        [place + 0.5 for place in range(len(labels))], map(_plain, labels), fontsize=7, rotation=60, ha="left"
    )
    axes.xaxis.tick_top()
    axes.set_xlim(0, len(labels))
    axes.tick_params(length=0)


def _colour(outcome: Outcome) -> str:
    return PAINTS[outcome].background or _BLANK


def _plain(text: str) -> str:
    """Text that is drawn as it stands: matplotlib would read what is between dollar signs as mathematics."""
    fonts_have = "".join(char if char.isprintable() and ord(char) < 0x2500 else "?" for char in text.replace("🔷 ", ""))
    return fonts_have.replace("$", r"\$")
