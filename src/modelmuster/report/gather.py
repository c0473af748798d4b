"""From an open store to a report's data."""

from __future__ import annotations

from modelmuster import __version__
from modelmuster.plugins import questions
from modelmuster.report.assemble import assemble
from modelmuster.report.model import ReportData
from modelmuster.store import Reader
from modelmuster.views import runs
from modelmuster.views.whole import whole


def gather(reader: Reader, run: str = "latest") -> ReportData:
    """Everything that a report says about one run.

    Args:
        reader: An open store.
        run: Its id, an unambiguous beginning of it, or `latest`.

    Raises:
        UnknownName: there is no such run.
        UsageError: several begin so.
    """
    found = whole(reader, runs.find(reader, run))
    return assemble(
        found.plan,
        found.records,
        found.environment,
        version=__version__,
        questions=questions(check for cell in found.plan.cells for check in cell.checks),
        damages=[str(damage) for damage in found.damages],
    )
