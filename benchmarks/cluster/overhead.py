"""What Ray costs: the same cells by the local executor and by a cluster of this machine, one and two at a time."""

from __future__ import annotations

import tempfile
import time

from modelmuster import catalog
from modelmuster.contracts import Executor, Job, Limits
from modelmuster.records import Cell
from modelmuster.runs.executors.cluster.executor import RayExecutor
from modelmuster.runs.executors.local import LocalExecutor

CELLS = 80


def main() -> None:
    """Print wall time per cell each way, and the efficiency of two workers."""
    with tempfile.TemporaryDirectory() as folder:
        jobs = _jobs(folder)
        walls = {}
        for slots in (1, 2):
            walls["local", slots] = _wall(LocalExecutor(), slots, jobs)
            walls["ray", slots] = _wall(_local_cluster(), slots, jobs)
    for slots in (1, 2):
        here, there = walls["local", slots], walls["ray", slots]
        print(
            f"{slots} at a time: local {1000 * here / CELLS:.1f} ms a cell, Ray {1000 * there / CELLS:.1f} ms a cell; "
            f"Ray adds {1000 * slots * (there - here) / CELLS:.1f} ms to each cell"
        )
    for name in ("local", "ray"):
        print(f"{name}: two workers are {walls[name, 1] / walls[name, 2]:.2f} times as fast as one")


def _local_cluster() -> RayExecutor:
    executor = RayExecutor()
    executor.address = "local"
    return executor


def _wall(executor: Executor, slots: int, jobs: list[Job]) -> float:
    executor.slots = slots
    try:
        # The first cells wait for fork servers to have imported everything: that is paid once a run.
        for _ in executor.run(jobs[: 4 * slots]):
            pass
        began = time.perf_counter()
        outcomes = [result.outcome.value for record in executor.run(jobs[8:]) for result in record.results]
        wall = time.perf_counter() - began
    finally:
        executor.close()
    assert outcomes == ["pass"] * CELLS, outcomes
    return wall


def _jobs(folder: str) -> list[Job]:
    bert = catalog.load().get("bert")
    return [
        Job(
            run_id="benchmark",
            cell=Cell(
                model_type="bert",
                model_class="BertModel",
                family=bert.family,
                target="torch:cpu",
                seed=seed,
                checks=("forward",),
            ),
            limits=Limits(),
            log_dir=folder,
            architecture=bert,
        )
        for seed in range(CELLS + 8)
    ]
