"""The gate's verdict for a pull request: three counts, at most twenty changes, what differs in the machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmuster.history.changes import Kind
from modelmuster.report.markdown import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelmuster.history.changes import Change
    from modelmuster.history.gate import Verdict

SHOWN = 20
"""GitHub shows at most ten annotations of a step; a summary with more lines than these is not read."""

_ANNOTATION = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_ANNOTATION_TITLE = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def render(verdict: Verdict, run_id: str) -> str:
    """Markdown for `$GITHUB_STEP_SUMMARY` or a comment."""
    return "\n".join(_lines(verdict, run_id)) + "\n"


def workflow_commands(verdict: Verdict) -> str:
    """Workflow commands that make GitHub show each bad change beside the job."""
    found = [change for broken in verdict.broken for change in broken.changes][:SHOWN]
    lines = [
        f"::error title={f'{change.cell_id} {change.check}'.translate(_ANNOTATION_TITLE)}::"
        f"{f'{change.kind.value}: {change.message} ({change.reproduce})'.translate(_ANNOTATION)}"
        for change in found
    ]
    return "".join(f"{line}\n" for line in lines)


def _lines(verdict: Verdict, run_id: str) -> Iterator[str]:
    state = "closed ❌" if verdict.exit_code else "open ✅"
    yield f"### modelmuster: the gate is {state}"
    yield ""
    comparison = verdict.comparison
    if comparison is not None:
        failed = len(comparison.of(Kind.NEW_FAILURE, Kind.FIRST_FAILURE, Kind.OTHER_FAILURE))
        fixed = len(comparison.of(Kind.FIXED, Kind.ANSWERED))
        silent = len(comparison.of(Kind.UNANSWERED, Kind.GONE))
        yield f"❌ {failed} new failures · ✅ {fixed} fixed · ⚪ {silent} no longer answered"
        yield ""
        yield f"Compared with {text(comparison.old)}."
    yield f"🚀 {verdict.passed} of {verdict.decided} decided passed, {verdict.planned} were planned."
    yield ""
    if comparison is not None and (comparison.environment or comparison.unknown_environment):
        differing = "; ".join(map(text, comparison.environment)) or "one side does not tell its machine"
        yield f"⚠️ Different environments: {differing}"
        yield ""
    for broken in verdict.broken:
        lost = " (lost work)" if broken.infrastructure else ""
        yield f"- **{broken.rule}**: {broken.found:g} found, {broken.allowed:g} allowed{lost}"
    for stale in verdict.stale:
        yield f"- stale: {text(stale)}"
    changes = [change for broken in verdict.broken for change in broken.changes]
    if changes:
        yield ""
        yield "| change | cell | check | before | after | message |"
        yield "| --- | --- | --- | --- | --- | --- |"
        yield from map(_row, changes[:SHOWN])
        if len(changes) > SHOWN:
            yield ""
            yield f"and {len(changes) - SHOWN} more"
        yield ""
        yield f"Reproduce the first: `{changes[0].reproduce or f'muster results --run {run_id}'}`"


def _row(change: Change) -> str:
    before = change.before.value if change.before else "not asked"
    after = change.after.value if change.after else "not asked"
    message = change.message.partition("\n")[0][:160]
    return f"| {' | '.join(map(text, (change.kind.value, change.cell_id, change.check, before, after, message)))} |"
