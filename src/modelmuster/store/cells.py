"""From a row to the cell that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from modelmuster.records import Cell

IDENTITY = (
    "model_type",
    "model_class",
    "family",
    "target",
    "dtype",
    "scale",
    "seed",
    "checkpoint",
    "batch",
    "sequence",
    "attention",
)
"""The columns that `cell_of` needs."""


def cell_of(row: Mapping[str, Any]) -> Cell:
    """The cell, without its checks."""
    return msgspec.convert({name: row[name] for name in IDENTITY}, Cell)
