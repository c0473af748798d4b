"""Charts as Plotly's JSON, made without Plotly: colours told apart by the colour-blind, symbols, log axes for sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelmuster.history.series import SAYS
from modelmuster.pages.blocks import Chart
from modelmuster.views.performance import Performance
from modelmuster.views.trends import Level, Trend

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A1E6C", "#5b6066")
"""Okabe and Ito's, for lines and points; symbols tell them apart as well."""

SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "x", "star", "pentagon")


def by_size(found: Performance) -> Chart:
    """A metric against the number of parameters, a colour and a symbol for each target and scale."""
    groups: dict[str, list[Any]] = {}
    for point in found.points:
        groups.setdefault(f"{point.target} {point.dtype} {point.scale}", []).append(point)
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "x": [point.parameters for point in points],
            "y": [point.value for point in points],
            "text": [point.model_type for point in points],
            "marker": {"color": COLOURS[place % 8], "symbol": SYMBOLS[place % 8], "size": 7},
        }
        for place, (name, points) in enumerate(groups.items())
    ]
    layout = _layout("parameters", SAYS.get(found.metric, found.metric))
    layout["xaxis"]["type"] = layout["yaxis"]["type"] = "log"
    says = f"{found.check}: {SAYS.get(found.metric, found.metric)}, by parameters of the model; both axes logarithmic."
    return Chart("by-size", says, {"data": traces, "layout": layout})


def levels(found: Sequence[Level]) -> Chart:
    """Decided and passed results by run."""
    runs = [level.run_id for level in found]
    series = {
        "planned": [level.tally.planned for level in found],
        "decided": [level.tally.decided for level in found],
        "passed": [level.tally.passed for level in found],
    }
    # Bars within bars: runs of different sizes stand side by side without a line that leaps between them.
    paints = ("rgba(128,128,128,.3)", COLOURS[4], COLOURS[0])
    traces = [
        {"type": "bar", "name": name, "x": runs, "y": values, "marker": {"color": paint}}
        for (name, values), paint in zip(series.items(), paints, strict=True)
    ]
    layout = _layout("run", "results")
    layout["xaxis"]["type"] = "category"
    layout["barmode"] = "overlay"
    return Chart(
        "levels", "Results planned, decided and passed by run, mock ones left out.", {"data": traces, "layout": layout}
    )


def over_runs(found: Sequence[Trend], metric: str) -> Chart:
    """Series over runs; steps as the level between them, outliers as open symbols."""
    traces: list[Mapping[str, Any]] = []
    for place, trend in enumerate(found):
        series, judgement = trend.series, trend.judgement
        colour = COLOURS[place % 8]
        runs = [sample.run.run_id for sample in series.samples]
        open_symbol = f"{SYMBOLS[place % 8]}-open"
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": f"{series.model_type} {series.label}",
                "x": runs,
                "y": series.values,
                "marker": {
                    "color": colour,
                    "symbol": [
                        open_symbol if at in judgement.outliers else SYMBOLS[place % 8] for at in range(len(runs))
                    ],
                    "size": 8,
                },
            }
        )
        if judgement.steps:
            levels_at = [judgement.steps[0].before] * judgement.steps[0].at
            ends = [step.at for step in judgement.steps[1:]] + [len(runs)]
            for step, end in zip(judgement.steps, ends, strict=True):
                levels_at += [step.after] * (end - step.at)
            line = {"color": colour, "shape": "hv", "width": 1.5}
            traces.append(
                {"type": "scatter", "mode": "lines", "x": runs, "y": levels_at, "line": line, "showlegend": False}
            )
    layout = _layout("run", SAYS.get(metric, metric))
    layout["xaxis"]["type"] = "category"
    return Chart(
        "over-runs",
        "The series with the clearest steps, or the first ones; lines are levels between steps, open symbols outliers.",
        {"data": traces, "layout": layout},
    )


def _layout(x: str, y: str) -> dict[str, Any]:
    grid = {"gridcolor": "rgba(128,128,128,.25)", "zeroline": False, "automargin": True}
    return {
        "xaxis": {"title": {"text": x}, **grid},
        "yaxis": {"title": {"text": y}, **grid},
        "margin": {"l": 60, "r": 15, "t": 15, "b": 50},
        "height": 380,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "#80868d"},
        "legend": {"orientation": "h", "y": 1.15},
        "hovermode": "closest",
        "showlegend": True,
    }
