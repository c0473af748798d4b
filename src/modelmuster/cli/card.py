"""`muster card`: what a run measured of one model, for its model card."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelmuster.cli import reading

if TYPE_CHECKING:
    from modelmuster.estimate.requirements import Requirements
    from modelmuster.views.results import ResultRow

FORMATS = ("markdown", "yaml")


def card(
    model_type: Annotated[str, typer.Argument(metavar="TYPE", help="An architecture of the run.")],
    *,
    run: reading.OfRun = "latest",
    format_: Annotated[str, typer.Option("--format", metavar="|".join(FORMATS), help="What to write.")] = "markdown",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: standard output.")
    ] = None,
    estimate: Annotated[
        bool, typer.Option(help="Add what the model would need, computed from shapes and marked as such.")
    ] = True,
) -> None:
    """Write where a model works and how fast, as measured in a run, with provenance; estimates stand apart.

    Examples: muster card bert · muster card bert --format yaml --output bert.yaml
    """
    from modelmuster.cli.console import err
    from modelmuster.errors import UsageError
    from modelmuster.history.timings import timings
    from modelmuster.report import card as cards
    from modelmuster.report import files
    from modelmuster.store.environments import environment_of
    from modelmuster.views import results
    from modelmuster.views.narrowing import narrow

    if format_ not in FORMATS:
        raise UsageError(f"unknown format {format_!r}", hint=f"formats are: {', '.join(FORMATS)}")
    with reading.stored() as reader:
        kept = narrow(reader, run=run, names=[model_type])
        if len(kept.names) > 1:
            raise UsageError(f"{model_type!r} fits {len(kept.names)} architectures", hint="a card is about one")
        found = results.rows(reader, kept)
        [about] = reader.rows("SELECT created_at FROM runs WHERE run = $run", run=kept.run.key)
        environment = environment_of(reader, kept.run.key)
        timed = timings(reader, run_id=kept.run.run_id, model_type=kept.names[0])
    need, why = _requirements(found[0]) if estimate else (None, "it was not asked for")
    made = cards.card(
        found, created_at=about["created_at"], environment=environment, timed=timed, estimate=need, no_estimate=why
    )
    content = cards.as_yaml(made) if format_ == "yaml" else cards.as_markdown(made)
    if output is None or str(output) == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    files.write(output, content)
    err().print(reading.safe(f"wrote {output}: {made.model_type} in run {made.run_id}"), soft_wrap=True)


def _requirements(row: ResultRow) -> tuple[Requirements | None, str]:
    """What the model of a row would need, or why that cannot be told here."""
    from modelmuster import dependencies
    from modelmuster.cli.estimate import requirements
    from modelmuster.errors import MusterError

    if not dependencies.is_installed("torch"):
        return None, f"torch is not installed; type: {dependencies.install_command('torch')}"
    try:
        return requirements(row.checkpoint or row.model_type, row.model_class), ""
    except MusterError as error:
        return None, error.message
