"""The pages by name, and what each of them understands of an address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from modelmuster.errors import UsageError
from modelmuster.pages import history_page, measured_pages, model_pages, overview, plan_pages, run_pages
from modelmuster.pages.blocks import Page
from modelmuster.pages.notices import noticed
from modelmuster.store import Reader

Asked = Mapping[str, str]
"""The query of an address."""


@dataclass(frozen=True, slots=True)
class Route:
    """One page: its place in the navigation, and how it is made."""

    name: str
    title: str
    make: Callable[[Reader, Asked], Page]
    """Raises what the views raise: an unknown name is told with the nearest ones that exist."""
    listed: bool = True
    """Whether the navigation leads to it; others need to be told what of."""

    def page(self, reader: Reader, asked: Asked) -> Page:
        """The page, below what has to be known of its run first.

        Raises:
            MusterError: whatever keeps it from being made.
        """
        return noticed(reader, self.make(reader, asked))


def _run(asked: Asked) -> str:
    return asked.get("run") or "latest"


def _names(asked: Asked) -> list[str]:
    return asked.get("q", "").split()


def _need(asked: Asked, name: str) -> str:
    if not asked.get(name):
        raise UsageError(f"the address lacks {name}=…", hint="start at the matrix, and follow a link")
    return asked[name]


def _days(asked: Asked) -> float | None:
    text = asked.get("days", "")
    try:
        return float(text) if text else None
    except ValueError:
        raise UsageError(f"days={text} is no number", hint="such as days=7") from None


ROUTES = {
    route.name: route
    for route in (
        Route("overview", "Overview", lambda reader, asked: overview.overview(reader, _run(asked))),
        Route("coverage", "Coverage", lambda reader, asked: plan_pages.coverage(reader, _run(asked))),
        Route(
            "hardware",
            "Hardware",
            lambda reader, asked: measured_pages.hardware(reader, _run(asked), asked.get("a", ""), asked.get("b", "")),
        ),
        Route(
            "performance",
            "Performance",
            lambda reader, asked: measured_pages.performance(
                reader, _run(asked), asked.get("check", ""), asked.get("metric", ""), _names(asked)
            ),
        ),
        Route(
            "history",
            "History",
            lambda reader, asked: history_page.history(
                reader, asked.get("check", ""), asked.get("metric", ""), _names(asked), _days(asked)
            ),
        ),
        Route("runs", "Runs", lambda reader, _: run_pages.runs(reader)),
        Route("workers", "Workers", lambda reader, asked: run_pages.workers(reader, _run(asked))),
        Route("honesty", "Honesty", lambda reader, asked: plan_pages.honesty(reader, _run(asked))),
        Route("dependencies", "Packages", lambda reader, asked: plan_pages.dependencies(reader, _run(asked))),
        Route(
            "model",
            "Architecture",
            lambda reader, asked: model_pages.model(reader, _run(asked), _need(asked, "name")),
            listed=False,
        ),
        Route(
            "cell",
            "Cell",
            lambda reader, asked: model_pages.cell(reader, _run(asked), _need(asked, "id")),
            listed=False,
        ),
        Route(
            "compare",
            "Two runs",
            lambda reader, asked: overview.compare(reader, _need(asked, "old"), asked.get("new") or "latest"),
            listed=False,
        ),
    )
}
"""By name, in the order of the navigation."""
