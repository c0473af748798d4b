"""From what a child process told, and how it ended, to the record of its cell."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from modelmuster.contracts import Job
from modelmuster.records import (
    HELD,
    CellError,
    CellRecord,
    Evidence,
    Inference,
    Measurement,
    Outcome,
    Provenance,
    Recipe,
    Result,
    Scale,
    Stage,
    Weights,
)
from modelmuster.runs.messages import (
    CellDone,
    CellStopped,
    CheckDone,
    CheckStarted,
    EvidenceRead,
    Message,
    RecipeMade,
    StageEntered,
    TargetLost,
)


@dataclass(slots=True)
class Account:
    """What a child has told so far."""

    results: dict[str, Result] = field(default_factory=dict)
    asked: bool = False
    """Whether any check has begun."""
    check: str | None = None
    """The check that is being answered."""
    stage: Stage | None = None
    stage_began_ms: float = 0.0
    stages_ms: dict[str, float] = field(default_factory=dict)
    recipe: Recipe | None = None
    evidence: Evidence | None = None
    stopped: CellStopped | None = None
    lost: TargetLost | None = None
    done: CellDone | None = None

    def take(self, message: Message) -> None:
        """Add one message."""
        match message:
            case StageEntered(stage, at_ms):
                self.leave_stage(at_ms)
                self.stage, self.stage_began_ms = stage, at_ms
            case RecipeMade(recipe):
                self.recipe = recipe
            case EvidenceRead(evidence):
                self.evidence = evidence
            case CheckStarted(check):
                self.asked, self.check = True, check
            case CheckDone(result):
                self.results[result.check] = result
                self.check = None
            case CellStopped():
                self.stopped = message
            case TargetLost():
                self.lost = message
            case CellDone(at_ms):
                self.leave_stage(at_ms)
                self.done = message

    def leave_stage(self, at_ms: float) -> None:
        """The current stage, if there is one, has lasted until now."""
        if self.stage is not None:
            spent = max(0.0, at_ms - self.stage_began_ms)
            self.stages_ms[self.stage.value] = self.stages_ms.get(self.stage.value, 0.0) + spent


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a child ended before it had told everything."""

    outcome: Outcome
    message: str
    error: CellError | None = None
    lost: bool = False
    """The worker was lost, through no fault of the cell."""


def results(checks: tuple[str, ...], account: Account, ending: Ending | None) -> tuple[Result, ...]:
    """One result per check, in the cell's order; those already told stand, whatever happened afterwards."""
    open_checks = [name for name in checks if name not in account.results]
    if account.lost is not None:
        message = f"the target was lost while this cell ran: {account.lost.reason}"
        stopped = Result(check="", outcome=Outcome.NOT_RUN, message=message)
        blamed = set(open_checks)
    elif account.stopped is not None:
        stop = account.stopped
        stopped = Result(check="", outcome=stop.outcome, stage=stop.stage, message=stop.message, error=stop.error)
        blamed = set(open_checks)
    elif ending is not None:
        stage = account.stage or Stage.BUILD
        stopped = Result(check="", outcome=ending.outcome, stage=stage, message=ending.message, error=ending.error)
        # What stops a cell before its first check stops them all; later, only the check that was being answered.
        blamed = {account.check or next(iter(open_checks), "")} if account.asked else set(open_checks)
    else:
        stopped = Result(check="", outcome=Outcome.NOT_RUN, message="the cell ended without an answer to this check")
        blamed = set(open_checks)
    rows = []
    for name in checks:
        if name in account.results:
            rows.append(account.results[name])
        elif name in blamed:
            rows.append(_renamed(stopped, name))
        else:
            message = f"not reached: {stopped.outcome.value} in the check before: {stopped.message}"
            rows.append(Result(check=name, outcome=Outcome.NOT_RUN, message=message))
    return tuple(rows)


def record(
    job: Job,
    inference: Inference,
    account: Account,
    ending: Ending | None,
    *,
    worker: str,
    started_at: str,
    measurement: Measurement,
    log_tail: str,
) -> CellRecord:
    """The record of one attempt at one cell."""
    lost = account.lost is not None or (ending is not None and ending.lost)
    return CellRecord(
        run_id=job.run_id,
        cell=job.cell,
        attempt=job.attempt,
        final=True,
        worker=worker,
        started_at=started_at,
        results=results(job.cell.checks, account, ending),
        provenance=provenance(job, inference, account.evidence),
        measurement=measurement,
        stages_ms={name: round(spent, 3) for name, spent in account.stages_ms.items()},
        recipe=account.recipe,
        log_tail=log_tail,
        lost=lost,
    )


def unproved(result: Result) -> Result:
    """A result of mock inference as it may be kept: what held of a function is no pass, see design/0005."""
    if result.outcome is not Outcome.PASS:
        return result
    message = f"no model ran, so nothing is proved of one; {result.message}".rstrip("; ")
    return msgspec.structs.replace(
        result, outcome=Outcome.NOT_RUN, message=message, figures={**result.figures, HELD: True}
    )


def unrun(
    job: Job, inference: Inference, outcome: Outcome, message: str, *, worker: str, started_at: str
) -> CellRecord:
    """The record of a cell for which no process was started; every check gets this outcome."""
    account = Account()
    for name in job.cell.checks:
        account.results[name] = Result(check=name, outcome=outcome, message=message)
    return record(
        job,
        inference,
        account,
        None,
        worker=worker,
        started_at=started_at,
        measurement=Measurement(),
        log_tail="",
    )


def provenance(job: Job, inference: Inference, evidence: Evidence | None) -> Provenance:
    """Where the cell ran, and with what."""
    return Provenance(
        inference=inference,
        weights=Weights.CHECKPOINT
        if inference is Inference.REAL and job.cell.scale is Scale.CHECKPOINT
        else Weights.RANDOM,
        device=job.cell.target.partition(":")[2] or job.cell.target,
        evidence=evidence,
    )


def _renamed(result: Result, check: str) -> Result:
    return Result(check=check, outcome=result.outcome, stage=result.stage, message=result.message, error=result.error)
