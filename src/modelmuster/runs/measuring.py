"""The life of a cell that is measured, inside its child process: build, open, run once, then repeat and watch.

Its one result is of the check `measure`: it passes where the model ran to the end, and holds what was measured. Whether
the numbers that the model gives are right is for the other checks to say; how far they are from PyTorch's is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from modelmuster.contracts import Inputs, Job, Outputs, Session, Subject, Target, Timeable
from modelmuster.measure import energy, latency, memory, statistics, surroundings
from modelmuster.measure.latency import Passes
from modelmuster.processor import processor
from modelmuster.records import MEASURE, Cell, Outcome, Result, Stage
from modelmuster.runs import opening
from modelmuster.runs.messages import CheckDone, CheckStarted, EvidenceRead, Message, RecipeMade
from modelmuster.timing import Measuring, Timing

BUSY_CORES = 0.25
"""What other processes may keep busy before the numbers are flagged: a quarter of a core moves a median by percents."""
STOLEN_SHARE = 0.01
DRIFT_SHARE = 0.1

ALONE = "the forward pass alone: its inputs lie on the device, and its results stay there"
WHOLE = "the forward pass with the conversion of inputs and results"
EXPORTED_HERE = "what the model itself takes is not told, since it was exported in this very process: measure it again"


def measure(
    job: Job,
    target: Target,
    build: Callable[[], Subject],
    entering: Callable[[Stage], None],
    report: Callable[[Message], None],
) -> None:
    """Measure the job's cell and report its result.

    Args:
        job: with `measuring` set.
        target: the cell's.
        build: makes the subject; nobody else may keep it alive, for the memory that is measured.
        entering: told about each stage.
        report: told what was found, as soon as it is.
    """
    assert job.measuring is not None
    report(CheckStarted(MEASURE))
    before = memory.resident_bytes()
    subject = _varied(job.cell, build())
    report(RecipeMade(subject.recipe))
    inputs, expected = subject.inputs, _expected(subject, entering)
    session = opening.opened(job, target, subject, entering)
    entering(Stage.RUN)
    call, from_cache, covers = _call(session, inputs)
    first_ms = latency.timed_ms(call)
    outputs = session.run(inputs)
    report(EvidenceRead(session.evidence()))
    deviation = _deviation(expected, outputs)
    # What was only exported is no part of what a runtime needs.
    del subject, session, expected, outputs
    measured = _repeated(call, job.measuring, target.name.partition(":")[2], before)
    if from_cache is False:
        # An exporter leaves more behind in its process than many a model takes.
        measured |= {"model_bytes": None, "memory_method": f"{measured['memory_method']}; {EXPORTED_HERE}"}
    batch, tokens = _size(inputs)
    timing = Timing(
        **measured,
        covers=covers,
        batch=batch,
        tokens=tokens,
        first_ms=first_ms,
        throughput=_throughput(measured["median_ms"], batch, tokens),
        export_from_cache=from_cache,
        deviation=deviation,
    )
    message = f"{timing.median_ms:.3g} ms, the median of {timing.repeats} passes"
    figures = {
        "median_ms": timing.median_ms,
        "p90_ms": timing.p90_ms,
        "samples_per_s": timing.throughput.get("samples/s"),
        "model_bytes": timing.model_bytes,
        "device_bytes": timing.device_bytes,
        "energy_joules": None if timing.energy_mj is None else timing.energy_mj / 1000,
    }
    known: dict[str, float | int | str | bool | None] = {
        name: value for name, value in figures.items() if value is not None
    }
    report(CheckDone(Result(check=MEASURE, outcome=Outcome.PASS, message=message, figures=known, timing=timing)))


def _varied(cell: Cell, subject: Subject) -> Subject:
    """The subject with inputs of the cell's size and its implementation of attention."""
    if (cell.batch, cell.sequence, cell.attention) == (None, None, None):
        return subject
    from modelmuster.errors import CannotReshape
    from modelmuster.recipes.reshaping import attend_by, reshaped
    from modelmuster.recipes.subject import TorchSubject

    if not isinstance(subject, TorchSubject):
        raise CannotReshape("inputs of another size are made for PyTorch models only")
    if cell.attention is not None:
        attend_by(subject.module, cell.attention)
    return reshaped(subject, batch=cell.batch, sequence=cell.sequence)


def _expected(subject: Subject, entering: Callable[[Stage], None]) -> Outputs:
    """What eager PyTorch answers in float32, on the CPU."""
    from modelmuster.numerics.seeding import call_seeded
    from modelmuster.numerics.tensors import flatten, to_torch

    entering(Stage.REFERENCE)
    return flatten(call_seeded(subject.module, to_torch(subject.inputs)))


def _call(session: Session, inputs: Inputs) -> tuple[Callable[[], object], bool | None, str]:
    if isinstance(session, Timeable):
        return session.prepared(inputs), session.from_cache, ALONE
    return partial(session.run, inputs), None, WHOLE


def _repeated(call: Callable[[], object], settings: Measuring, device: str, before: int | None) -> dict[str, Any]:
    """What the repetitions tell, as fields of a `Timing`."""
    memory.settle()
    floor, meter = surroundings.noise_floor(), energy.meter(device)
    told = memory.forget_peak()
    memory.forget_device_peak(device)
    watch = surroundings.Watch()
    began = meter.read() if meter.read else None
    passes = latency.repeat(
        call,
        seconds=settings.seconds,
        precision=settings.precision,
        confidence=settings.confidence,
        least_seconds=energy.LEAST_SECONDS if meter.read else 0.0,
    )
    spent = meter.read() - began if meter.read and began is not None else None
    stretch = watch.stretch()
    peak, ordered = memory.peak_bytes() if told else None, sorted(passes.durations_ms)
    low, high = statistics.median_interval(ordered, settings.confidence) or (None, None)
    on_device = memory.device_peak_bytes(device)
    return {
        "repeats": len(ordered),
        "warmup": passes.warmup,
        "threads": settings.threads,
        "median_ms": statistics.median(ordered),
        "low_ms": low,
        "high_ms": high,
        "confidence": settings.confidence,
        "p10_ms": statistics.percentile(ordered, 0.1),
        "p90_ms": statistics.percentile(ordered, 0.9),
        "p99_ms": statistics.percentile(ordered, 0.99),
        "peak_rss_bytes": peak,
        "model_bytes": None if peak is None or before is None else max(0, peak - before),
        "device_bytes": on_device,
        "memory_method": (memory.LINUX if told else memory.ELSEWHERE)
        + (memory.TORCH_DEVICE if on_device is not None else "" if device == "cpu" else memory.NO_DEVICE),
        # Warm-up runs between the two readings as well, and takes as much for each pass.
        "energy_mj": None if spent is None else spent / (len(ordered) + passes.warmup),
        "energy_method": meter.method,
        "noise_floor": floor,
        "others_cores": stretch.others_cores,
        "stolen": stretch.stolen,
        "virtualised": processor().virtualised,
        "flags": tuple(_flags(passes, stretch, settings)),
    }


def _flags(passes: Passes, stretch: surroundings.Stretch, settings: Measuring) -> list[str]:
    """Why these numbers may be noise."""
    found = []
    if stretch.others_cores > BUSY_CORES:
        found.append(f"other processes kept {stretch.others_cores:.1f} cores busy")
    if stretch.stolen > STOLEN_SHARE:
        found.append(f"the hypervisor gave {stretch.stolen:.0%} of the processors' time to others")
    if abs(passes.drift) > DRIFT_SHARE:
        found.append(f"the second half of the passes took {passes.drift:+.0%}")
    width = statistics.half_width(sorted(passes.durations_ms), settings.confidence)
    if math.isinf(width):
        found.append(f"{len(passes.durations_ms)} passes are too few for an interval of the median")
    elif width > settings.precision:
        found.append(f"the median is known to ±{width:.0%} only")
    return found


def _size(inputs: Inputs) -> tuple[int | None, int | None]:
    """Rows of the inputs, and token ids of all rows together."""
    from modelmuster.recipes.reshaping import rows

    ids = inputs.get("input_ids")
    return rows(inputs), int(ids.size) if isinstance(ids, np.ndarray) else None


def _throughput(median_ms: float, batch: int | None, tokens: int | None) -> dict[str, float]:
    per_second = 1000 / median_ms
    found = {"samples/s": batch * per_second} if batch else {"passes/s": per_second}
    return found | ({"tokens/s": tokens * per_second} if tokens else {})


def _deviation(expected: Outputs, got: Mapping[str, Any]) -> float | None:
    """Root mean square of the difference, relative to the expected output's, of the worst output that both have."""
    worst = None
    for name, output in expected.items():
        other = got.get(name)
        if other is None or output.array.dtype.kind != "f" or output.array.shape != other.array.shape:
            continue
        exact, found = output.array.astype(np.float64), other.array.astype(np.float64)
        size = float(np.sqrt(np.mean(exact**2))) if exact.size else 0.0
        if size and np.isfinite(size):
            worst = max(worst or 0.0, float(np.sqrt(np.mean((found - exact) ** 2))) / size)
    return worst
