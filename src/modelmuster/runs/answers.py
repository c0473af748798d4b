"""Cells that cannot run here at all: answered with the reason, without a process."""

from __future__ import annotations

from datetime import UTC, datetime

from modelmuster import plugins
from modelmuster.contracts import Job, Probe
from modelmuster.records import CellRecord, Outcome
from modelmuster.runs import verdict
from modelmuster.runs.plan import NO_CLASS


def without_process(job: Job, probe: Probe | None) -> CellRecord | None:
    """The record of a cell that needs no process; None for one that does.

    Args:
        job: The cell.
        probe: What its target found on this machine, where that was looked up.
    """
    if job.cell.model_class == NO_CLASS:
        outcome, message = Outcome.NOT_APPLICABLE, _why_no_class(job.cell.model_type)
    elif probe is not None and not probe.available:
        outcome, message = Outcome.UNAVAILABLE, probe.reason
        message += f"; {probe.remedy}" if probe.remedy else ""
    else:
        return None
    return verdict.unrun(
        job,
        plugins.targets().get(job.cell.target).inference,
        outcome,
        message,
        worker="",
        started_at=datetime.now(UTC).isoformat(),
    )


def _why_no_class(model_type: str) -> str:
    from modelmuster import catalog

    return catalog.load().get(model_type).note or "the installed transformers has no model class for this type"
