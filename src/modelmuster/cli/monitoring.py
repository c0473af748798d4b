"""How `muster run` is watched from outside, where that is asked for: the options, and what they open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

if TYPE_CHECKING:
    from modelmuster.contracts import Progress
    from modelmuster.records import CellRecord, Plan

Metrics = Annotated[
    str | None,
    typer.Option(
        "--metrics",
        help="Answer Prometheus at this port of this machine while the run goes on.",
        metavar="[HOST:]PORT",
        envvar="MUSTER_METRICS",
    ),
]
Otlp = Annotated[
    str | None,
    typer.Option(
        "--otlp",
        help="Send metrics and a span for each cell to this OpenTelemetry collector.",
        metavar="URL",
        envvar="MUSTER_OTLP",
    ),
]


class Watcher(Protocol):
    """Told what the display of a run is told."""

    def record(self, record: CellRecord) -> None:
        """A cell ended."""
        ...

    def progress(self, progress: Progress) -> None:
        """These cells are running now."""
        ...


@dataclass(frozen=True, slots=True)
class Watchers:
    """Several as one."""

    each: Sequence[Watcher]

    def record(self, record: CellRecord) -> None:
        """A cell ended."""
        for watcher in self.each:
            watcher.record(record)

    def progress(self, progress: Progress) -> None:
        """These cells are running now."""
        for watcher in self.each:
            watcher.progress(progress)


@contextmanager
def watching(plan: Plan, metrics: str | None, otlp: str | None) -> Iterator[Watchers]:
    """Those who watch the run of a plan, as long as the block lasts; nobody unless asked for.

    Raises:
        MissingDependency: a package of the extra `monitoring` is not installed.
        UsageError: an address that cannot be read or listened on.
    """
    from modelmuster.cli.console import err

    watchers: list[Watcher] = []
    with ExitStack() as stack:
        if metrics is not None:
            from modelmuster.monitoring.metrics import Watch
            from modelmuster.monitoring.prometheus import PrometheusMeter

            meter = PrometheusMeter(metrics)
            watchers.append(stack.enter_context(Watch(plan, meter)))
            err().print(f"metrics: {meter.url}", markup=False, soft_wrap=True)
        if otlp is not None:
            from modelmuster.monitoring.metrics import Watch
            from modelmuster.monitoring.telemetry import OtlpMeter, Spans

            watchers.append(stack.enter_context(Watch(plan, OtlpMeter(otlp, plan))))
            watchers.append(stack.enter_context(Spans(otlp, plan)))
        yield Watchers(watchers)
