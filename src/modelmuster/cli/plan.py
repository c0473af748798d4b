"""`muster plan`: precisely the cells that `muster run` would run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from modelmuster.cli import selecting


def plan(
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
    outcome: selecting.OutcomeNames = None,
    of: selecting.OfRun = "latest",
    changed: selecting.Changed = None,
    repository: selecting.Repository = Path(),
    json: Annotated[bool, typer.Option("--json", help="The plan as one JSON document.")] = False,
) -> None:
    """Show the cells that `muster run` would run with the same options, without running any."""
    from modelmuster.cli import sampling
    from modelmuster.cli.console import out, write_json
    from modelmuster.runs.environment import usable_cores

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
    made = selecting.make_plan(choice, command=" ".join(sys.argv[1:]))
    if json:
        write_json(made)
        return
    for cell in made.cells:
        out().print(
            f"{cell.model_type:32} {cell.model_class:48} {cell.target:16} {cell.dtype:9} {', '.join(cell.checks)}",
            markup=False,
            soft_wrap=True,
        )
    for name, reason in made.unplanned.items():
        out().print(f"{name:32} cannot be planned: {reason}", markup=False, soft_wrap=True)
    sampling.say_how_long(made, usable_cores())
    cells, checks = len(made.cells), sum(len(cell.checks) for cell in made.cells)
    typer.echo(f"{cells} cells, {checks} checks", err=True)
