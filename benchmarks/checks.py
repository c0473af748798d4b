"""What each check costs: its share of the CPU time of one run over architectures of every family."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

from modelmuster import catalog, plugins
from modelmuster.records import CellRecord
from modelmuster.runs import plan as plans
from modelmuster.runs import runner
from modelmuster.runs.executors.local import LocalExecutor
from modelmuster.settings import Home

EVERY = 17
"""Without MUSTER_BENCH_LIMIT, every so manieth top-level type: a sample over the alphabet, and so over the families."""


def main() -> None:
    """Run all checks; print for each its share of the whole, and the building of models beside them."""
    limit = int(os.environ.get("MUSTER_BENCH_LIMIT", "0")) or None
    architectures = [entry for entry in catalog.load().architectures if entry.top_level][::EVERY][:limit]
    plan = plans.make_plan(
        architectures, targets=["torch:cpu"], checks=sorted(plugins.checks().names()), command="benchmark"
    )
    spent: dict[str, list[float]] = defaultdict(list)
    cells: list[float] = []

    def count(record: CellRecord) -> None:
        if not record.final or record.measurement.cpu_ms is None:
            return
        cells.append(record.measurement.cpu_ms)
        for result in record.results:
            spent[result.check].append(result.measurement.cpu_ms or 0.0)

    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        home.create()
        runner.run(plan, LocalExecutor(), home, on_record=count)
    report(spent, cells)


def report(spent: dict[str, list[float]], cells: list[float]) -> None:
    """Shares, and the median over the models that the check was really asked of."""
    total = sum(cells)
    print(f"{len(cells)} cells, {total / 1000:.1f} s CPU, {total / max(len(cells), 1) / 1000:.2f} s each")
    checks = sum(map(sum, spent.values()))
    print(f"{'building and importing':26} {(total - checks) / total:6.1%}")
    for name, costs in sorted(spent.items(), key=lambda item: -sum(item[1])):
        asked = [cost for cost in costs if cost >= 1]
        median = f"{statistics.median(asked):.0f} ms" if asked else "-"
        print(f"{name:26} {sum(costs) / total:6.1%}   median {median:>8} over {len(asked)} models")
