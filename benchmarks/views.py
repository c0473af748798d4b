"""How long each view takes, on ten thousand and on a million results in ten runs."""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.records import CHECKS, TARGETS
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
    Package,
    Plan,
    Provenance,
    Result,
    Weights,
)
from modelmuster.runs import folders
from modelmuster.settings import Home
from modelmuster.store import Reader
from modelmuster.views import cell as cells_view
from modelmuster.views.dependencies import dependencies
from modelmuster.views.failures import failures
from modelmuster.views.gaps import coverage
from modelmuster.views.hardware import hardware, versus
from modelmuster.views.matrix import matrix
from modelmuster.views.model import model
from modelmuster.views.narrowing import narrow
from modelmuster.views.overview import overview
from modelmuster.views.performance import performance
from modelmuster.views.realness import honesty
from modelmuster.views.runs import runs
from modelmuster.views.trends import measurements, trends
from modelmuster.views.workers import workers

RUNS = 10
REPEATS = 5


@dataclass(frozen=True, slots=True)
class Size:
    """How many architectures make how many results."""

    results: int
    architectures: int


SIZES = (Size(10_000, 5), Size(1_000_000, 500))


def main() -> None:
    """Print the median and the longest of five and the work, in ms; `MUSTER_BENCH_RECORDS` picks one size."""
    wanted = os.environ.get("MUSTER_BENCH_RECORDS")
    for size in SIZES:
        if wanted is None or size.results == int(wanted):
            with tempfile.TemporaryDirectory() as folder:
                home = Home(Path(folder))
                fill(home, size)
                measure(home, size)


def fill(home: Home, size: Size) -> None:
    """Ten runs, one after the other; each passes for the most part, with times that vary by 3 %."""
    dice = random.Random(0)
    home.create()
    for number in range(RUNS):
        plan = _plan(number, size.architectures)
        run = folders.create_run(home, plan, _environment(number))
        with run.journal.open("wb", buffering=1 << 20) as file:
            for record in _records(plan, number, dice):
                file.write(msgspec.json.encode(record) + b"\n")
    store.ingest(home)


def measure(home: Home, size: Size) -> None:
    """Time every view on a store that is open, as a dashboard's is."""
    with store.reader(home) as reader:
        [counted] = reader.rows("SELECT sum(results)::BIGINT AS results FROM tallies")
        cells = size.architectures * len(TARGETS)
        print(f"{counted['results']} results in {RUNS} runs of {cells} cells; ms, {REPEATS} times each")
        for name, view in views(reader).items():
            times, work = zip(*(_milliseconds(view) for _ in range(REPEATS)), strict=True)
            median, worked = statistics.median(times), statistics.median(work)
            print(
                f"  {name:<14}{median:8.0f} median {max(times):8.0f} longest {worked:8.0f} of processor time",
                flush=True,
            )


def views(reader: Reader) -> dict[str, Callable[[], Any]]:
    """Every view, asked as its page asks."""
    narrowed = narrow(reader)
    latest = narrowed.run.run_id
    [first] = reader.rows("SELECT cell_id, model_type FROM cells WHERE run = $run LIMIT 1", run=narrowed.run.key)
    labels = [column.label for column in matrix(reader, narrowed).columns]
    return {
        "overview": lambda: overview(reader),
        "matrix": lambda: matrix(reader, narrow(reader)),
        "one check": lambda: matrix(reader, narrow(reader, checks=[CHECKS[0]])),
        "coverage": lambda: coverage(reader),
        "failures": lambda: failures(reader, narrow(reader)),
        "cell": lambda: cells_view.cell(reader, latest, first["cell_id"]),
        "model": lambda: model(reader, latest, first["model_type"]),
        "hardware": lambda: hardware(reader),
        "a against b": lambda: versus(reader, latest, labels[0], labels[-1]),
        "performance": lambda: performance(reader, narrow(reader)),
        "runs": lambda: runs(reader),
        "workers": lambda: workers(reader, narrowed.run, None),
        "honesty": lambda: honesty(reader),
        "dependencies": lambda: dependencies(reader),
        "history": lambda: trends(reader),
        "measurements": lambda: measurements(reader),
    }


def _milliseconds(view: Callable[[], Any]) -> tuple[float, float]:
    """By the clock, and of all processors together: on a busy machine the second says more."""
    began, worked = time.perf_counter(), time.process_time()
    view()
    return 1000 * (time.perf_counter() - began), 1000 * (time.process_time() - worked)


def _plan(number: int, architectures: int) -> Plan:
    families = list(Family)
    cells = tuple(
        Cell(
            model_type=f"type-{index}",
            model_class=f"Type{index}Model",
            family=families[index % len(families)],
            target=target,
            checks=CHECKS,
        )
        for index in range(architectures)
        for target in TARGETS
    )
    day = f"2026-01-{number + 1:02d}"
    return Plan(run_id=f"{day}-run", created_at=f"{day}T00:00:00+00:00", command="muster run", cells=cells)


def _records(plan: Plan, number: int, dice: random.Random) -> Iterator[CellRecord]:
    evidence = Evidence(device_name="a processor", device_kind=DeviceKind.HARDWARE, precision="float32")
    real = Provenance(inference=Inference.REAL, weights=Weights.RANDOM, device="cpu", evidence=evidence)
    for place, planned in enumerate(plan.cells):
        results = [_result(check, dice) for check in CHECKS]
        if (place + number) % 50 == 0:
            results[-1] = Result(check=CHECKS[-1], outcome=Outcome.FAIL, message="off by 3 %")
        yield CellRecord(
            run_id=plan.run_id,
            cell=planned,
            attempt=1,
            final=True,
            worker=f"machine-{place % 4}:1",
            started_at=plan.created_at,
            results=tuple(results),
            provenance=real,
            measurement=Measurement(duration_ms=300.0, cpu_ms=250.0, peak_rss_bytes=400 << 20),
        )


def _result(check: str, dice: random.Random) -> Result:
    taken = 40.0 * dice.lognormvariate(0, 0.03)
    return Result(
        check=check, outcome=Outcome.PASS, figures={"ratio": 1.25}, measurement=Measurement(duration_ms=taken)
    )


def _environment(number: int) -> Environment:
    torch = "2.13.0" if number > RUNS // 2 else "2.12.0"
    return Environment(
        python="3.11.2",
        platform="Linux",
        cpu="a processor",
        cores=4,
        memory_bytes=16 << 30,
        packages=(Package(name="torch", version=torch), Package(name="timm", version=None)),
    )
