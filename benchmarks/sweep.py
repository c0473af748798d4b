"""The wall time of a whole sweep against its floor: the children's own CPU time divided by the cores."""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from pathlib import Path

from modelmuster import catalog
from modelmuster.records import CellRecord, Outcome
from modelmuster.runs import plan as plans
from modelmuster.runs import runner
from modelmuster.runs.environment import usable_cores
from modelmuster.runs.executors.local import LocalExecutor
from modelmuster.settings import Home

CHECKS = ("forward", "reference")


def main() -> None:
    """Sweep all top-level types twice, cold and with the cache of winning routes warm; print both."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        home.create()
        for label in ("cold", "warm"):
            _sweep(home, label)


def _sweep(home: Home, label: str) -> None:
    limit = int(os.environ.get("MUSTER_BENCH_LIMIT", "0")) or None
    architectures = [entry for entry in catalog.load().architectures if entry.top_level][:limit]
    plan = plans.make_plan(architectures, targets=["torch:cpu"], checks=CHECKS, command="benchmark")
    cpu: list[float] = []
    outcomes: Counter[Outcome] = Counter()

    def count(record: CellRecord) -> None:
        cpu.append((record.measurement.cpu_ms or 0.0) / 1000)
        if record.final:
            outcomes.update(result.outcome for result in record.results)

    own = time.process_time()
    began = time.perf_counter()
    runner.run(plan, LocalExecutor(), home, on_record=count)
    wall = time.perf_counter() - began
    floor = sum(cpu) / usable_cores()
    counts = ", ".join(f"{count} {outcome.value}" for outcome, count in outcomes.most_common())
    print(f"{label}: {len(plan.cells)} cells in {wall:.1f} s wall; {counts}")
    print(f"{label}: floor {floor:.1f} s ({sum(cpu):.1f} s CPU in children on {usable_cores()} cores)")
    supervisor_ms = 1000 * (time.process_time() - own) / len(plan.cells)
    print(f"{label}: wall / floor {wall / floor:.2f}; supervisor {supervisor_ms:.2f} ms CPU a cell")
