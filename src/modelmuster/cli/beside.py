"""Two targets side by side, for `muster compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmuster.cli import reading

if TYPE_CHECKING:
    from modelmuster.views.hardware import Versus
    from modelmuster.views.matrix import Column

_NAMED = 40
"""Architectures of a group that are written out."""


def are_targets(first: str, second: str) -> bool:
    """Whether these are columns of a matrix: a target's name, with a dtype behind it where there are several."""
    from modelmuster import plugins

    known = plugins.targets().names()
    return all(name.partition(" ")[0] in known for name in (first, second))


def compare(first: str, second: str, run: str, *, as_json: bool) -> None:
    """Say what either of the two can do that the other cannot, and how their times compare.

    Raises:
        UnknownName: there is no such run.
        UsageError: the run lacks one of the columns.
    """
    from modelmuster.cli.console import write_json
    from modelmuster.errors import UsageError
    from modelmuster.views.hardware import hardware, versus

    with reading.stored() as reader:
        found = versus(reader, run, first, second)
        columns = [card.column.label for card in hardware(reader, run).cards] if found is None else []
    if found is None:
        raise UsageError(
            f"the run has no results to compare of {first!r} and {second!r}", hint=f"it has: {', '.join(columns)}"
        )
    if as_json:
        write_json(found)
    else:
        _show(found)


def _show(found: Versus) -> None:
    from modelmuster.cli.console import out

    def say(text: str) -> None:
        out().print(reading.safe(text), soft_wrap=True)

    a, b = found.a.label, found.b.label
    say(f"run {found.run_id}: {_device(found.a)}; {_device(found.b)}")
    groups = {
        "both pass": found.both,
        f"only {a} passes": found.only_a,
        f"only {b} passes": found.only_b,
        "neither passes": found.neither,
        "not answered by both, so not compared": found.undecided,
    }
    for heading, names in groups.items():
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        say(f"{heading}: {len(names)}{': ' if names else ''}{', '.join(names[:_NAMED])}{more}")
    if found.ratio is None:
        say(f"times are not compared: {found.no_ratio}")
        return
    ratio = found.ratio
    say(
        f"{b} takes {ratio.mean:.2f} times as long as {a} ({ratio.low:.2f}–{ratio.high:.2f}), "
        f"the geometric mean over {len(ratio.pairs)} pairs"
    )
    for name, first_ms, second_ms in ratio.pairs:
        say(f"  {name}: {first_ms:.3g} and {second_ms:.3g} ms")


def _device(column: Column) -> str:
    return f"{column.label} on {', '.join(column.devices) or 'no device: nothing ran'}"
