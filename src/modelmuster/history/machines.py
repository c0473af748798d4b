"""What makes runs comparable: the same machine, and for some questions the same software on it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from modelmuster.runs.environment import software
from modelmuster.store import Reader
from modelmuster.store.environments import environments_of

RUNS = 100
"""How far back history looks, in runs."""


@dataclass(frozen=True, slots=True)
class Dated:
    """One run with what its results can be compared by."""

    key: int
    run_id: str
    created_at: str
    machine: str
    """Processor, cores and memory; empty where the run did not record them."""
    software: str
    """Versions of everything that can change a result, as a short mark; empty likewise."""


def dated_runs(reader: Reader, limit: int = RUNS) -> list[Dated]:
    """The youngest runs, the oldest of them first."""
    rows = reader.rows(
        "FROM (SELECT run, run_id, created_at FROM runs ORDER BY created_at DESC, run_id DESC LIMIT $limit) "
        "ORDER BY created_at, run_id",
        limit=limit,
    )
    environments = environments_of(reader, (row["run"] for row in rows))
    found = []
    for row in rows:
        environment = environments.get(row["run"])
        machine = mark = ""
        if environment is not None:
            machine = f"{environment.cpu}, {environment.cores} cores, {round(environment.memory_bytes / 2**30)} GiB"
            mark = hashlib.sha256(repr(sorted(software(environment).items())).encode()).hexdigest()[:12]
        found.append(Dated(row["run"], row["run_id"], row["created_at"], machine, mark))
    return found
