"""Run folders as a run would leave them, made from real records."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from modelmuster.records import (
    Cell,
    CellError,
    CellRecord,
    DeviceKind,
    Environment,
    Evidence,
    Family,
    Inference,
    Measurement,
    Modality,
    Outcome,
    Package,
    Plan,
    Provenance,
    Recipe,
    Result,
    Scale,
    Stage,
    TensorSpec,
    Weights,
)
from modelmuster.settings import Home
from modelmuster.timing import Timing

CHECKS = ("forward", "reference")


def make_cell(model_type: str = "bert", target: str = "torch:cpu", **changes) -> Cell:
    values = {"model_class": "BertModel", "family": Family.ENCODER_ONLY, "checks": CHECKS} | changes
    return Cell(model_type=model_type, target=target, **values)


def make_recipe(cell: Cell) -> Recipe:
    return Recipe(
        model_type=cell.model_type,
        model_class=cell.model_class,
        scale=Scale.TINY,
        seed=0,
        config={"hidden_size": 32},
        inputs=(TensorSpec(name="input_ids", shape=(2, 8), dtype="int64"),),
        layout="text",
        modalities=(Modality.TEXT,),
        parameters=12345,
        hash=f"hash of {cell.model_type}",
    )


def make_result(check: str, outcome: Outcome = Outcome.PASS, **changes) -> Result:
    error = None
    if outcome is Outcome.ERROR:
        error = CellError(
            type="ValueError", message="bad shape", traceback="Traceback: bad shape", fingerprint="ValueError-bad"
        )
    values = {
        "stage": Stage.RUN,
        "message": "" if outcome is Outcome.PASS else f"{check} gave {outcome.value}",
        "figures": {"max_abs": 1e-6},
        "error": error,
        "measurement": Measurement(duration_ms=12.5, cpu_ms=11.0, peak_rss_bytes=100_000_000),
    } | changes
    return Result(check=check, outcome=outcome, **values)


def make_record(
    run_id: str,
    cell: Cell,
    outcomes: Sequence[Outcome] = (),
    *,
    inference: Inference = Inference.REAL,
    results: Sequence[Result] | None = None,
    **changes,
) -> CellRecord:
    if results is None:
        outcomes = outcomes or (Outcome.PASS,) * len(cell.checks)
        results = [make_result(check, outcome) for check, outcome in zip(cell.checks, outcomes, strict=True)]
    values = {
        "attempt": 1,
        "final": True,
        "worker": "local-1",
        "started_at": "2026-03-01T10:00:00+00:00",
        "measurement": Measurement(duration_ms=50.0, cpu_ms=45.0, peak_rss_bytes=200_000_000),
        "stages_ms": {"build": 10.0, "run": 20.0},
        "recipe": make_recipe(cell),
        "log_tail": "a line of the log",
        "provenance": Provenance(
            inference=inference,
            weights=Weights.RANDOM,
            device="cpu",
            evidence=Evidence(device_name="AMD EPYC", device_kind=DeviceKind.HARDWARE, precision="float32"),
        ),
    } | changes
    return CellRecord(run_id=run_id, cell=cell, results=tuple(results), **values)


def make_timing(**changes) -> Timing:
    """Of an idle machine; its interval is a hundredth of the median on each side."""
    median_ms = changes.get("median_ms", 5.0)
    values = {
        "repeats": 100,
        "warmup": 3,
        "covers": "the forward pass alone",
        "batch": 2,
        "tokens": 24,
        "threads": 2,
        "first_ms": 3 * median_ms,
        "median_ms": median_ms,
        "low_ms": 0.99 * median_ms,
        "high_ms": 1.01 * median_ms,
        "confidence": 0.95,
        "p10_ms": 0.98 * median_ms,
        "p90_ms": 1.1 * median_ms,
        "p99_ms": 1.3 * median_ms,
        "throughput": {"samples/s": 2000 / median_ms, "tokens/s": 24_000 / median_ms},
        "peak_rss_bytes": 400_000_000,
        "model_bytes": 100_000_000,
        "memory_method": "VmHWM",
        "energy_method": "no counter",
        "deviation": 1e-6,
        "noise_floor": 0.02,
        "others_cores": 0.0,
        "stolen": 0.0,
        "virtualised": False,
    } | changes
    return Timing(**values)


def make_environment(**changes) -> Environment:
    values = {
        "python": "3.11.2",
        "platform": "Linux",
        "cpu": "AMD EPYC",
        "cores": 2,
        "memory_bytes": 8 << 30,
        "packages": (Package(name="torch", version="2.13.0"), Package(name="timm", version=None)),
        "devices": {"torch:cpu": "AMD EPYC"},
        "commit": "abc123",
        "hostname": "box",
    } | changes
    return Environment(**values)


def write_run(
    home: Home,
    run_id: str,
    cells: Iterable[Cell],
    records: Iterable[CellRecord] | None = None,
    *,
    created_at: str = "2026-03-01T09:00:00+00:00",
    environment: Environment | None = None,
    unplanned: dict[str, str] | None = None,
) -> Path:
    """A whole run folder; by default every cell was run and passed."""
    cells = tuple(cells)
    folder = home.runs / run_id
    folder.mkdir(parents=True)
    plan = Plan(run_id=run_id, created_at=created_at, command="muster run", cells=cells, unplanned=unplanned or {})
    (folder / "plan.json").write_bytes(msgspec.json.encode(plan))
    (folder / "environment.json").write_bytes(msgspec.json.encode(environment or make_environment()))
    append(folder, [make_record(run_id, cell) for cell in cells] if records is None else records)
    return folder


def append(folder: Path, records: Iterable[CellRecord]) -> None:
    """Add lines to a journal, as a run that is still going does."""
    with (folder / "journal.jsonl").open("ab") as journal:
        journal.write(msgspec.json.Encoder().encode_lines(list(records)))
        journal.flush()
        os.fsync(journal.fileno())
