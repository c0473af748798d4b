"""A cell in the fork server against the same cell in a new interpreter, and what the supervisor itself costs."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time

import msgspec

from modelmuster import catalog
from modelmuster.contracts import Job, Limits
from modelmuster.records import Cell, CellRecord
from modelmuster.runs.executors.local import LocalExecutor

CELLS = 60
INTERPRETERS = 3

_ALONE = """
import sys, msgspec
from modelmuster.contracts import Job
from modelmuster.runs.cell import run_cell
import torch
torch.set_num_threads(1)
job = msgspec.json.decode(sys.argv[1].encode(), type=Job)
run_cell(job, lambda message: None)
"""


def main() -> None:
    """Print the cost of a cell each way, and the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        jobs = _jobs(folder)
        own_before = time.process_time()
        records, wall = _in_fork_server(jobs)
        own = time.process_time() - own_before
        cell_cpu = statistics.median(record.measurement.cpu_ms or 0.0 for record in records)
        alone_wall, alone_cpu = _in_new_interpreters(jobs[0])
    print(
        f"fork server      {cell_cpu:8.1f} ms CPU a cell (median of {CELLS}), {wall * 1000 / CELLS:8.1f} ms wall a cell"
    )
    print(f"new interpreter  {alone_cpu:8.1f} ms CPU a cell (median of {INTERPRETERS}), {alone_wall:8.1f} ms wall")
    print(f"ratio            {alone_cpu / cell_cpu:8.1f} times the CPU in a new interpreter")
    print(f"supervisor       {own * 1000 / CELLS:8.2f} ms CPU a cell")


def _jobs(folder: str) -> list[Job]:
    bert = catalog.load().get("bert")
    cells = [
        Cell(
            model_type="bert",
            model_class=bert.default_class or "BertModel",
            family=bert.family,
            target="torch:cpu",
            seed=seed,
            checks=("forward",),
        )
        for seed in range(CELLS + 1)
    ]
    return [Job(run_id="benchmark", cell=cell, limits=Limits(), log_dir=folder) for cell in cells]


def _in_fork_server(jobs: list[Job]) -> tuple[list[CellRecord], float]:
    executor = LocalExecutor()
    try:
        # The first cell waits for the server to have imported everything: that is paid once a run.
        list(executor.run(jobs[:1]))
        began = time.perf_counter()
        records = list(executor.run(jobs[1:]))
        wall = time.perf_counter() - began
    finally:
        executor.close()
    wrong = [result for record in records for result in record.results if result.outcome.value != "pass"]
    assert not wrong, wrong[:1]
    return records, wall


def _in_new_interpreters(job: Job) -> tuple[float, float]:
    walls, cpus = [], []
    for _ in range(INTERPRETERS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", _ALONE, msgspec.json.encode(job).decode()], check=True)
        walls.append(1000 * (time.perf_counter() - began))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    return statistics.median(walls), statistics.median(cpus)
