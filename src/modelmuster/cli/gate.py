"""`muster gate`: may this run pass? `muster compare`: what changed between two runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelmuster.cli import reading

if TYPE_CHECKING:
    from modelmuster.history.changes import Change, Comparison
    from modelmuster.history.gate import Verdict

_SHOWN = 20
"""Questions of each rule that are written out."""

Baseline = Annotated[
    str | None,
    typer.Option(
        "--baseline",
        "-b",
        help="A run's id, a file of --save-baseline, previous, or commit:BRANCH. Without one every unforeseen finding "
        "counts.",
        metavar="BASELINE",
    ),
]


def gate(
    *,
    run: reading.OfRun = "latest",
    baseline: Baseline = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", help="File with a [gate] table. Default: muster.toml, pyproject.toml.")
    ] = None,
    save_baseline: Annotated[
        Path | None, typer.Option("--save-baseline", help="Keep the run as a file to compare with, and stop.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", help="Also write a summary there, for a pull request.", metavar="FILE")
    ] = None,
    annotate: Annotated[bool, typer.Option("--annotate", help="Also print GitHub's annotations.")] = False,
    json: reading.AsJson = False,
) -> None:
    """Exit 0 when the run may pass, 1 when a rule is broken, 3 when work was lost, 5 when nothing was decided.

    Rules and their defaults: new_failures = 0, stale_expectations = 0, unanswered = 0, not_run = 0, slower = 0,
    slower_by = 0.2, min_decided = 1, min_coverage = 0.0.

    Examples: muster gate · muster gate --baseline commit:main · muster gate --save-baseline baseline.json
    """
    from modelmuster.cli.console import err, write_json
    from modelmuster.errors import UsageError
    from modelmuster.history import baselines, side
    from modelmuster.history.gate import Rules, judge
    from modelmuster.history.slower import speeds
    from modelmuster.project import table
    from modelmuster.views import runs

    with reading.stored() as reader:
        which = runs.find(reader, run)
        found = baselines.of_run(reader, which.run_id, which.key)
        if save_baseline is not None:
            side.write(found, save_baseline)
            err().print(reading.safe(f"wrote {save_baseline}: {len(found.answers)} answers of {which.run_id}"))
            return
        old = baselines.find(reader, baseline, instead_of=which.run_id) if baseline is not None else None
        if old is not None and not old.answers.keys() & found.answers.keys():
            raise UsageError(
                f"the baseline {old.name} asked none of the questions of {which.run_id}",
                hint="compare with a run of the same targets, checks and seed",
            )
        wanted = table("gate", Rules, rules)
        speed = speeds(reader, old.name, which.run_id, wanted.slower_by) if old is not None else None
        verdict = judge(found, old, wanted, _stale(which.run_id), speed.slower if speed else ())
    if speed is not None and speed.left_out:
        err().print(
            f"note: {speed.left_out} measured cells are not compared by speed: another machine or model, or too little "
            f"evidence; {speed.compared} are",
            soft_wrap=True,
        )
    if markdown is not None:
        from modelmuster.report import files, verdict_markdown

        files.write(markdown, verdict_markdown.render(verdict, which.run_id).encode())
    if annotate:
        from modelmuster.report.verdict_markdown import workflow_commands

        sys.stdout.write(workflow_commands(verdict))
    if json:
        write_json({"verdict": verdict, "exit_code": verdict.exit_code})
    else:
        _say(verdict, which.run_id)
    raise typer.Exit(verdict.exit_code)


def compare(
    old: Annotated[
        str, typer.Argument(help="A run's id, a file of --save-baseline, previous, commit:BRANCH, or a target.")
    ],
    new: Annotated[str, typer.Argument(help="A run's id, latest, or another target.")] = "latest",
    *,
    run: Annotated[str, typer.Option("--run", help="The run in which to compare two targets.")] = "latest",
    json: reading.AsJson = False,
) -> None:
    """Show what changed between two runs: the machines first, then every question that is answered otherwise.

    Two targets are compared in one run, over the architectures that both planned.

    Examples: muster compare previous · muster compare 20261123-101502-417-9f3a latest --json ·
    muster compare torch:cpu openvino:cpu
    """
    from modelmuster.cli import beside
    from modelmuster.cli.console import write_json
    from modelmuster.history import baselines
    from modelmuster.history.changes import compare as compared
    from modelmuster.views import runs

    if beside.are_targets(old, new):
        beside.compare(old, new, run, as_json=json)
        return
    with reading.stored() as reader:
        which = runs.find(reader, new)
        found = baselines.of_run(reader, which.run_id, which.key)
        comparison = compared(baselines.find(reader, old, instead_of=which.run_id), found)
    if json:
        write_json(comparison)
        return
    _say_environment(comparison)
    for change in comparison.changes:
        sys.stdout.write(reading.visible(_line(change)) + "\n")
    sys.stdout.write(f"{len(comparison.changes)} changes in {comparison.common} questions that both asked\n")


def _stale(run_id: str) -> list[str]:
    from modelmuster.expectations import book
    from modelmuster.runs import folders, journal
    from modelmuster.settings import Home

    known = book.in_force()
    if not known.entries:
        return []
    records = journal.read_lenient(folders.open_run(Home.find(), run_id).journal).records
    return [str(stale) for record in records if record.final for stale in known.stale(record)]


def _say(verdict: Verdict, run_id: str) -> None:
    """What is wrong goes to standard output, so that a job's page shows it."""
    write = sys.stdout.write
    if verdict.comparison is not None:
        _say_environment(verdict.comparison)
    for broken in verdict.broken:
        lost = ", lost work" if broken.infrastructure else ""
        write(f"broken: {broken.rule}: {_number(broken.found)} found, {_number(broken.allowed)} allowed{lost}\n")
        for change in broken.changes[:_SHOWN]:
            write(f"  {reading.visible(_line(change))}\n")
            if change.reproduce:
                write(f"    {reading.visible(change.reproduce)}\n")
        if len(broken.changes) > _SHOWN:
            write(f"  and {len(broken.changes) - _SHOWN} more: muster gate --json\n")
    for line in verdict.stale:
        write(f"stale: {reading.visible(line)}\n")
    share = (
        f"{verdict.passed} of {verdict.decided} decided passed; {verdict.decided} of {verdict.planned} planned decided"
    )
    if verdict.exit_code == 0:
        write(f"the gate is open: {share}\n")
        return
    write(f"the gate is closed: {share}\n")
    if verdict.exit_code == 1:
        write(
            f"to accept this as it is: muster expect update {run_id} (known failures, with reasons), or\n"
            f"  muster gate --run {run_id} --save-baseline FILE (everything)\n"
        )
    elif verdict.exit_code == 3:
        write(f"finish the run first: muster run --resume --of {run_id}\n")


def _say_environment(comparison: Comparison) -> None:
    if comparison.unknown_environment:
        sys.stdout.write("note: one of the two does not tell on which machine it ran\n")
    for line in comparison.environment:
        sys.stdout.write(f"differs: {reading.visible(line)}\n")


def _line(change: Change) -> str:
    before = change.before.value if change.before else "not asked"
    after = change.after.value if change.after else "not asked"
    message = f": {change.message.partition(chr(10))[0][:200]}" if change.message else ""
    return f"{change.kind.value}: {change.cell_id} {change.check}: {before} → {after}{message}"


def _number(value: float) -> str:
    return f"{value:g}"
