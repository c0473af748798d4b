"""What changed between two runs, seen from afar: marks of the matrix that got worse or better."""

from __future__ import annotations

from dataclasses import dataclass

from modelmuster.records import FINDINGS, Outcome
from modelmuster.store import Reader
from modelmuster.views.rates import severity
from modelmuster.views.runs import Run


@dataclass(frozen=True, slots=True)
class Turn:
    """One mark that is another than it was. Mock marks are never among them."""

    model_type: str
    target: str
    dtype: str
    scale: str
    before: Outcome | None
    """None where it was not planned; so is `after`."""
    after: Outcome | None
    cell_id: str
    message: str

    @property
    def direction(self) -> str:
        """`worse`, `better`, `new` or `gone`; `other` where a failure became another failure, or one gap another."""
        if self.before is None or self.after is None:
            return "new" if self.before is None else "gone"
        was, now = self.before in FINDINGS, self.after in FINDINGS
        if now and not was:
            return "worse"
        if self.after is Outcome.PASS:
            return "better"
        return "worse" if self.before is Outcome.PASS else "other"


def turns(reader: Reader, old: Run, new: Run) -> list[Turn]:
    """The marks that differ, those that got worse first."""
    columns = "model_type, target, dtype, scale"
    rows = reader.rows(
        f"""
        WITH worst AS (
            SELECT run, {columns}, arg_max(outcome, rank) AS outcome, arg_max(cell_id, rank) AS cell_id,
                arg_max(message, rank) AS message
            FROM marks JOIN (SELECT unnest($outcomes) AS outcome, unnest($ranks) AS rank) USING (outcome)
            WHERE run IN ($old, $new) AND NOT mock
            GROUP BY run, {columns}
        )
        SELECT {columns}, before.outcome AS before, after.outcome AS after,
            coalesce(after.cell_id, before.cell_id) AS cell_id, coalesce(after.message, '') AS message
        FROM (FROM worst WHERE run = $old) AS before
        FULL JOIN (FROM worst WHERE run = $new) AS after USING ({columns})
        WHERE before.outcome IS DISTINCT FROM after.outcome
        ORDER BY {columns}
        """,  # noqa: S608 - a constant
        old=old.key,
        new=new.key,
        outcomes=list(Outcome),
        ranks=[severity(outcome) for outcome in Outcome],
    )
    found = [
        Turn(
            **{
                **row,
                "before": Outcome(row["before"]) if row["before"] else None,
                "after": Outcome(row["after"]) if row["after"] else None,
            }
        )
        for row in rows
    ]
    order = ("worse", "better", "other", "new", "gone")
    return sorted(found, key=lambda turn: order.index(turn.direction))
