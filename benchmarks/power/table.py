"""The benchmark's tables as lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from benchmarks.power.run import Measured, Verdict


def lines(measured: Measured) -> Iterator[str]:
    """Everything that the command prints."""
    real = [verdict for verdict in measured.verdicts if verdict.changed and not verdict.breaks]
    yield from _odd("changes nothing that the probes see", [v for v in measured.verdicts if not v.changed])
    yield from _odd("does not even run", [v for v in measured.verdicts if v.breaks])
    groups = {
        "that a property can see": [verdict for verdict in real if verdict.fault.seen_by == "property"],
        "that only remembered outputs can tell": [verdict for verdict in real if verdict.fault.seen_by == "golden"],
    }
    for title, group in groups.items():
        if not group:
            continue
        yield ""
        yield f"Faults {title}: {_rate(group)}"
        yield from _by("family", group, lambda verdict: verdict.family.value)
        yield from _by("kind", group, lambda verdict: verdict.fault.kind)
        yield from _by("list", group, lambda verdict: verdict.fault.list)
        yield from _missed(group)
    yield ""
    yield "Caught by check (a fault may be caught by several; `alone` counts those that no other check catches):"
    total = Counter(name for verdict in real for name in verdict.caught)
    alone = Counter(verdict.caught[0] for verdict in real if len(verdict.caught) == 1)
    for name, count in total.most_common():
        yield f"  {name:28} {count:4} {alone[name] or '':>4}"
    yield ""
    yield f"Alarms at {measured.healthy} healthy architectures: {len(measured.alarms)}"
    for alarm in measured.alarms:
        yield f"  {alarm.record.cell.model_type} {alarm.result.check}: {alarm.result.outcome}: {alarm.result.message}"


def exit_code(measured: Measured) -> int:
    """1 when a healthy model alarms, or a fault is none."""
    return 1 if measured.alarms or any(not v.changed or v.breaks for v in measured.verdicts) else 0


def _rate(group: Sequence[Verdict]) -> str:
    caught = sum(bool(verdict.caught) for verdict in group)
    return f"{caught} of {len(group)} caught ({caught / len(group):.1%})"


def _by(heading: str, group: Sequence[Verdict], key: Callable[[Verdict], str]) -> Iterator[str]:
    yield f"  by {heading}:"
    for name in sorted({key(verdict) for verdict in group}):
        yield f"    {name:26} {_rate([verdict for verdict in group if key(verdict) == name])}"


def _missed(group: Iterable[Verdict]) -> Iterator[str]:
    missed = [verdict for verdict in group if not verdict.caught]
    if missed:
        yield "  missed:"
    for verdict in missed:
        yield f"    {verdict.fault.name:44} {verdict.fault.kind}; it changes {', '.join(verdict.changed)}"


def _odd(title: str, group: Sequence[Verdict]) -> Iterator[str]:
    for verdict in group:
        yield f"no fault: {verdict.fault.name} {title} {verdict.breaks}".rstrip()
