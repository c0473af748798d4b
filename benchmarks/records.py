"""A million records, as a thousand machines would make them: through plan, journal and store, with times and memory."""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from modelmuster import store
from modelmuster.records import (
    Cell,
    CellRecord,
    DeviceKind,
    Environment,
    Evidence,
    Family,
    Inference,
    Measurement,
    Outcome,
    Plan,
    Provenance,
    Result,
    Weights,
)
from modelmuster.runs import folders
from modelmuster.settings import Home
from modelmuster.views.matrix import matrix
from modelmuster.views.narrowing import narrow

T = TypeVar("T")

CHECKS = tuple(f"check_{number}" for number in range(20))
TARGETS = tuple(f"runtime{number}:cpu" for number in range(10))
ARCHITECTURES = 500


def main() -> None:
    """Print seconds and peak memory of each step; `MUSTER_BENCH_RECORDS` sets the number of results."""
    results = int(os.environ.get("MUSTER_BENCH_RECORDS", "1000000"))
    seeds = max(1, results // (len(CHECKS) * len(TARGETS) * ARCHITECTURES))
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        home.create()
        plan = _timed("plan made", lambda: _plan(seeds))
        run = _timed("plan written", lambda: folders.create_run(home, plan, _environment()))
        print(f"{len(plan.cells)} cells, {len(plan.cells) * len(CHECKS)} results")
        _timed("journal written, in one go", lambda: _write(run.journal, plan))
        print(f"journal: {run.journal.stat().st_size >> 20} MB")
        _timed("store filled", lambda: store.ingest(home, [plan.run_id]))
        print(f"store: {home.store.stat().st_size >> 20} MB")
        with store.reader(home) as reader:
            narrowing = narrow(reader)
            _timed("matrix", lambda: matrix(reader, narrowing))


def _timed(what: str, do: Callable[[], T]) -> T:
    began = time.perf_counter()
    made = do()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"{what}: {time.perf_counter() - began:.2f} s, peak {peak} MB", flush=True)
    return made


def _plan(seeds: int) -> Plan:
    families = list(Family)
    cells = tuple(
        Cell(
            model_type=f"type-{number}",
            model_class=f"Type{number}Model",
            family=families[number % len(families)],
            target=target,
            seed=seed,
            checks=CHECKS,
        )
        for seed in range(seeds)
        for number in range(ARCHITECTURES)
        for target in TARGETS
    )
    return Plan(run_id="20260101-000000-000-0000", created_at="2026-01-01T00:00:00+00:00", command="", cells=cells)


def _write(path: Path, plan: Plan) -> None:
    # Without waiting for the disk after each: what that costs is the disk's, and a run of this size takes days.
    with path.open("wb", buffering=1 << 20) as file:
        for record in _records(plan):
            file.write(msgspec.json.encode(record) + b"\n")


def _records(plan: Plan) -> Iterator[CellRecord]:
    passed = tuple(Result(check=check, outcome=Outcome.PASS, figures={"ratio": 1.25}) for check in CHECKS)
    failed = (*passed[:-1], Result(check=CHECKS[-1], outcome=Outcome.FAIL, message="off by 3 %"))
    evidence = Evidence(device_name="a processor", device_kind=DeviceKind.HARDWARE, precision="float32")
    for number, cell in enumerate(plan.cells):
        yield CellRecord(
            run_id=plan.run_id,
            cell=cell,
            attempt=1,
            final=True,
            worker=f"machine-{number % 1000}:1",
            started_at="2026-01-01T00:00:00+00:00",
            results=failed if number % 50 == 0 else passed,
            provenance=Provenance(inference=Inference.REAL, weights=Weights.RANDOM, device="cpu", evidence=evidence),
            measurement=Measurement(duration_ms=300.0, cpu_ms=250.0, peak_rss_bytes=400 << 20),
        )


def _environment() -> Environment:
    return Environment(python="3", platform="any", cpu="any", cores=1, memory_bytes=1, packages=())
