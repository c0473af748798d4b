"""Runs of other machines: brought into this home as they are, again and again without harm; and several made one."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from modelmuster import atomic
from modelmuster.errors import InfrastructureError, UsageError
from modelmuster.records import DECIDED, Cell, CellRecord, Environment, Outcome, Result
from modelmuster.runs import journal
from modelmuster.runs.folders import RunFolder, create_run, open_run
from modelmuster.runs.plan import new_plan
from modelmuster.settings import Home

_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
"""Ids become names of folders; a foreign one is taken only if it cannot lead out of ours."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one foreign run."""

    run_id: str
    source: Path
    state: str
    """`new`, `longer` when more of a known run was brought, or `unchanged`."""
    records: int


def import_runs(home: Home, sources: Iterable[Path]) -> list[Imported]:
    """Bring runs into a home: folders of runs, or folders that hold some, such as another machine's `.muster`.

    A run that is here already is replaced only by a journal that continues it.

    Raises:
        UsageError: a source that holds no run, an id that is none, links instead of files, or two different runs of
            one id. Whatever was brought before stays.
        InfrastructureError: a plan is damaged, or the disk refuses.
    """
    home.create()
    return [_import(home, folder) for source in sources for folder in _runs_in(source)]


def unite(home: Home, run_ids: Sequence[str], command: str) -> RunFolder:
    """One run out of several, such as the shards of a plan: their cells, and every attempt at each.

    Where two runs decided a cell, the younger attempt decides; results on which they disagree are marked flaky, and
    both attempts are kept. The machines stay apart: each record says where it was made.

    Raises:
        UnknownName: there is no such run.
        UsageError: none of the runs tells its environment.
        InfrastructureError: a journal is damaged, or the disk refuses.
    """
    folders = [open_run(home, run_id) for run_id in run_ids]
    plans = [folder.read_plan() for folder in folders]
    cells: dict[str, Cell] = {}
    for cell in (cell for plan in plans for cell in plan.cells):
        known = cells.get(cell.id)
        checks = dict.fromkeys((*(known.checks if known else ()), *cell.checks))
        cells[cell.id] = msgspec.structs.replace(cell, checks=tuple(checks))
    unplanned = {name: reason for one in plans for name, reason in one.unplanned.items()}
    plan = new_plan(cells.values(), unplanned, command)
    environments = [found for folder in folders if (found := folder.read_environment()) is not None]
    if not environments:
        raise UsageError("none of these runs tells its environment", hint="import complete run folders")
    made = create_run(home, plan, environments[0])
    made.keep_environments(dict(_by_machine(folders)))
    with journal.Journal(made.journal) as writer:
        for record in _joined(folders, plan.run_id):
            writer.append(record)
    return made


def _runs_in(source: Path) -> list[Path]:
    if (source / "plan.json").is_file():
        return [source]
    found = sorted(path.parent for pattern in ("*/plan.json", "runs/*/plan.json") for path in source.glob(pattern))
    if not found:
        raise UsageError(f"{source} holds no run", hint="give the folder of a run, or another machine's .muster")
    return found


def _import(home: Home, source: Path) -> Imported:
    plan = RunFolder(source).read_plan()
    if not _SAFE_ID.fullmatch(plan.run_id):
        raise UsageError(f"{source}: {plan.run_id!r} is no id of a run")
    target = RunFolder(home.runs / plan.run_id)
    links = [path.name for path in source.iterdir() if path.is_symlink()]
    if links:
        raise UsageError(
            f"{source}: {', '.join(sorted(links)[:3])}: a link, which may lead to a file of this machine",
            hint="copy the run with its files: cp -rL",
        )
    content = _complete_lines(source / "journal.jsonl")
    present = _complete_lines(target.journal) if target.plan.exists() else None
    state = "new"
    if present is not None:
        if (target.plan.read_bytes(), True) != ((source / "plan.json").read_bytes(), _one_continues(present, content)):
            raise UsageError(
                f"{source}: another run of the id {plan.run_id} is here already, and differs",
                hint=f"look at both, and delete one: {target.root}",
            )
        state = "longer" if len(content) > len(present) else "unchanged"
    if state != "unchanged":
        _copy(source, target, content)
    return Imported(plan.run_id, source, state, content.count(b"\n"))


def _copy(source: Path, target: RunFolder, content: bytes) -> None:
    """The files that a run folder has, and no others; the plan last, so that a folder with a plan is complete."""
    try:
        target.logs.mkdir(parents=True, exist_ok=True)
        for log in (source / "logs").glob("*.log"):
            if log.is_file() and not log.is_symlink():
                shutil.copyfile(log, target.logs / log.name)
        for name in ("environment.json", "environments.json", "status.json"):
            if (source / name).is_file():
                atomic.replace(target.root / name, (source / name).read_bytes(), durable=True)
        atomic.replace(target.journal, content, durable=True)
        atomic.replace(target.plan, (source / "plan.json").read_bytes(), durable=True)
    except OSError as error:
        raise InfrastructureError(f"cannot bring {source} to {target.root}: {error.strerror or error}") from error


def _complete_lines(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise InfrastructureError(f"cannot read {path}: {error.strerror or error}") from error
    return content[: content.rfind(b"\n") + 1]


def _one_continues(first: bytes, second: bytes) -> bool:
    return first.startswith(second) or second.startswith(first)


def _by_machine(folders: Iterable[RunFolder]) -> Iterator[tuple[str, Environment]]:
    for folder in folders:
        found = folder.read_environment()
        yield from folder.read_environments().items()
        if found is not None:
            yield found.hostname or folder.run_id, found


def _joined(folders: Iterable[RunFolder], run_id: str) -> Iterator[CellRecord]:
    by_cell: dict[str, list[CellRecord]] = defaultdict(list)
    for folder in folders:
        for record in journal.read(folder.journal):
            by_cell[record.cell.id].append(record)
    for records in by_cell.values():
        records.sort(key=lambda record: record.started_at)
        finals = [record for record in records if record.final]
        deciding = finals[-1] if finals else None
        for attempt, record in enumerate(records, start=1):
            decides = record is deciding
            yield msgspec.structs.replace(
                record,
                run_id=run_id,
                attempt=attempt,
                final=decides,
                results=_marked(record, finals) if decides else record.results,
            )


def _marked(deciding: CellRecord, finals: Sequence[CellRecord]) -> tuple[Result, ...]:
    """The results, flaky where another machine decided otherwise."""
    said: dict[str, set[Outcome]] = defaultdict(set)
    for record in finals:
        for result in record.results:
            if result.outcome in DECIDED:
                said[result.check].add(result.outcome)
    return tuple(
        msgspec.structs.replace(result, flaky=True) if said[result.check] - {result.outcome} else result
        for result in deciding.results
    )
