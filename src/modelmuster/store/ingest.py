"""Brings run folders into the store. A run that changed is read again as a whole, so repeating changes nothing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelmuster.errors import InfrastructureError, UnknownName
from modelmuster.runs.folders import RunFolder
from modelmuster.settings import Home
from modelmuster.store import folders
from modelmuster.store.batch import Batch
from modelmuster.store.folders import Damage
from modelmuster.store.publish import publish, writing
from modelmuster.store.rows import run_rows
from modelmuster.store.schema import open_for_writing

WAIT_S = 60.0
"""How long to wait for another writer."""

_BATCH_ROWS = 50_000
"""Rows after which a transaction is closed; more per transaction is not faster, and costs disk while it lasts."""


@dataclass(slots=True)
class IngestReport:
    """What an ingest did."""

    read: list[str] = field(default_factory=list)
    """Names of the runs that were read, because they were new or had changed."""
    unchanged: int = 0
    """Runs that needed no reading."""
    removed: list[str] = field(default_factory=list)
    """Runs whose folders are gone."""
    damages: list[Damage] = field(default_factory=list)
    """What could not be used in the runs that were read."""
    rows: int = 0
    """Written to all tables together."""
    seconds: float = 0.0


def ingest(home: Home, run_ids: Iterable[str] | None = None, *, wait_s: float = WAIT_S) -> IngestReport:
    """Read what is new or has changed, and publish the result.

    Args:
        home: Where runs and store are.
        run_ids: Only these runs; None for all, which also removes runs whose folders are gone.
        wait_s: How long to wait for another writer.

    Raises:
        UnknownName: a run that has no folder.
        UsageError: the folder cannot be written.
        StoreTooNew: a newer version wrote the store.
        InfrastructureError: the store is locked or damaged, or the disk is full.
    """
    with writing(home, wait_s):
        report = _update(home, home.store, run_ids)
        publish(home)
    return report


def rebuild(home: Home, *, wait_s: float = WAIT_S) -> IngestReport:
    """Make the store anew from all run folders, whatever state the old one is in.

    The old store is replaced only when the new one is complete.

    Raises:
        UsageError: the folder cannot be written.
        InfrastructureError: the store is locked, or the disk is full.
    """
    with writing(home, wait_s):
        unfinished = home.root / ".store.tmp"
        _delete(unfinished)
        report = _update(home, unfinished, None)
        # A write-ahead log belongs to the file that it was written for: it must not meet another one.
        Path(f"{home.store}.wal").unlink(missing_ok=True)
        unfinished.replace(home.store)
        publish(home)
    return report


def _update(home: Home, store: Path, run_ids: Iterable[str] | None) -> IngestReport:
    import duckdb

    began = time.perf_counter()
    report = IngestReport()
    try:
        with contextlib.closing(open_for_writing(store)) as connection:
            _bring_in(connection, home, run_ids, report)
    except duckdb.Error as error:
        raise InfrastructureError(
            f"cannot write {store}: {str(error).splitlines()[0]}",
            hint="journals are untouched; when the cause is mended: muster db rebuild",
        ) from error
    report.seconds = time.perf_counter() - began
    return report


def _bring_in(connection: Any, home: Home, run_ids: Iterable[str] | None, report: IngestReport) -> None:
    known = {
        folder: (signature, run)
        for folder, signature, run in connection.execute("SELECT folder, signature, run FROM folders").fetchall()
    }
    present = folders.signatures(home)
    wanted = list(present if run_ids is None else dict.fromkeys(run_ids))
    for name in wanted:
        if name not in present:
            raise UnknownName("run", name, present, see="muster db info")
    next_run = connection.execute("SELECT coalesce(max(run), 0) + 1 FROM runs").fetchone()[0]
    batch = Batch(home.root)
    try:
        for name in wanted:
            signature, run = known.get(name, (None, None))
            if signature == present[name]:
                report.unchanged += 1
                continue
            if run is not None:
                batch.replaced.append(run)
            report.read.append(name)
            report.damages += _read_run(RunFolder(home.runs / name), present[name], next_run, batch)
            next_run += 1
            if batch.rows >= _BATCH_ROWS:
                report.rows += batch.rows
                batch.load(connection)
        if run_ids is None:
            for name in known.keys() - present.keys():
                report.removed.append(name)
                batch.folders.append(name)
                if known[name][1] is not None:
                    batch.replaced.append(known[name][1])
        if batch.rows or batch.folders:
            report.rows += batch.rows
            batch.load(connection)
            connection.execute("CHECKPOINT")
    finally:
        batch.close()


def _read_run(folder: RunFolder, signature: str, run: int, batch: Batch) -> list[Damage]:
    content = folders.read(folder)
    damages = list(content.damages)
    if content.plan is not None:
        damages += run_rows(run, content.plan, content.environment, content.records, batch.add)
        batch.runs.append(run)
    batch.folders.append(folder.run_id)
    key = None if content.plan is None else run
    batch.add("folders", {"folder": folder.run_id, "signature": signature, "run": key})
    for damage in damages:
        batch.add(
            "damages", {"folder": damage.folder, "file": damage.file, "line": damage.line, "reason": damage.reason}
        )
    return damages


def _delete(path: Path) -> None:
    path.unlink(missing_ok=True)
    Path(f"{path}.wal").unlink(missing_ok=True)
