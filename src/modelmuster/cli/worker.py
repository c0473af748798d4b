"""`muster worker`: make this machine part of a cluster, with what was found on it. `muster workers`: who does what."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from modelmuster.cli import reading

Only = Annotated[
    list[str] | None, typer.Option("--target", "-t", help="Offer only this target; repeatable. Default: all found.")
]


def worker(
    *,
    head: Annotated[bool, typer.Option("--head", help="Be the machine that the others join.")] = False,
    address: Annotated[str | None, typer.Option("--address", help="The head to join.", metavar="HOST:PORT")] = None,
    bind: Annotated[
        str, typer.Option("--bind", help="Address of this machine for the others; loopback unless given.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Of the head.", min=1, max=65535)] = 6379,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="The cluster's secret; the head makes it, the others copy it.")
    ] = None,
    slots: Annotated[int | None, typer.Option("--slots", help="Cells at a time. Default: the cores.", min=1)] = None,
    target: Only = None,
    show: Annotated[bool, typer.Option("--show", help="Print what would be declared, as JSON, and stop.")] = False,
) -> None:
    """Start a Ray node here that declares what `muster doctor` finds; runs until Ctrl-C.

    Examples: muster worker --head --bind 10.0.0.1 · muster worker --address 10.0.0.1:6379 --bind 10.0.0.2
    """
    from modelmuster.errors import UsageError
    from modelmuster.runs.executors.cluster import starting

    if show:
        import json

        resources, _ = starting.declare(tuple(target or ()))
        sys.stdout.write(json.dumps(resources, indent=2) + "\n")
        return
    if head == (address is not None):
        raise UsageError("be the head, or join one", hint="muster worker --head, or muster worker --address HOST:PORT")
    made = starting.start(
        address=address, bind=bind, port=port, token_file=token_file, slots=slots, only=tuple(target or ())
    )
    if head:
        from modelmuster.cli.console import err

        err().print(f"the others join with: muster worker --address {bind}:{port}", markup=False, soft_wrap=True)
        err().print(
            f"runs use it with: muster run --executor ray --address {bind}:{port}", markup=False, soft_wrap=True
        )
    starting.become(made)


def workers(
    *,
    run: reading.OfRun = "latest",
    json: reading.AsJson = False,
) -> None:
    """Show the machines of a run: what they run now, what they did, what was lost, and what the several were worth.

    Examples: muster workers · muster workers --run 2026 --json
    """
    from modelmuster.cli.workers_table import print_table
    from modelmuster.runs import folders, status
    from modelmuster.settings import Home
    from modelmuster.views import runs
    from modelmuster.views.workers import workers as view

    with reading.stored() as reader:
        which = runs.find(reader, run)
        found = view(reader, which, status.read(folders.open_run(Home.find(), which.run_id).status))
    if json:
        from modelmuster.cli.console import write_json

        write_json(found)
    else:
        print_table(found)
