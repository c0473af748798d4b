"""What the latest checks said of a model on each target: a fast wrong answer is worth nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from modelmuster.records import DECIDED, FINDINGS, Outcome
from modelmuster.store import Reader

TELLING = ("forward", "reference")
"""The checks that ask whether the numbers are right at all."""


class Verdict(StrEnum):
    """What is known of the numbers that a target gives."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "not checked"


@dataclass(frozen=True, slots=True)
class Verified:
    """The verdict on one target in one dtype."""

    verdict: Verdict
    run_id: str = ""
    message: str = ""
    """Of the finding."""


def verified(reader: Reader, model_type: str) -> dict[tuple[str, str], Verified]:
    """Verdicts by target and dtype, from the youngest answers of real inference; expected failures are failures."""
    rows = reader.rows(
        """
        SELECT target, dtype, outcome, message, run_id, check_name FROM results
        WHERE model_type = $model_type AND NOT mock AND device_name IS NOT NULL
            AND list_contains($telling, check_name) AND list_contains($decided, outcome)
        QUALIFY row_number() OVER (PARTITION BY target, dtype, check_name, model_class ORDER BY run_id DESC) = 1
        ORDER BY target, dtype, run_id, check_name
        """,
        model_type=model_type,
        telling=list(TELLING),
        decided=sorted(DECIDED),
    )
    found: dict[tuple[str, str], Verified] = {}
    for row in rows:
        key = row["target"], row["dtype"]
        if Outcome(row["outcome"]) in FINDINGS:
            said = f"{row['check_name']}: {row['outcome']}: {row['message']}"
            found[key] = Verified(Verdict.WRONG, row["run_id"], said)
        elif key not in found or found[key].verdict is not Verdict.WRONG:
            found[key] = Verified(Verdict.RIGHT, row["run_id"])
    return found
