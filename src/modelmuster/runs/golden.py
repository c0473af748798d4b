"""Record golden packs, one child process per model, and plan the cells that are held to one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from modelmuster.contracts import Executor, Job, Limits
from modelmuster.errors import UsageError
from modelmuster.recipes.golden.pack import Manifest, Pack, seal
from modelmuster.records import Architecture, Cell, CellRecord, Environment, GoldenPack, Outcome, Plan
from modelmuster.runs.plan import new_plan
from modelmuster.settings import Home

RECORDER = "torch:cpu"
"""The target whose child processes record; nothing is opened on it."""
CHECK = "golden"
_VERSIONS = ("modelmuster", "transformers", "torch", "timm")


def record(
    architectures: Sequence[Architecture],
    root: Path,
    executor: Executor,
    home: Home,
    environment: Environment,
    *,
    seed: int = 0,
    limits: Limits | None = None,
    on_record: Callable[[CellRecord], None] | None = None,
) -> Manifest:
    """Write a new pack: the default class of each architecture that can be built and saved. Closes the executor.

    Raises:
        UsageError: the folder exists and is not empty.
        InfrastructureError: no process can be started any more.
    """
    if root.exists() and any(root.iterdir()):
        raise UsageError(f"{root} is not empty", hint="a pack is made in a new folder")
    jobs = [
        _job(entry, root, home, seed=seed, limits=limits or Limits()) for entry in architectures if entry.default_class
    ]
    folders = {job.cell.id: Path(job.record_golden) for job in jobs}
    models: dict[str, str] = {}
    omitted = {entry.model_type: entry.note or "no class" for entry in architectures if not entry.default_class}
    try:
        for made in executor.run(jobs):
            folder, [result] = folders[made.cell.id], made.results
            if result.outcome is Outcome.PASS:
                models[f"{made.cell.model_type}/{made.cell.model_class}"] = folder.name
            else:
                omitted[made.cell.model_type] = f"{result.outcome}: {result.message}"
                shutil.rmtree(folder, ignore_errors=True)
            if on_record is not None:
                on_record(made)
    finally:
        executor.close()
    packages = {package.name: package.version for package in environment.packages}
    manifest = Manifest(
        created_at=datetime.now(UTC).isoformat(),
        versions={name: version for name in _VERSIONS if (version := packages.get(name))},
        models=dict(sorted(models.items())),
        omitted=dict(sorted(omitted.items())),
    )
    root.mkdir(parents=True, exist_ok=True)
    seal(root, manifest)
    return manifest


def make_plan(
    pack: Pack,
    architectures: Iterable[Architecture],
    *,
    targets: Sequence[str],
    checks: Sequence[str],
    known: Collection[str],
    dtypes: Sequence[str] = ("float32",),
    command: str = "",
) -> Plan:
    """The cells of the pack's models among these architectures.

    Args:
        pack: Verified where its files will be read.
        architectures: What was selected of the catalogue; those that the pack lacks are left out.
        targets: Where to run.
        checks: What to ask.
        known: Every architecture of the catalogue; models of the pack that it lacks go to `Plan.unplanned`.
        dtypes: In what arithmetic.
        command: The command line that made the plan.
    """
    chosen = {entry.model_type: entry for entry in architectures}
    place = GoldenPack(path=str(pack.root.absolute()), digest=pack.digest)
    cells = [
        Cell(
            model_type=name,
            model_class=model_class,
            family=chosen[name].family,
            target=target,
            dtype=dtype,
            golden=place,
            checks=tuple(checks),
        )
        for name, model_class in (key.split("/") for key in pack.manifest.models)
        if name in chosen
        for target in targets
        for dtype in dtypes
    ]
    gone = {key.split("/")[0] for key in pack.manifest.models} - set(known)
    reason = "the golden pack has it, the installed transformers does not"
    return new_plan(cells, dict.fromkeys(sorted(gone), reason), command)


def _job(architecture: Architecture, root: Path, home: Home, *, seed: int, limits: Limits) -> Job:
    cell = Cell(
        model_type=architecture.model_type,
        model_class=architecture.default_class or "",
        family=architecture.family,
        target=RECORDER,
        seed=seed,
        checks=(CHECK,),
    )
    return Job(
        run_id="golden",
        cell=cell,
        limits=limits,
        log_dir=str(home.cache / "golden-logs"),
        cache_dir=str(home.cache),
        record_golden=str(root / architecture.model_type),
        architecture=architecture,
    )
