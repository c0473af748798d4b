"""The one rule about lost workers: a cell gets so many further attempts, then it is taken to be the cause."""

from __future__ import annotations

import msgspec

from modelmuster.records import CellRecord, Outcome

LOST_RETRIES = 2


def quarantined(last: CellRecord, how: str) -> CellRecord:
    """The deciding record of a cell whose worker was lost on every attempt: a crash, with that story.

    Args:
        last: the record of the last attempt.
        how: what was done to spare the neighbours.
    """
    message = f"its worker was lost {LOST_RETRIES + 1} times, each time while this cell ran, {how}"
    return msgspec.structs.replace(
        last,
        attempt=last.attempt + 1,
        lost=False,
        results=tuple(
            msgspec.structs.replace(result, outcome=Outcome.CRASH, message=message)
            if result.outcome is Outcome.NOT_RUN
            else result
            for result in last.results
        ),
    )
