"""Badges in the format of shields.io's endpoint: how many passed of how many, in all and by family and target."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from modelmuster.views.rates import percent

if TYPE_CHECKING:
    from modelmuster.views.rates import Tally
    from modelmuster.views.summary import Summary

GREEN, YELLOW, RED, GREY = "brightgreen", "yellow", "red", "lightgrey"
ALMOST = 0.95
"""Pass rate from which a badge is yellow and no longer red."""


def render(summary: Summary) -> Iterator[tuple[str, bytes]]:
    """File names with their content. Mock results are no tests: a run of nothing else has grey badges."""
    yield "all.json", _badge("modelmuster", summary.total)
    for family, tally in summary.by_family.items():
        yield f"family-{family.value}.json", _badge(family.value, tally)
    for target, tally in summary.by_target.items():
        yield f"target-{_slug(target)}.json", _badge(target, tally)


def _badge(label: str, tally: Tally) -> bytes:
    rate = tally.pass_rate
    if rate is None:
        message, colour = "nothing tested", GREY
    else:
        message = f"{tally.passed} of {tally.decided} pass ({percent(rate)})"
        colour = GREEN if tally.passed == tally.decided else YELLOW if rate >= ALMOST else RED
    return msgspec.json.encode({"schemaVersion": 1, "label": label, "message": message, "color": colour})


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")
