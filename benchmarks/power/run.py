"""Run the healthy and the faulty cells, and say which checks told them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.power.fault import Fault
from modelmuster import catalog, plugins
from modelmuster.contracts import Job, Limits
from modelmuster.recipes.golden.pack import open_pack
from modelmuster.records import FINDINGS, Architecture, Cell, CellRecord, Family, GoldenPack, Outcome, Result
from modelmuster.runs import environment, golden
from modelmuster.runs.executors.local import LocalExecutor
from modelmuster.settings import Home

HEALTHY = "torch:cpu"
PROOF = "power_proof"
LEAST_CHANGE = 1e-6
"""Relative change of a probe below which a fault is said to change nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one fault."""

    fault: Fault
    family: Family
    changed: tuple[str, ...]
    """Probes that differ from the healthy model's: the proof that the fault is one."""
    caught: tuple[str, ...]
    """Checks that find something, and nothing in the healthy model."""
    breaks: str
    """Why the faulty model does not even run, so that anybody would notice."""
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """A finding in a healthy model."""

    record: CellRecord
    result: Result


@dataclass(frozen=True, slots=True)
class Measured:
    """The benchmark's outcome."""

    verdicts: tuple[Verdict, ...]
    alarms: tuple[Alarm, ...]
    healthy: int


def measure(faults: Sequence[Fault], folder: Path, *, checks: Sequence[str], slots: int | None) -> Measured:
    """Every fault in a child process of its own, and every architecture of theirs without a fault.

    The healthy cells come first, so that the faulty ones find the input layouts that they have settled on.
    """
    known = {entry.model_type: entry for entry in catalog.load().architectures}
    classes = {made.name: made.model_class or known[made.architecture].default_class or "" for made in faults}
    executor = LocalExecutor(slots)
    try:
        pairs = dict.fromkeys((made.architecture, classes[made.name]) for made in faults)
        jobs = [_job(known[name], model_class, HEALTHY, checks, folder) for name, model_class in pairs]
        healthy = {(record.cell.model_type, record.cell.model_class): record for record in executor.run(jobs)}
        jobs = [_job(known[made.architecture], classes[made.name], made.target, checks, folder) for made in faults]
        faulty = {record.cell.target: record for record in executor.run(jobs)}
        remembered = _against_pack(faults, classes, known, folder, executor)
    finally:
        executor.close()
    verdicts = tuple(
        verdict(
            made,
            known[made.architecture].family,
            faulty[made.target],
            healthy[made.architecture, classes[made.name]],
            remembered.get(made.target),
        )
        for made in faults
    )
    alarms = tuple(
        Alarm(record, result) for record in healthy.values() for result in record.results if result.outcome in FINDINGS
    )
    return Measured(verdicts, alarms, len(healthy))


def _against_pack(
    faults: Sequence[Fault],
    classes: Mapping[str, str],
    known: Mapping[str, Architecture],
    folder: Path,
    executor: LocalExecutor,
) -> dict[str, CellRecord]:
    """The faults that only remembered outputs can tell, held to a pack of the healthy models; by target."""
    hidden = [made for made in faults if made.seen_by == "golden"]
    if not hidden:
        return {}
    wanted = {
        made.architecture: msgspec.structs.replace(known[made.architecture], default_class=classes[made.name])
        for made in hidden
    }
    root = folder / "pack"
    recorder = LocalExecutor(executor.slots)
    golden.record(list(wanted.values()), root, recorder, Home(folder / "home"), environment.capture())
    place = GoldenPack(path=str(root), digest=open_pack(root).digest)
    jobs = [
        _job(known[made.architecture], classes[made.name], made.target, [golden.CHECK], folder, pack=place)
        for made in hidden
    ]
    return {record.cell.target: record for record in executor.run(jobs)}


def verdict(
    fault: Fault, family: Family, faulty: CellRecord, healthy: CellRecord, remembered: CellRecord | None
) -> Verdict:
    """Compare a faulty cell with the healthy one of its architecture; add what a golden pack told, if it was asked."""
    before, after = _by_check(healthy), _by_check(faulty)
    caught = tuple(
        name
        for name, result in after.items()
        if result.outcome in FINDINGS and before[name].outcome not in FINDINGS and name != PROOF
    )
    if remembered is not None and remembered.results[0].outcome in FINDINGS:
        caught = (*caught, golden.CHECK)
    forward = after.get("forward")
    broken = forward is not None and forward.outcome in FINDINGS - {Outcome.FAIL}
    return Verdict(
        fault=fault,
        family=family,
        changed=_changed(before[PROOF], after[PROOF]),
        caught=caught,
        breaks=forward.message if forward is not None and broken else "",
        cpu_s=(faulty.measurement.cpu_ms or 0.0) / 1000,
    )


def all_checks(only: Sequence[str]) -> list[str]:
    """The checks to run, the proof among them."""
    return [name for name in plugins.checks().names() if name == PROOF or not only or name in only]


def _changed(before: Result, after: Result) -> tuple[str, ...]:
    return tuple(name for name, figure in before.figures.items() if not _equal(figure, after.figures.get(name)))


def _equal(first: object, second: object) -> bool:
    if isinstance(first, float) and isinstance(second, float):
        return abs(first - second) <= LEAST_CHANGE * max(abs(first), abs(second))
    return first == second


def _by_check(record: CellRecord) -> Mapping[str, Result]:
    return {result.check: result for result in record.results}


def _job(
    architecture: Architecture,
    model_class: str,
    target: str,
    checks: Sequence[str],
    folder: Path,
    *,
    pack: GoldenPack | None = None,
) -> Job:
    cell = Cell(
        model_type=architecture.model_type,
        model_class=model_class,
        family=architecture.family,
        target=target,
        golden=pack,
        checks=tuple(checks),
    )
    return Job(
        run_id="power",
        cell=cell,
        limits=Limits(),
        log_dir=str(folder),
        cache_dir=str(folder / "cache"),
        architecture=architecture,
    )
