"""Reads run folders for the store: records, and whatever is damaged in them as facts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from modelmuster.errors import InfrastructureError
from modelmuster.records import RECORD_FORMAT, CellRecord, Environment, Plan
from modelmuster.runs import journal
from modelmuster.runs.folders import RunFolder
from modelmuster.settings import Home

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Damage:
    """Something in a run folder that cannot be used."""

    folder: str
    file: str
    line: int | None
    """From 1; None when it is not about one line."""
    reason: str

    def __str__(self) -> str:
        place = f"{self.folder}/{self.file}"
        return f"{place}:{self.line}: {self.reason}" if self.line else f"{place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class FolderContent:
    """What could be read of a run folder."""

    plan: Plan | None
    environment: Environment | None
    records: list[CellRecord]
    damages: list[Damage]


def signatures(home: Home) -> dict[str, str]:
    """Every run folder with the sizes and times of its files: equal for as long as nothing in it was written."""
    if not home.runs.is_dir():
        return {}
    return {path.name: _signature(RunFolder(path)) for path in sorted(home.runs.iterdir()) if path.is_dir()}


def read(folder: RunFolder) -> FolderContent:
    """Everything in a run folder that can be used. Without a plan nothing can."""
    damages: list[Damage] = []
    plan = _read(folder.read_plan, folder.plan.name, folder.run_id, damages)
    if plan is not None:
        wrong = _refusal(plan, folder.run_id)
        if wrong:
            damages.append(Damage(folder.run_id, folder.plan.name, None, wrong))
            plan = None
    if plan is None:
        return FolderContent(None, None, [], damages)
    environment = _read(folder.read_environment, folder.environment.name, folder.run_id, damages)
    name = folder.journal.name
    reading = _read(lambda: journal.read_lenient(folder.journal), name, folder.run_id, damages)
    if reading is None:
        return FolderContent(plan, environment, [], damages)
    damages += [Damage(folder.run_id, name, found.line, found.reason) for found in reading.damages]
    return FolderContent(plan, environment, reading.records, damages)


def _refusal(plan: Plan, folder: str) -> str | None:
    if plan.format > RECORD_FORMAT:
        return f"written by a newer version (format {plan.format}, known here {RECORD_FORMAT})"
    if plan.run_id != folder:
        return f"it is the plan of another run, {plan.run_id!r}"
    return None


def _signature(folder: RunFolder) -> str:
    parts = []
    for path in (folder.plan, folder.environment, folder.journal):
        try:
            found = path.stat()
            parts.append(f"{found.st_size}@{found.st_mtime_ns}")
        except FileNotFoundError:
            parts.append("absent")
    return " ".join(parts)


def _read(reading: Callable[[], T], file: str, folder: str, damages: list[Damage]) -> T | None:
    try:
        return reading()
    except InfrastructureError as error:
        damages.append(Damage(folder, file, None, error.message))
        return None
