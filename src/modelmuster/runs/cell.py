"""The life of one cell, inside its child process: build, open, ask every question. The only place a model is built.

Everything that happens is reported while it happens, so that a process that dies leaves behind what it had found.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec

from modelmuster import plugins
from modelmuster.contracts import Check, Job, Session, Subject, SubjectSource, Target
from modelmuster.errors import Misplaced, MissingDependency, UnknownName, Unsupported
from modelmuster.optional import Accompanied
from modelmuster.records import (
    FINDINGS,
    Architecture,
    Finding,
    Inference,
    Measurement,
    Outcome,
    Result,
    Stage,
)
from modelmuster.runs import devices, errors_as_data, opening
from modelmuster.runs.devices import SPOILED
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
from modelmuster.runs.trial import CellTrial
from modelmuster.runs.verdict import unproved

Report = Callable[[Message], None]


class Stages:
    """Where the cell is, told to the supervisor before each stage begins."""

    def __init__(self, report: Report) -> None:
        self.report, self._began = report, time.perf_counter()
        self.current = Stage.BUILD

    @property
    def elapsed_ms(self) -> float:
        """Time since the cell began."""
        return 1000 * (time.perf_counter() - self._began)

    def enter(self, stage: Stage) -> None:
        """This stage begins now."""
        self.current = stage
        self.report(StageEntered(stage, self.elapsed_ms))


def run_cell(job: Job, report: Report, companion: Connection | None = None) -> None:
    """Run every check of the job's cell and report each result as soon as it is known.

    Args:
        job: the cell, and what it may use.
        report: takes what there is to tell.
        companion: the way to the process that the target shares between its cells, where it has one.

    Never raises for what the model, the target or a check does; an exception from here is a fault of this package.
    """
    stages = Stages(report)
    stages.enter(Stage.BUILD)
    try:
        target = plugins.targets().get(job.cell.target)
        if isinstance(target, Accompanied):
            target.companion = companion
        source = _source(job, target, stages)
        if job.record_golden:
            _record_golden(job, source, stages)
            report(_done(stages))
            return
        if job.measuring is not None:
            from modelmuster.runs import measuring

            build = partial(_built, job, source, stages) if isinstance(source, Architecture) else lambda: source
            measuring.measure(job, target, build, stages.enter, report)
            report(_done(stages))
            return
        checks = list(_fitting(_loaded(job.cell.checks, report), source, report))
        opened = _opened(job, target, source, stages) if checks else None
    except BaseException as error:  # noqa: BLE001 - whatever a model or a runtime raises is the cell's outcome
        described, outcome = errors_as_data.describe(error), errors_as_data.outcome_of(error)
        on_device = stages.current in {Stage.LOAD, Stage.COMPILE, Stage.RUN}
        if outcome is Outcome.ERROR and on_device and (reason := devices.gone(plugins.targets().get(job.cell.target))):
            report(TargetLost(reason))
        else:
            report(CellStopped(outcome, stages.current, described.message, described))
        opened = None
    if opened is not None:
        subject, session = opened
        trial = CellTrial(subject, session, target=target.name, dtype=job.cell.dtype, entering=stages.enter)
        _ask(checks, trial, session, target, stages)
        report(_done(stages))
        session.close()
        return
    report(_done(stages))


def _source(job: Job, target: Target, stages: Stages) -> Architecture | Subject:
    """What will be run: the target's own subject, or the architecture to build one of."""
    if job.cell.dtype not in target.dtypes:
        raise Unsupported(f"{target.name} offers {', '.join(target.dtypes)}, not {job.cell.dtype}")
    if isinstance(target, SubjectSource):
        subject = target.subject(job.cell, job.architecture, stages.enter)
        if subject is not None:
            return subject
    if job.architecture is not None:
        return job.architecture
    from modelmuster import catalog

    known = catalog.load()
    if job.cell.checkpoint is not None:
        from modelmuster.recipes import checkpoint

        return checkpoint.architecture_of(job.cell.model_type, job.cell.model_class, known)
    return known.get(job.cell.model_type)


def _record_golden(job: Job, source: Architecture | Subject, stages: Stages) -> None:
    """Write the subject into a golden pack; that it was written is the only result."""
    from modelmuster.recipes.golden import recording

    subject = _built(job, source, stages) if isinstance(source, Architecture) else source
    stages.report(RecipeMade(subject.recipe))
    recording.record(subject, Path(job.record_golden), stages.enter)
    [name] = job.cell.checks
    stages.report(CheckDone(Result(check=name, outcome=Outcome.PASS)))


def _opened(job: Job, target: Target, source: Architecture | Subject, stages: Stages) -> tuple[Subject, Session]:
    if isinstance(source, Architecture):
        source = _built(job, source, stages)
    stages.report(RecipeMade(source.recipe))
    return source, opening.opened(job, target, source, stages.enter)


def _built(job: Job, architecture: Architecture, stages: Stages) -> Subject:
    """The model to run: from a golden pack or a checkpoint where the cell names one, else by its recipe."""
    from modelmuster import recipes

    cell = job.cell
    if cell.golden is not None:
        from modelmuster.recipes.golden.opening import open_golden

        return open_golden(architecture, cell.model_class, cell.golden, stages.enter)
    if cell.checkpoint is not None:
        from modelmuster.recipes import checkpoint

        return checkpoint.opened(
            architecture,
            cell.model_class,
            cell.checkpoint,
            trust_remote_code=cell.trust_remote_code,
            seed=cell.seed,
            entering=stages.enter,
        )
    return recipes.prepare(
        architecture,
        cell.model_class,
        scale=cell.scale,
        seed=cell.seed,
        entering=stages.enter,
        cache_dir=Path(job.cache_dir) if job.cache_dir else None,
    )


def _loaded(names: Iterable[str], report: Report) -> Iterator[Check]:
    """The checks of these names; one that cannot be loaded is unavailable for want of a package, or its own error."""
    for name in names:
        try:
            yield plugins.checks().get(name)
        except MissingDependency as missing:
            # Nothing went wrong that a traceback could tell more of.
            report(CheckDone(Result(check=name, outcome=Outcome.UNAVAILABLE, message=str(missing))))
        except UnknownName as error:
            described = errors_as_data.describe(error)
            report(CheckDone(Result(check=name, outcome=Outcome.ERROR, message=described.message, error=described)))


def _fitting(checks: Iterable[Check], source: Architecture | Subject, report: Report) -> Iterator[Check]:
    """The checks that this kind of architecture can be asked; the others are answered before anything is built."""
    architecture = source if isinstance(source, Architecture) else source.architecture
    for check in checks:
        reason = None
        missing = sorted(trait.value for trait in check.traits - set(architecture.traits))
        if check.families is not None and architecture.family not in check.families:
            families = ", ".join(sorted(family.value for family in check.families))
            reason = f"asked of {families}; this is {architecture.family.value}"
        elif missing:
            reason = f"asked of architectures with the trait {', '.join(missing)}"
        if reason is None:
            yield check
        else:
            report(CheckDone(Result(check=check.name, outcome=Outcome.NOT_APPLICABLE, message=reason)))


def _ask(checks: Sequence[Check], trial: CellTrial, session: Session, target: Target, stages: Stages) -> None:
    report, spoiled, looked = stages.report, False, False
    for check in checks:
        if spoiled:
            report(CheckDone(Result(check=check.name, outcome=Outcome.NOT_RUN, message=f"not reached: {SPOILED}")))
            continue
        report(CheckStarted(check.name))
        wall, cpu, runs = time.perf_counter(), time.process_time(), trial.runs
        stages.enter(Stage.RUN)
        try:
            finding = _finding(check, trial)
            if finding.outcome is not Outcome.NOT_APPLICABLE and not trial.runs:
                # It was asked of the live module alone: one run through the runtime shows where that is.
                trial.baseline()
            if trial.runs > runs:
                # A runtime that cannot say where it ran has proved nothing: that is the check's error too.
                report(EvidenceRead(session.evidence()))
            result = _result(check, finding, stages.current, target.inference)
        except Misplaced as error:
            # Where it did run is what the reader wants to know of it.
            report(EvidenceRead(session.evidence()))
            result = _failed(check, error, stages.current)
        except BaseException as error:  # noqa: BLE001 - the outcome of the check
            result = _failed(check, error, stages.current)
            spoiled = devices.is_spoiled(error)
        if spoiled:
            result = msgspec.structs.replace(result, outcome=Outcome.CRASH)
        if result.outcome in {Outcome.ERROR, Outcome.CRASH} and (spoiled or not looked):
            looked = True
            if reason := devices.gone(target):
                report(TargetLost(reason))
                return
        if target.inference is Inference.REAL:  # what a function takes that stands for a model is nobody's latency
            spent = 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)
            cost = Measurement(duration_ms=spent[0], cpu_ms=spent[1])
            result = msgspec.structs.replace(result, measurement=cost)
        _report_result(result, report)


def _finding(check: Check, trial: CellTrial) -> Finding:
    unfed = sorted(modality.value for modality in check.modalities - set(trial.recipe.modalities))
    if unfed:
        return _not_applicable(f"asked of models that take {', '.join(unfed)}")
    lacking = sorted(capability.value for capability in check.needs - trial.capabilities)
    if lacking:
        return _not_applicable(f"needs a runtime that offers: {', '.join(lacking)}")
    reason = check.applies(trial)
    if reason is not None:
        return _not_applicable(reason)
    finding = check.run(trial)
    if not isinstance(finding, Finding):
        raise TypeError(f"the check {check.name} answered with a {type(finding).__name__}, not with a Finding")
    return finding


def _not_applicable(reason: str) -> Finding:
    return Finding(outcome=Outcome.NOT_APPLICABLE, message=reason)


def _result(check: Check, finding: Finding, stage: Stage, inference: Inference) -> Result:
    result = Result(
        check=check.name,
        outcome=finding.outcome,
        stage=stage if finding.outcome in FINDINGS else None,
        message=errors_as_data.storable(finding.message),
        figures={name: _figure(name, value) for name, value in finding.figures.items()},
    )
    return unproved(result) if inference is Inference.MOCK else result


def _failed(check: Check, error: BaseException, stage: Stage) -> Result:
    described, outcome = errors_as_data.describe(error), errors_as_data.outcome_of(error)
    message = described.message
    if stage is Stage.REFERENCE and outcome is Outcome.ERROR:
        # The target has not failed: there is nothing to judge it by.
        outcome, message = Outcome.NOT_APPLICABLE, f"the float64 reference cannot be computed: {message}"
    return Result(check=check.name, outcome=outcome, stage=stage, message=message, error=described)


def _figure(name: str, value: Any) -> float | int | str | bool | None:
    """The figure as JSON can hold it: NumPy scalars as Python's, infinities and NaN as words."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):
        return errors_as_data.storable(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    raise TypeError(f"the figure {name!r} is a {type(value).__name__}; a figure is a number, a word or None")


def _report_result(result: Result, report: Report) -> None:
    try:
        report(CheckDone(result))
    except (TypeError, ValueError, OverflowError, msgspec.MsgspecError) as error:
        described = errors_as_data.describe(error)
        message = f"the result cannot be stored: {described.message}"
        report(CheckDone(Result(check=result.check, outcome=Outcome.ERROR, message=message, error=described)))


def _done(stages: Stages) -> CellDone:
    peak = 0
    with suppress(ImportError):  # Windows has no resource module
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return CellDone(stages.elapsed_ms, 1000 * time.process_time(), peak)
