"""The report as one JSON document, with everything in full: for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from modelmuster.report.model import Column, FailureGroup, Gap, Place, ReportCell, ReportData
    from modelmuster.views.rates import Tally

DOCUMENT_FORMAT = 1
"""Raised when a reader of the old format would be misled."""


def render(data: ReportData) -> bytes:
    """The document, indented, with a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(document(data)), indent=2) + b"\n"


def document(data: ReportData) -> dict[str, Any]:
    """What the HTML report shows, uncut; every rate beside its counts."""
    return {
        "format": DOCUMENT_FORMAT,
        "run_id": data.run_id,
        "created_at": data.created_at,
        "command": data.command,
        "modelmuster": data.version,
        "environment": data.environment,
        "architectures": {"selected": data.architectures, "answered": data.answered, "unplanned": data.unplanned},
        "cells": _tally(data.cells),
        "results": _tally(data.results),
        "really_run": data.realness,
        "targets": [
            {
                **_column(target.column),
                "devices": target.devices,
                "emulated": target.emulated,
                "cells": _tally(target.tally),
            }
            for target in data.targets
        ],
        "checks": [
            {"check": check.check, "question": check.question, "results": _tally(check.tally)} for check in data.checks
        ],
        "findings": [_failure(group) for group in data.failures],
        "without_answer": [_gap(gap) for gap in data.gaps],
        "damages": data.damages,
        "matrix": [
            {
                "family": group.family,
                "model_type": row.model_type,
                "row": row.key,
                "cells": [_cell(cell) for cell in row.cells if cell],
            }
            for group in data.groups
            for row in group.rows
        ],
    }


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "outcomes": tally.counts,
        "planned": tally.planned,
        "decided": tally.decided,
        "passed": tally.passed,
        "pass_rate": tally.pass_rate,
        "coverage": tally.coverage,
        "mock": tally.mock,
        "expected": tally.expected,
        "flaky": tally.flaky,
    }


def _column(column: Column) -> dict[str, str]:
    return {"target": column.target, "dtype": column.dtype, "scale": column.scale}


def _place(place: Place) -> dict[str, str]:
    return {"row": place.row, **_column(place.column)}


def _failure(group: FailureGroup) -> dict[str, Any]:
    return {
        "fingerprint": group.fingerprint,
        "outcome": group.outcome,
        "error_type": group.title or None,
        "message": group.message,
        "checks": group.checks,
        "stages": group.stages,
        "expected": group.expected,
        "reproduce": group.reproduce,
        "cells": [_place(place) for place in group.places],
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "outcome": gap.outcome,
        "reason": gap.reason,
        "checks": gap.checks,
        "targets": gap.targets,
        "results": gap.results,
        "cells": [_place(place) for place in gap.places],
    }


def _cell(cell: ReportCell) -> dict[str, Any]:
    return {
        "cell": cell.cell,
        "cell_id": cell.cell.id,
        "outcome": cell.outcome,
        "mock": cell.mock,
        "emulated": cell.emulated,
        "expected": cell.expected,
        "flaky": cell.flaky,
        "reproduce": cell.reproduce,
        "results": cell.results,
        "attempts": cell.attempts,
    }
