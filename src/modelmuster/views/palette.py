"""Colours of outcomes, the same in the terminal, in reports and in charts.

Chosen for people with red-green colour blindness too: under simulated deuteranopia and protanopia the closest pair is
26 apart in CIE76 ΔE, where the usual green, red and orange come as close as 16. Letters always stand beside them.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelmuster.records import Outcome


@dataclass(frozen=True, slots=True)
class Paint:
    """Background and text, as CSS hex colours; None for the medium's own."""

    background: str | None
    text: str | None


_PASS = Paint("#8CCBEE", "#00263A")
_WRONG = Paint("#D55E00", "#000000")
_KILLED = Paint("#7A1E6C", "#FFFFFF")
_SLOW = Paint("#F0C94A", "#000000")
_NO_ANSWER = Paint("#EFEDEA", "#333333")
_BLANK = Paint(None, None)

PAINTS = {
    Outcome.PASS: _PASS,
    Outcome.FAIL: _WRONG,
    Outcome.ERROR: _WRONG,
    Outcome.CRASH: _KILLED,
    Outcome.OOM: _KILLED,
    Outcome.TIMEOUT: _SLOW,
    Outcome.UNSUPPORTED: _NO_ANSWER,
    Outcome.UNAVAILABLE: _NO_ANSWER,
    Outcome.NOT_APPLICABLE: _NO_ANSWER,
    Outcome.SKIPPED: _NO_ANSWER,
    Outcome.NOT_RUN: _BLANK,
}
"""By outcome."""
