"""The folder of a run: plan, environment, journal and logs, and how runs are found again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from modelmuster import atomic
from modelmuster.contracts import Job
from modelmuster.errors import InfrastructureError, UnknownName, UsageError
from modelmuster.records import Cell, Environment, Plan
from modelmuster.settings import Home


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of one run; the folder exists once its plan is written."""

    root: Path

    @property
    def run_id(self) -> str:
        """The run's id, which is the folder's name."""
        return self.root.name

    @property
    def plan(self) -> Path:
        """What the run set out to do; written first and never changed."""
        return self.root / "plan.json"

    @property
    def environment(self) -> Path:
        """The machine and software it ran on."""
        return self.root / "environment.json"

    @property
    def environments(self) -> Path:
        """The other machines that took part, by the name that begins `CellRecord.worker`."""
        return self.root / "environments.json"

    @property
    def status(self) -> Path:
        """What the run is doing at the moment."""
        return self.root / "status.json"

    @property
    def journal(self) -> Path:
        """The records, one line each."""
        return self.root / "journal.jsonl"

    @property
    def logs(self) -> Path:
        """What the cells printed, one file per attempt that printed anything."""
        return self.root / "logs"

    def read_plan(self) -> Plan:
        """The plan.

        Raises:
            InfrastructureError: it is missing or damaged.
        """
        try:
            return msgspec.json.decode(self.plan.read_bytes(), type=Plan)
        except (OSError, msgspec.DecodeError) as error:
            raise InfrastructureError(f"cannot read {self.plan}: {error}") from error

    def read_environment(self) -> Environment | None:
        """The environment, or None when the run was stopped before it was written.

        Raises:
            InfrastructureError: it is damaged.
        """
        try:
            return msgspec.json.decode(self.environment.read_bytes(), type=Environment)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise InfrastructureError(f"cannot read {self.environment}: {error}") from error

    def keep_environments(self, found: Mapping[str, Environment]) -> None:
        """Add these machines to those that took part before.

        Raises:
            InfrastructureError: the disk refuses, or what stands there is damaged.
        """
        try:
            atomic.replace(self.environments, msgspec.json.encode({**self.read_environments(), **found}), durable=True)
        except OSError as error:
            raise InfrastructureError(f"cannot write {self.environments}: {error.strerror or error}") from error

    def read_environments(self) -> dict[str, Environment]:
        """The machines of a run on several; empty for one on this machine alone.

        Raises:
            InfrastructureError: the file is damaged.
        """
        try:
            return msgspec.json.decode(self.environments.read_bytes(), type=dict[str, Environment])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            raise InfrastructureError(f"cannot read {self.environments}: {error}") from error


def create_run(home: Home, plan: Plan, environment: Environment) -> RunFolder:
    """The new folder of a run. The plan is written last, so that a folder with a plan is complete.

    Raises:
        UsageError: a run of that id exists.
        InfrastructureError: the disk refuses.
    """
    folder = RunFolder(home.runs / plan.run_id)
    if folder.plan.exists():
        raise UsageError(
            f"the run {plan.run_id} exists already", hint=f"to go on with it: muster run --resume --of {plan.run_id}"
        )
    try:
        folder.logs.mkdir(parents=True, exist_ok=True)
        atomic.replace(folder.environment, msgspec.json.encode(environment), durable=True)
        atomic.replace(folder.plan, msgspec.json.encode(plan), durable=True)
    except OSError as error:
        raise InfrastructureError(
            f"cannot write the run's folder {folder.root}: {error.strerror or error}",
            hint="free some space, or choose another folder: MUSTER_HOME=/path muster …",
        ) from error
    return folder


def run_ids(home: Home) -> list[str]:
    """Ids of all runs, the oldest first."""
    return sorted(path.parent.name for path in home.runs.glob("*/plan.json"))


def open_run(home: Home, run_id: str) -> RunFolder:
    """The folder of that run.

    Raises:
        UnknownName: there is no such run.
    """
    known = run_ids(home)
    if run_id not in known:
        raise UnknownName("run", run_id, known, see=str(home.runs))
    return RunFolder(home.runs / run_id)


def latest_run(home: Home) -> RunFolder:
    """The folder of the youngest run.

    Raises:
        UsageError: there is none yet.
    """
    known = run_ids(home)
    if not known:
        raise UsageError(f"there is no run yet in {home.root}", hint="start one: muster run")
    return RunFolder(home.runs / known[-1])


def log_name(cell: Cell, attempt: int) -> str:
    """File name of an attempt's log: readable, unique, and harmless whatever the cell's names hold."""
    digest = hashlib.sha256(cell.id.encode()).hexdigest()[:12]
    slug = re.sub(r"[^A-Za-z0-9]+", "-", f"{cell.model_type}-{cell.model_class}-{cell.target}").strip("-")[:80]
    return f"{slug}-{digest}-{attempt}.log"


def write_log(job: Job, content: str = "") -> Path:
    """Make the log of an attempt, replacing what stood there.

    Raises:
        InfrastructureError: the disk refuses.
    """
    path = Path(job.log_dir) / log_name(job.cell, job.attempt)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8", errors="replace")
    except OSError as error:
        raise InfrastructureError(
            f"cannot write the log {path}: {error.strerror or error}",
            hint="every record so far is safe; once the disk takes writes again: muster run --resume",
        ) from error
    return path
