"""The tree of commands. Typer is told about each; what a command needs is imported when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from modelmuster import __version__
from modelmuster.cli import (
    bisect,
    browsers,
    card,
    catalog,
    checks,
    coverage,
    dashboard,
    db,
    demo,
    doctor,
    estimate,
    expect,
    families,
    feed,
    gate,
    generate,
    golden,
    matrix,
    measure,
    plan,
    plot,
    recipe,
    recommend,
    report,
    results,
    run,
    scaffold,
    worker,
)

app = typer.Typer(
    name="muster",
    help="Every Hugging Face architecture, on every runtime you have, really run and honestly reported.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: muster doctor; muster run bert llama vit; muster matrix; muster report",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"modelmuster {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)] = False,
) -> None:
    """Every Hugging Face architecture, on every runtime you have, really run and honestly reported."""


app.add_typer(catalog.app, name="catalog")
app.command("recipe")(recipe.recipe)
app.command("checks")(checks.checks)
app.command("doctor")(doctor.doctor)
app.add_typer(browsers.app, name="browsers")
app.command("estimate")(estimate.estimate)
app.command("plan")(plan.plan)
app.command("run")(run.run)
app.command("measure")(measure.measure)
app.command("recommend")(recommend.recommend)
app.command("advise")(recommend.advise)
app.command("demo")(demo.demo)
app.command("results")(results.results)
app.command("generate")(generate.generate)
app.command("coverage")(coverage.coverage)
app.command("scaffold")(scaffold.scaffold)
app.command("matrix")(matrix.matrix)
app.command("families")(families.families)
app.command("report")(report.report)
app.command("card")(card.card)
app.command("feed")(feed.feed)
app.command("dashboard")(dashboard.dashboard)
app.command("plot")(plot.plot)
app.add_typer(expect.app, name="expect")
app.command("compare")(gate.compare)
app.command("gate")(gate.gate)
app.command("bisect")(bisect.bisect)
app.command("worker")(worker.worker)
app.command("workers")(worker.workers)
app.add_typer(golden.app, name="golden")
app.add_typer(db.app, name="db")
