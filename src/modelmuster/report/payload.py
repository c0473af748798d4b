"""The details of every cell as one compressed JSON text, small enough that the whole library fits one HTML file.

Long texts (messages, tracebacks, logs) and recipes are kept once each and referred to by number. The JSON is deflated
and base64-coded: the browser unpacks it with `DecompressionStream`, and no text of a model can end the script element
that holds it.
"""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from modelmuster.records import CellRecord, Evidence, Outcome, Recipe, Result
from modelmuster.report.model import ReportCell, ReportData


@dataclass(frozen=True, slots=True)
class Detail:
    """How much of each cell the file keeps."""

    log_chars: int
    traceback_chars: int
    figures: Literal["all", "main", "none"] = "all"
    """Of passed checks: all, without those of single outputs (`logits.max_abs`), or none. Others keep theirs."""


DETAILS = (
    Detail(4000, 6000),
    Detail(1200, 2500),
    Detail(500, 1500, "main"),
    Detail(200, 1000, "main"),
    Detail(0, 800, "main"),
    Detail(0, 400, "none"),
)
"""From generous to sparse; the first that fits the size limit is taken."""

_DIGITS = 3
"""Significant digits of a figure; the JSON format has all of them."""


@dataclass(slots=True)
class _Pool:
    """Texts kept once each."""

    texts: list[str] = field(default_factory=list)
    index: dict[str, int] = field(default_factory=dict)

    def add(self, text: str) -> int | None:
        """The number of the text; None for an empty one."""
        if not text:
            return None
        if text not in self.index:
            self.index[text] = len(self.texts)
            self.texts.append(text)
        return self.index[text]


def pack(data: ReportData, detail: Detail) -> str:
    """All cells, compressed, as base64 text."""
    raw = msgspec.json.encode(details(data, detail))
    return base64.b64encode(zlib.compress(raw, 9)).decode("ascii")


def details(data: ReportData, detail: Detail) -> dict[str, Any]:
    """All cells by row and column, with the pools that they refer to; what `report.js` reads."""
    pool = _Pool()
    recipes: dict[str, int] = {}
    recipe_list: list[dict[str, Any]] = []

    def recipe_number(recipe: Recipe | None) -> int | None:
        if recipe is None:
            return None
        packed = _recipe(recipe)
        mark = recipe.hash or msgspec.json.encode(packed).decode()
        if mark not in recipes:
            recipes[mark] = len(recipe_list)
            recipe_list.append(packed)
        return recipes[mark]

    rows = [
        [
            _cell(cell, pool, detail, recipe_number(cell.record.recipe if cell.record else None)) if cell else None
            for cell in row.cells
        ]
        for row in data.rows
    ]
    return {
        "run": data.run_id,
        "outcomes": {outcome.value: outcome.letter for outcome in Outcome},
        "columns": [{"target": c.target, "dtype": c.dtype, "scale": c.scale} for c in data.columns],
        "checks": {check.check: check.question for check in data.checks},
        "rows": rows,
        "recipes": recipe_list,
        "texts": pool.texts,
    }


def _cell(cell: ReportCell, pool: _Pool, detail: Detail, recipe: int | None) -> dict[str, Any]:
    record = cell.record
    return _sparse(
        {
            "class": cell.cell.model_class,
            "outcome": cell.outcome.value,
            "results": [_result(result, pool, detail) for result in cell.results],
            "reproduce": cell.reproduce,
            "checkpoint": cell.cell.checkpoint,
            "seed": cell.cell.seed,
            "mock": cell.mock,
            "recipe": recipe,
            **(_run(record, pool, detail) if record else {}),
            "attempts": [_attempt(attempt) for attempt in cell.attempts] if len(cell.attempts) > 1 else None,
        }
    )


def _run(record: CellRecord, pool: _Pool, detail: Detail) -> dict[str, Any]:
    cost = record.measurement
    return {
        "started": record.started_at,
        "worker": record.worker,
        "weights": record.provenance.weights.value,
        "device": record.provenance.device,
        "evidence": _evidence(record.provenance.evidence),
        "ms": _short(cost.duration_ms),
        "cpu_ms": _short(cost.cpu_ms),
        "mib": _short(cost.peak_rss_bytes / 2**20) if cost.peak_rss_bytes is not None else None,
        "stages": {stage: _short(spent) for stage, spent in record.stages_ms.items()},
        "log": pool.add(_tail(record.log_tail, detail.log_chars)),
    }


def _attempt(record: CellRecord) -> dict[str, Any]:
    return {
        "attempt": record.attempt,
        "final": record.final,
        "lost": record.lost,
        "worker": record.worker,
        "outcomes": {result.check: result.outcome.value for result in record.results},
    }


def _result(result: Result, pool: _Pool, detail: Detail) -> dict[str, Any]:
    kept = "all" if result.outcome is not Outcome.PASS else detail.figures
    error = result.error
    return _sparse(
        {
            "check": result.check,
            "outcome": result.outcome.value,
            "stage": result.stage.value if result.stage else None,
            "message": pool.add(result.message) if kept != "none" else None,
            "figures": _figures(result.figures, kept),
            "error": _sparse(
                {
                    "type": error.type,
                    "message": pool.add(error.message if error.message != result.message else ""),
                    "traceback": pool.add(_tail(error.traceback, detail.traceback_chars)),
                    "fingerprint": error.fingerprint,
                }
            )
            if error
            else None,
            "ms": _short(result.measurement.duration_ms),
            "expected": pool.add(result.expected or ""),
            "flaky": result.flaky,
        }
    )


def _figures(figures: Mapping[str, Any], kept: str) -> dict[str, Any]:
    if kept == "none":
        return {}
    return {name: _short(value) for name, value in figures.items() if kept == "all" or "." not in name}


def _evidence(evidence: Evidence | None) -> dict[str, Any] | None:
    if evidence is None:
        return None
    return _sparse(
        {
            "device": evidence.device_name,
            "kind": evidence.device_kind.value,
            "precision": evidence.precision,
            "route": evidence.route,
            "nodes_total": evidence.nodes_total,
            "nodes_on_target": evidence.nodes_on_target,
            "fallbacks": list(evidence.fallbacks),
            "counts": evidence.counts,
        }
    )


def _recipe(recipe: Recipe) -> dict[str, Any]:
    return {
        "layout": recipe.layout,
        "modalities": [modality.value for modality in recipe.modalities],
        "parameters": recipe.parameters,
        "inputs": [[spec.name, list(spec.shape), spec.dtype] for spec in recipe.inputs],
        "config": recipe.config,
        "applied": [[item.rule, item.field, item.before, item.after, item.reason] for item in recipe.applied],
        "versions": recipe.versions,
        "hash": recipe.hash,
    }


def _sparse(fields: dict[str, Any]) -> dict[str, Any]:
    """Without what is absent, empty or false; zero stays."""
    return {
        name: value for name, value in fields.items() if not (value is None or value is False or value in ("", [], {}))
    }


def _short(value: Any) -> Any:
    """Floats to a few significant digits; non-finite ones as text, since JSON has no word for them."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else str(value)


def _tail(text: str, limit: int) -> str:
    """The end of a text, where the cause stands, with a note of what was cut."""
    if len(text) <= limit:
        return text
    if not limit:
        return ""
    kept = text[-limit:]
    _, newline, whole_lines = kept.partition("\n")
    kept = whole_lines if newline and whole_lines else kept
    return f"… {len(text) - len(kept)} characters cut …\n{kept}"
