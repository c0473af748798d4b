"""The machine and software of a run, put together from its rows."""

from __future__ import annotations

from modelmuster.records import Environment, Package
from modelmuster.store.reader import Reader


def environment_of(reader: Reader, run: int) -> Environment | None:
    """The machine and software of a run, by its short key."""
    found = reader.rows("SELECT * FROM environments WHERE run = $run", run=run)
    if not found:
        return None
    row = found[0]
    packages = reader.rows("SELECT name, version FROM packages WHERE run = $run ORDER BY name", run=run)
    devices = reader.rows("SELECT target, device FROM devices WHERE run = $run ORDER BY target", run=run)
    return Environment(
        python=row["python"],
        platform=row["platform"],
        cpu=row["cpu"],
        cores=row["cores"],
        memory_bytes=row["memory_bytes"],
        packages=tuple(Package(**package) for package in packages),
        devices={device["target"]: device["device"] for device in devices},
        commit=row["git_commit"],
        hostname=row["hostname"],
    )
