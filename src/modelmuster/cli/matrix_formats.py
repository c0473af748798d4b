"""The matrix as a JSON document, a Markdown table and CSV lines."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any, TextIO

from modelmuster.cli.reading import visible

if TYPE_CHECKING:
    from modelmuster.views.matrix import Column, Matrix, MatrixCell
    from modelmuster.views.rates import Tally

_SPECIAL = {ord(char): f"&#{ord(char)};" for char in "&<>|`*_[]\\@#!~"}
"""Characters that mean something to Markdown or HTML."""


def mark(cell: MatrixCell) -> str:
    """The letter of a cell, with how many of its results it stands for where that is not all."""
    count = cell.counts[cell.outcome]
    words = [cell.outcome.letter, str(count) if count == cell.results else f"{count}/{cell.results}"]
    if cell.mock:
        words.insert(0, "🔷")
    if cell.flaky:
        words.append("F")
    if cell.expected:
        words.append("expected")
    return " ".join(words)


def document(found: Matrix) -> dict[str, Any]:
    """Everything in the matrix, for `--json`; every rate beside its counts."""
    return {
        "run_id": found.run_id,
        "columns": [_column(column) for column in found.columns],
        "families": [
            {
                "family": group.family,
                "architectures": [
                    {"model_type": row.model_type, "cells": [cell and _cell(cell) for cell in row.cells]}
                    for row in group.rows
                ],
                "counts_by_column": [_tally(tally) for tally in group.tallies],
                "counts": _tally(group.total),
            }
            for group in found.families
        ],
        "counts": _tally(found.total),
        "unplanned": found.unplanned,
    }


def markdown(found: Matrix, *, every: bool) -> str:
    """A table of counts by family, then one of the architectures of which not everything passed (or of all).

    Args:
        found: The matrix.
        every: Whether to name architectures of which everything passed too.
    """
    from modelmuster.views.rates import ordered

    labels = [
        f"{_text(column.label)} {column.inference.label}" if column.inference else _text(column.label)
        for column in found.columns
    ]
    lines = [f"Run {_text(found.run_id)}: {found.total}", ""]
    lines += _header(["family", "architectures", *labels])
    for group in found.families:
        counts = [
            " ".join(
                [f"{outcome.letter}&nbsp;{count}" for outcome, count in ordered(tally.counts)]
                + ([f"🔷&nbsp;{tally.mock}"] if tally.mock else [])
            )
            for tally in group.tallies
        ]
        lines.append(_line([group.family.value, str(len(group.rows)), *counts]))
    rows = [row for group in found.families for row in group.rows if every or not row.quiet]
    if rows:
        lines += ["", *_header(["architecture", "family", *labels])]
        for row in rows:
            marks = [mark(cell).replace(" ", "&nbsp;") if cell else "" for cell in row.cells]
            lines.append(_line([_text(row.model_type), row.family.value, *marks]))
    if found.unplanned:
        lines += ["", f"Cannot be planned: {', '.join(_text(name) for name in found.unplanned)}"]
    return "\n".join(lines) + "\n"


def write_csv(found: Matrix, file: TextIO) -> None:
    """One line per architecture and column that was planned."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(
        (
            "run_id",
            "family",
            "model_type",
            "target",
            "dtype",
            "scale",
            "inference",
            "outcome",
            "results",
            "check",
            "message",
        )
    )
    for group in found.families:
        for row in group.rows:
            for column, cell in zip(found.columns, row.cells, strict=True):
                if cell is not None:
                    writer.writerow(
                        (
                            found.run_id,
                            row.family.value,
                            row.model_type,
                            column.target,
                            column.dtype,
                            column.scale,
                            column.inference.value if column.inference else "",
                            cell.outcome.value,
                            cell.results,
                            cell.check,
                            cell.message,
                        )
                    )


def _column(column: Column) -> dict[str, Any]:
    return {
        "target": column.target,
        "dtype": column.dtype,
        "scale": column.scale,
        "inference": column.inference,
        "device_kind": column.device_kind,
        "devices": column.devices,
        "fallbacks": column.fallbacks,
        "counts": _tally(column.tally),
    }


def _cell(cell: MatrixCell) -> dict[str, Any]:
    return {
        "outcome": cell.outcome,
        "letter": cell.outcome.letter,
        "counts": cell.counts,
        "mock": cell.mock,
        "expected": cell.expected,
        "flaky": cell.flaky,
        "cell_id": cell.cell_id,
        "check": cell.check,
        "message": cell.message,
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


def _text(text: str) -> str:
    return visible(text).translate(_SPECIAL)


def _header(headings: list[str]) -> list[str]:
    return [_line(headings), _line(["---"] * len(headings))]


def _line(parts: list[str]) -> str:
    return f"| {' | '.join(parts)} |"
