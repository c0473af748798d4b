"""The machines and software of runs, put together from their rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from modelmuster.records import Environment, Package
from modelmuster.store.reader import Reader


def environment_of(reader: Reader, run: int) -> Environment | None:
    """The machine and software of a run, by its short key."""
    return environments_of(reader, [run]).get(run)


def environments_of(reader: Reader, runs: Iterable[int]) -> dict[int, Environment]:
    """The same of several runs, without those that recorded none."""
    keys = list(runs)
    packages = _by_run(reader, "SELECT * FROM packages WHERE list_contains($runs, run) ORDER BY name", keys)
    devices = _by_run(reader, "SELECT * FROM devices WHERE list_contains($runs, run) ORDER BY target", keys)
    return {
        row["run"]: Environment(
            python=row["python"],
            platform=row["platform"],
            cpu=row["cpu"],
            cores=row["cores"],
            memory_bytes=row["memory_bytes"],
            packages=tuple(Package(name=one["name"], version=one["version"]) for one in packages[row["run"]]),
            devices={one["target"]: one["device"] for one in devices[row["run"]]},
            commit=row["git_commit"],
            hostname=row["hostname"],
        )
        for row in reader.rows("SELECT * FROM environments WHERE list_contains($runs, run)", runs=keys)
    }


def _by_run(reader: Reader, sql: str, runs: list[int]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in reader.rows(sql, runs=runs):
        found[row["run"]].append(row)
    return found
