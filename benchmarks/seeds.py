"""Whether other weights and inputs change a verdict: the same cells from five seeds, and every check that differs."""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from modelmuster import catalog, plugins
from modelmuster.contracts import Job, Limits
from modelmuster.records import Architecture, Cell, CellRecord, Outcome
from modelmuster.runs.executors.local import LocalExecutor

SEEDS = range(5)
TYPES = 60
"""Architectures of a sample that takes from every family alike; `MUSTER_BENCH_LIMIT` takes fewer."""


def main() -> None:
    """Print each check whose outcome depends on the seed, and how often all seeds agree."""
    chosen = sample(catalog.load().architectures, int(os.environ.get("MUSTER_BENCH_LIMIT", "0")) or TYPES)
    began = time.perf_counter()
    outcomes: dict[tuple[str, str], dict[int, tuple[Outcome, str]]] = defaultdict(dict)
    with tempfile.TemporaryDirectory() as folder:
        executor = LocalExecutor()
        try:
            for record in executor.run(_jobs(chosen, folder)):
                _note(record, outcomes)
        finally:
            executor.close()
    differing = {key: found for key, found in outcomes.items() if len({outcome for outcome, _ in found.values()}) > 1}
    for (model_type, check), found in sorted(differing.items()):
        counts = Counter(outcome.value for outcome, _ in found.values())
        print(f"{model_type} {check}: {', '.join(f'{count} {outcome}' for outcome, count in counts.most_common())}")
        for seed, (outcome, message) in sorted(found.items()):
            if outcome is not Outcome.PASS and message:
                print(f"    seed {seed}: {outcome}: {message[:160]}")
    share = 1 - len(differing) / len(outcomes)
    print(
        f"{len(chosen)} architectures, {len(SEEDS)} seeds: {len(outcomes) - len(differing)} of {len(outcomes)} "
        f"verdicts are the same from every seed ({share:.2%}); {time.perf_counter() - began:.0f} s"
    )


def sample(architectures: Sequence[Architecture], count: int) -> list[Architecture]:
    """So many top-level architectures, from every family in turn, spread over the alphabet."""
    families: dict[str, list[Architecture]] = defaultdict(list)
    for entry in architectures:
        if entry.top_level and entry.default_class and not entry.requires:
            families[entry.family].append(entry)
    each = -(-count // len(families))
    taken = [members[:: max(1, len(members) // each)][:each] for _, members in sorted(families.items())]
    rounds = [members[place] for place in range(each) for members in taken if place < len(members)]
    return rounds[:count]


def _jobs(chosen: Sequence[Architecture], folder: str) -> list[Job]:
    return [
        Job(
            run_id="seeds",
            cell=Cell(
                model_type=entry.model_type,
                model_class=entry.default_class or "",
                family=entry.family,
                target="torch:cpu",
                seed=seed,
                checks=tuple(plugins.checks().names()),
            ),
            limits=Limits(),
            log_dir=folder,
            cache_dir=str(Path(folder) / "cache"),
            architecture=entry,
        )
        for entry in chosen
        for seed in SEEDS
    ]


def _note(record: CellRecord, outcomes: dict[tuple[str, str], dict[int, tuple[Outcome, str]]]) -> None:
    for result in record.results:
        outcomes[record.cell.model_type, result.check][record.cell.seed] = (result.outcome, result.message)
