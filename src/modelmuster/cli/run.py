"""`muster run`: bring the planned cells to processes, keep every record, and say what was found."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelmuster.cli import monitoring, selecting

if TYPE_CHECKING:
    from modelmuster.contracts import Executor
    from modelmuster.records import Plan
    from modelmuster.runs.runner import RunSummary

Jobs = Annotated[int | None, typer.Option("--jobs", "-j", help="Cells at a time. Default: the usable cores.", min=1)]
Address = Annotated[
    str | None,
    typer.Option("--address", help="Of the cluster: HOST:PORT, or local for one of this machine.", metavar="ADDRESS"),
]
AllowMixed = Annotated[
    bool, typer.Option("--allow-mixed", help="Let machines with different versions take part in one run.")
]
Plain = Annotated[bool, typer.Option("--no-progress", help="Plain lines instead of a live bar.")]


def run(
    terms: selecting.Terms = None,
    *,
    family: selecting.Families = None,
    target: selecting.Targets = None,
    check: selecting.Checks = None,
    classes: selecting.Classes = "default",
    class_name: selecting.ClassNames = None,
    dtype: selecting.Dtypes = None,
    scale: selecting.ScaleName = "tiny",
    seed: selecting.Seed = 0,
    checkpoint: selecting.Checkpoints = None,
    trust_remote_code: selecting.TrustRemoteCode = False,
    parts: selecting.Parts = False,
    limit: selecting.Limit = None,
    shard: selecting.Shard = None,
    golden: Annotated[
        Path | None, typer.Option("--golden", help="Weights, inputs and expected outputs from this golden pack.")
    ] = None,
    outcome: selecting.OutcomeNames = None,
    of: selecting.OfRun = "latest",
    changed: selecting.Changed = None,
    repository: selecting.Repository = Path(),
    resume: Annotated[
        bool, typer.Option("--resume", help="Finish an interrupted run (see --of): only what lacks.")
    ] = False,
    jobs: Jobs = None,
    per_device: Annotated[int, typer.Option("--per-device", help="Cells that share an accelerator.", min=1)] = 4,
    timeout: Annotated[float, typer.Option("--timeout", help="Wall-clock seconds a cell may take.", min=0.1)] = 120.0,
    memory: Annotated[float, typer.Option("--memory", help="GiB a cell may take.", min=0.1)] = 6.0,
    executor: Annotated[str, typer.Option("--executor", help="Who brings cells to processes: local, ray.")] = "local",
    expectations: selecting.ExpectationsFolder = None,
    address: Address = None,
    allow_mixed: AllowMixed = False,
    metrics: monitoring.Metrics = None,
    otlp: monitoring.Otlp = None,
    json: Annotated[bool, typer.Option("--json", help="The results as one JSON array, when all is done.")] = False,
    no_progress: Plain = False,
) -> None:
    """Build, run and check the selected architectures; exit 1 when something was found.

    Examples: muster run bert 'qwen*' · muster run --family vision -t cpu · muster run --resume
    """
    from modelmuster.cli import golden as golden_packs
    from modelmuster.cli.sampling import say_how_long
    from modelmuster.runs import folders
    from modelmuster.runs.engines import engine
    from modelmuster.settings import Home

    home = Home.find()
    chosen = engine(executor, jobs=jobs, per_device=per_device, address=address, allow_mixed=allow_mixed)
    if resume:
        plan = (folders.latest_run(home) if of == "latest" else folders.open_run(home, of)).read_plan()
    else:
        choice = selecting.Choice(
            terms=terms,
            families=family,
            targets=target,
            checks=check,
            classes=classes,
            class_names=class_name,
            dtypes=dtype,
            scale=scale,
            seed=seed,
            checkpoints=checkpoint,
            trust_remote_code=trust_remote_code,
            parts=parts,
            limit=limit,
            shard=shard,
            outcomes=outcome,
            of_run=of,
            changed=changed,
            repository=repository,
        )
        command = shlex.join(["muster", *sys.argv[1:]])
        if golden is None:
            plan = selecting.make_plan(choice, command, executor=chosen)
        else:
            plan = golden_packs.make_plan(choice, golden, command, executor=chosen)
    fetch_checkpoints(plan)
    if not resume:
        say_how_long(plan, chosen.slots)
    summary = carry_out(
        plan,
        chosen,
        resume=resume,
        timeout_s=timeout,
        memory_bytes=int(memory * 2**30),
        expectations=expectations,
        metrics=metrics,
        otlp=otlp,
        plain=no_progress,
    )
    say(plan, summary)
    if json:
        from modelmuster.cli.results import write_results

        write_results(plan.run_id)
    raise typer.Exit(exit_code(summary))


def fetch_checkpoints(plan: Plan) -> None:
    """Bring the checkpoints of the plan here: cells have no network.

    Raises:
        UsageError, InfrastructureError: one of them cannot be had.
    """
    wanted = {cell.checkpoint: cell.trust_remote_code for cell in plan.cells if cell.checkpoint is not None}
    for spec, trusted in wanted.items():
        from modelmuster.recipes import checkpoint

        checkpoint.fetched(spec, trust_remote_code=trusted)


def carry_out(
    plan: Plan,
    executor: Executor,
    *,
    resume: bool = False,
    timeout_s: float = 120.0,
    memory_bytes: int = 6 << 30,
    threads: int = 1,
    repeat_failures: bool = True,
    expectations: Path | None = None,
    metrics: str | None = None,
    otlp: str | None = None,
    plain: bool = False,
) -> RunSummary:
    """Run a plan with a display, and bring the store up to date.

    Raises:
        UsageError: expectations that cannot be read, a store of a newer version, or an address of whoever watches.
        MissingDependency: what somebody who watches needs is not installed.
        RunInProgress: another run is writing in this folder.
        InfrastructureError: processes, disk or locks failed.
    """
    from modelmuster import store
    from modelmuster.cli.progress import display
    from modelmuster.contracts import Limits
    from modelmuster.expectations import book
    from modelmuster.runs import folders, journal, runner
    from modelmuster.settings import Home

    known = book.in_force(expectations)
    home = Home.find()
    home.create()
    store.refuse_newer_store(home)
    limits = Limits(wall_s=timeout_s, cpu_s=timeout_s * threads, memory_bytes=memory_bytes, threads=threads)
    quiet = plain or bool(os.environ.get("CI"))
    with monitoring.watching(plan, metrics, otlp) as watchers, display(len(plan.cells), plain=quiet) as shown:
        told = monitoring.Watchers((shown, watchers))
        if resume and watchers.each:
            for record in journal.read(folders.open_run(home, plan.run_id).journal):
                watchers.record(record)
        summary = runner.run(
            plan,
            executor,
            home,
            resume=resume,
            limits=limits,
            repeat_failures=repeat_failures,
            expectations=known,
            on_record=told.record,
            on_progress=told.progress,
        )
    store.ingest(home, [plan.run_id])
    return summary


def exit_code(summary: RunSummary) -> int:
    """0 all passed, held or failed as expected, 1 other findings, 3 cells without a record, 130 interrupted."""
    if summary.interrupted:
        return 130
    if summary.unexpected or summary.stale:
        return 1
    return 3 if summary.recorded < summary.planned else 0


def say(plan: Plan, summary: RunSummary) -> None:
    """The last lines of a run, on standard error."""
    from modelmuster.cli.console import err

    err().print(f"run {plan.run_id}: {summary.results}", markup=False, soft_wrap=True)
    for stale in summary.stale:
        err().print(f"no longer fails: {stale}", markup=False, soft_wrap=True)
    for name, reason in plan.unplanned.items():
        err().print(f"not planned: {name}: {reason}", markup=False, soft_wrap=True)
    if summary.recorded < summary.planned:
        left = summary.planned - summary.recorded
        err().print(f"{left} cells are still to be run: muster run --resume --of {plan.run_id}", markup=False)
    else:
        err().print("next: muster matrix, muster results, muster report", markup=False)
