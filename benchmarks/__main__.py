"""`python -m benchmarks [NAME…]`: run the benchmarks and print their ratios, each measured in this one run."""

from __future__ import annotations

import sys

from benchmarks import checks, core, generated, interruption, isolation, records, seeds, steps, sweep, views
from benchmarks.cluster import faults, overhead

BENCHMARKS = {
    "core": core.main,
    "isolation": isolation.main,
    "sweep": sweep.main,
    "checks": checks.main,
    "interruption": interruption.main,
    "records": records.main,
    "views": views.main,
    "steps": steps.main,
    "cluster": overhead.main,
    "cluster-faults": faults.main,
    "seeds": seeds.main,
    "generated": generated.main,
}

WHEN_NAMED = frozenset({"seeds", "generated"})
"""Many minutes: not among all."""


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all but the longest."""
    for name in names:
        if name not in BENCHMARKS:
            print(f"unknown benchmark {name!r}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
            return 2
    for name in names or [name for name in BENCHMARKS if name not in WHEN_NAMED]:
        BENCHMARKS[name]()
    return 0


sys.exit(main(sys.argv[1:]))
