"""`muster checks`: every question that is asked, of whom, and how far off an answer may be."""

from __future__ import annotations

from typing import Annotated

import typer

from modelmuster.cli import selecting


def checks(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names of checks. Default: all.", metavar="[CHECK]...")
    ] = None,
    *,
    markdown: Annotated[bool, typer.Option("--markdown", help="As a table for documentation.")] = False,
    json: selecting.Json = False,
) -> None:
    """Show what each check asks, of which models, and with which tolerance.

    Examples: muster checks · muster checks padding cache · muster checks --markdown
    """
    from modelmuster import plugins
    from modelmuster.checks.describe import describe, table
    from modelmuster.cli.console import out, write_json

    registry = plugins.checks()
    found = [describe(registry.get(name)) for name in (names or sorted(registry.names()))]
    if json:
        write_json(found)
    elif markdown:
        typer.echo(table(found), nl=False)
    else:
        for each in found:
            out().print(f"[bold]{each.name}[/bold]  {each.question}")
            out().print(f"    of: {each.asked_of or 'every model'}", markup=False)
            out().print(f"    tolerance: {each.tolerance}", markup=False)
