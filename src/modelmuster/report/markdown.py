"""The short Markdown summary, for a pull request or a job's page: counts, a matrix of families, causes of findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelmuster.report.model import Column, FailureGroup, Realness, ReportData
    from modelmuster.views.rates import Tally

CAUSES = 20
"""Causes of findings written out, the most frequent first."""

_PLACES = 6
_MESSAGE_CHARS = 160
_SPECIAL = {ord(char): f"&#{ord(char)};" for char in "&<>|`*_[]\\@#!~"}
"""Characters that mean something to Markdown or HTML."""


def render(data: ReportData) -> str:
    """The summary, under a page for any number of architectures."""
    lines = [
        f"### modelmuster: run {text(data.run_id)}",
        "",
        f"- architectures: {data.answered} of {data.architectures} gave an answer"
        + (f", {len(data.unplanned)} could not be planned" if data.unplanned else ""),
        f"- cells: {data.cells}",
        f"- checks: {data.results}",
        _realness(data.realness),
        *_machine(data),
        *(f"- damaged and not used: {text(damage)}" for damage in data.damages),
        "",
        *_matrix(data),
        "",
        *_causes(data.failures),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _realness(real: Realness) -> str:
    return (
        f"- 🚀 really run on hardware: {real.hardware} of {real.total} planned cells; {real.emulated} emulated, "
        f"{real.unproven} stopped before a device answered, {real.nothing} without an answer"
    )


def _machine(data: ReportData) -> list[str]:
    machine = data.environment
    if machine is None:
        return []
    versions = [f"{package.name} {package.version}" for package in machine.packages if package.version]
    return [f"- {text(machine.cpu)}, Python {text(machine.python)}, {text(', '.join(versions))}"]


def _matrix(data: ReportData) -> list[str]:
    several_scales = len(data.scales) > 1
    headings = ["family", "rows", *(_heading(column, several_scales=several_scales) for column in data.columns)]
    lines = ["Passed of decided cells:", "", _line(headings), _line(["---", "--:", *["--:"] * len(data.columns)])]
    lines += [_line([group.family.value, str(len(group.rows)), *map(_share, group.tallies)]) for group in data.groups]
    rows = sum(len(group.rows) for group in data.groups)
    lines.append(_line(["**all**", str(rows), *(_share(target.tally) for target in data.targets)]))
    return lines


def _heading(column: Column, *, several_scales: bool) -> str:
    return text(" ".join([column.target, column.dtype, *([column.scale] if several_scales else [])]))


def _share(tally: Tally) -> str:
    if tally.decided:
        return f"{tally.passed}/{tally.decided}"
    return f"🔷 mock {tally.mock}" if tally.mock else "–"


def _causes(failures: Sequence[FailureGroup]) -> list[str]:
    if not failures:
        return ["No findings."]
    lines = [f"Findings by cause ({len(failures)}):", ""]
    for group in failures[:CAUSES]:
        said = text(_one_line(f"{group.title}: {group.message}" if _adds(group) else group.message or group.title))
        places = ", ".join(f"{text(place.row)} on {text(place.column.target)}" for place in group.places[:_PLACES])
        more = f" and {len(group.places) - _PLACES} more" if len(group.places) > _PLACES else ""
        kind = f"{group.outcome.letter} {group.outcome.value.replace('_', ' ')}"
        counted = f"×&nbsp;{len(group.places)}{', expected' if group.expected else ''}"
        lines.append(f"- **{kind}** {counted}: {said} — {places}{more}")
    if len(failures) > CAUSES:
        lines.append(f"- and {len(failures) - CAUSES} more causes")
    return lines


def _adds(group: FailureGroup) -> bool:
    """Whether the exception's type says something that the message does not begin with."""
    return bool(group.title) and not group.message.startswith(group.title)


def _one_line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _MESSAGE_CHARS else f"{flat[: _MESSAGE_CHARS - 1]}…"


def text(anything: str) -> str:
    """The text on one line, with nothing in it that Markdown or HTML would take for its own."""
    return " ".join(anything.split()).translate(_SPECIAL)


def _line(parts: Sequence[str]) -> str:
    return f"| {' | '.join(parts)} |"
