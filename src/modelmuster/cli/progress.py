"""How a run shows itself: a live bar on a terminal, plain lines elsewhere; always on standard error."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, Self

from modelmuster.records import FINDINGS, CellRecord, Stage
from modelmuster.runs.counts import Counts

if TYPE_CHECKING:
    from types import TracebackType

    from modelmuster.contracts import Progress

_PLAIN_EVERY_S = 10.0


class Display(Protocol):
    """Told about each record and, a few times a second, about what is running."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def record(self, record: CellRecord) -> None:
        """A cell ended."""
        ...

    def progress(self, progress: Progress) -> None:
        """These cells are running now."""
        ...


def display(total: int, *, plain: bool) -> Display:
    """The live display on a terminal, the plain one elsewhere or when asked for."""
    from modelmuster.cli.console import err

    return PlainDisplay(total) if plain or not err().is_terminal else LiveDisplay(total)


class PlainDisplay:
    """A line for each finding, and a line every ten seconds."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0
        self.counts = Counts()
        self.started = self.said = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._say()

    def record(self, record: CellRecord) -> None:
        """Count it; a finding is said at once."""
        _say_findings(record)
        if not record.final:
            return
        self.done += 1
        self.counts.add(record)
        if time.monotonic() - self.said > _PLAIN_EVERY_S:
            self._say()

    def progress(self, progress: Progress) -> None:
        """Nothing: lines are said as cells end."""

    def _say(self) -> None:
        from modelmuster.cli.console import err

        self.said = time.monotonic()
        elapsed = self.said - self.started
        err().print(
            f"{self.done}/{self.total} cells in {elapsed:.0f} s: {self.counts}",
            markup=False,
            soft_wrap=True,
        )


class LiveDisplay:
    """A bar with the time left, the counts by outcome and the slowest running cells."""

    def __init__(self, total: int) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        from modelmuster.cli.console import err

        self.counts = Counts()
        self.bar = Progress(
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[counts]}", markup=False),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[slow]}", markup=False),
            console=err(),
        )
        self.task = self.bar.add_task("run", total=total, counts="", slow="")

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.update(self.task, slow="")
        self.bar.stop()

    def record(self, record: CellRecord) -> None:
        """Count it; findings scroll above the bar."""
        _say_findings(record)
        if record.final:
            self.counts.add(record)
            self.bar.update(self.task, advance=1, counts=str(self.counts))

    def progress(self, progress: Progress) -> None:
        """Show the three cells that have been running longest."""
        slowest = sorted(progress.running.items(), key=lambda item: -item[1])[:3]
        self.bar.update(
            self.task,
            slow=", ".join(f"{cell.split('|')[0]} {seconds:.0f} s" for cell, seconds in slowest if seconds > 1),
        )


def _say_findings(record: CellRecord) -> None:
    from modelmuster.cli.console import err

    again = "" if record.final else " (will be run again alone)"
    said: set[str] = set()
    for result in record.results:
        # One cause that stopped the whole cell is said once, not once for each check.
        if result.outcome not in FINDINGS or result.message in said:
            continue
        said.add(result.message)
        first_line = result.message.partition("\n")[0][:200]
        err().print(
            f"{result.outcome.letter} {record.cell.model_type} {record.cell.target} {result.check}: "
            f"{result.outcome.value} at {result.stage or Stage.BUILD}: {first_line}{again}",
            markup=False,
            soft_wrap=True,
        )
