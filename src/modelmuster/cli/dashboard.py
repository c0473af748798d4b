"""`muster dashboard`: the pages in a browser, interactive, over published snapshots."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

import typer


def dashboard(
    *,
    host: Annotated[
        str, typer.Option(help="Address to listen on; other than loopback asks for a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 for any that is free.", min=0, max=65535)] = 8050,
    token: Annotated[
        str | None,
        typer.Option(help="What a browser has to bring; made for you where one is needed.", envvar="MUSTER_TOKEN"),
    ] = None,
) -> None:
    """Serve every page interactively: filters, history, comparison, and what runs now.

    It reads what was published, blocks no run and writes nothing; `muster run` publishes when it ends, and
    `muster db ingest` at any time. Ctrl-C ends it.

    Examples: `muster dashboard`, `muster dashboard --host 0.0.0.0 --port 8080`.
    """
    from modelmuster.cli.console import err
    from modelmuster.errors import MissingDependency
    from modelmuster.settings import Home

    for package in ("dash", "plotly"):
        if find_spec(package) is None:
            raise MissingDependency(package, purpose="the dashboard", extra="dashboard")
    from modelmuster.dashboard.guard import token_for
    from modelmuster.dashboard.serving import serve

    def ready(address: str) -> None:
        err().print(f"open {address} (Ctrl-C ends it)", soft_wrap=True, markup=False)

    serve(Home.find(), host=host, port=port, token=token_for(host, token), ready=ready)
