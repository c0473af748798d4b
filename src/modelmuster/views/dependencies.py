"""Packages: what the run had, what it lacked, what that held back, and which versions changed over the runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modelmuster.records import Outcome, Package
from modelmuster.store import Reader
from modelmuster.store.environments import environment_of
from modelmuster.views.runs import find

RUNS = 10


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What was unavailable for one reason; the reason says what to type."""

    reason: str
    results: int
    targets: tuple[str, ...]
    architectures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The software of a run."""

    run_id: str
    python: str | None
    """None when the run did not get to write its environment."""
    packages: tuple[Package, ...]
    devices: Mapping[str, str]
    held_back: tuple[HeldBack, ...]
    runs: tuple[str, ...]
    """The youngest ones, the oldest of them first."""
    changed: Mapping[str, tuple[str | None, ...]]
    """Version by run, of every package that did not have the same one in all of them."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Packages that can change what is tested and are not installed."""
        return tuple(package.name for package in self.packages if package.version is None)


def dependencies(reader: Reader, run: str = "latest") -> Dependencies:
    """The software of a run, and what its lack held back.

    Raises:
        UnknownName: there is no such run.
    """
    found = find(reader, run)
    environment = environment_of(reader, found.key)
    held = reader.rows(
        """
        SELECT message AS reason, count(*) AS results, list_sort(list(DISTINCT target)) AS targets,
            list_sort(list(DISTINCT model_type)) AS architectures
        FROM results WHERE run = $run AND NOT mock AND outcome = $unavailable
        GROUP BY message ORDER BY results DESC, reason
        """,
        run=found.key,
        unavailable=Outcome.UNAVAILABLE,
    )
    kept = reader.rows(
        "FROM (SELECT run, run_id, created_at FROM runs ORDER BY created_at DESC, run_id DESC LIMIT $limit) "
        "ORDER BY created_at, run_id",
        limit=RUNS,
    )
    return Dependencies(
        run_id=found.run_id,
        python=environment.python if environment else None,
        packages=environment.packages if environment else (),
        devices=environment.devices if environment else {},
        held_back=tuple(
            HeldBack(row["reason"], row["results"], tuple(row["targets"]), tuple(row["architectures"])) for row in held
        ),
        runs=tuple(row["run_id"] for row in kept),
        changed=_changed(reader, [row["run"] for row in kept]),
    )


def _changed(reader: Reader, keys: list[int]) -> dict[str, tuple[str | None, ...]]:
    rows = reader.rows("SELECT run, name, version FROM packages WHERE list_contains($keys, run)", keys=keys)
    versions: dict[str, dict[int, str | None]] = {}
    for row in rows:
        versions.setdefault(row["name"], {})[row["run"]] = row["version"]
    lines = {name: tuple(of_run.get(key) for key in keys) for name, of_run in sorted(versions.items())}
    return {name: line for name, line in lines.items() if len(set(line)) > 1}
