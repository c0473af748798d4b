"""`muster browsers`: what browsers there are and what they offer; and the files that pip does not bring."""

from __future__ import annotations

from typing import Annotated, Any

import typer

app = typer.Typer(
    help="Browsers that models can run in: which are here, what they offer, and what has to be brought.",
    rich_markup_mode=None,
    epilog="Example: muster browsers install; muster browsers; muster run bert --target wasm:chromium",
)


@app.callback(invoke_without_command=True)
def browsers(
    context: typer.Context,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Start each browser that is found here, and show its version, adapter and WebNN backend."""
    if context.invoked_subcommand is not None:
        return
    found = _asked()
    if json:
        from modelmuster.cli.console import write_json

        write_json(found)
        return
    _show(found)


@app.command()
def install(
    *,
    chromium: Annotated[
        bool,
        typer.Option("--chromium", help="A headless Chromium with a WebNN backend too; for Linux on x86-64, 70 MB."),
    ] = False,
) -> None:
    """Bring what runs inside a page: onnxruntime-web, from the npm registry, at the pinned version and hash.

    Examples: muster browsers install · muster browsers install --chromium
    """
    import platform
    import sys

    from modelmuster.cli.console import err, out
    from modelmuster.errors import UsageError
    from modelmuster.targets.browser import packages

    if chromium and (sys.platform != "linux" or platform.machine() not in {"x86_64", "AMD64"}):
        raise UsageError(
            f"the Chromium that can be brought is for Linux on x86-64, not {sys.platform} on {platform.machine()}",
            hint="install Chrome or Edge instead; muster browsers shows what they offer",
        )
    for package in (packages.RUNTIME, packages.CHROMIUM) if chromium else (packages.RUNTIME,):
        if not package.is_kept:
            err().print(f"fetching {package.name} {package.version}, {package.megabytes} MB", markup=False)
        out().print(f"{package.name} {package.version}: {packages.bring(package)}", markup=False, soft_wrap=True)


def _asked() -> list[dict[str, Any]]:
    """Every browser that is found, with what it answers or why it does not."""
    from modelmuster.errors import MusterError
    from modelmuster.targets.browser import probing
    from modelmuster.targets.browser.browsers import BROWSERS, installed

    found: list[dict[str, Any]] = []
    for browser in BROWSERS:
        for one in installed(browser):
            try:
                version, offered = probing.ask(one)
                told = {"version": version, **probing.told(offered)}
            except MusterError as error:
                told = {"problem": str(error)}
            found.append({"browser": browser, "path": str(one.path), **told})
    return found


def _show(found: list[dict[str, Any]]) -> None:
    from modelmuster.cli.console import err, out
    from modelmuster.targets.browser.packages import INSTALL, RUNTIME

    for one in found:
        out().print(f"{one.pop('browser')}: {one.pop('version', 'does not start')}", markup=False)
        for name, value in one.items():
            out().print(f"  {name}: {value}", markup=False, soft_wrap=True)
    if not found:
        err().print(f"no browser is found here; type: {INSTALL} --chromium, or install Chrome or Edge", markup=False)
    if not RUNTIME.is_kept:
        err().print(f"{RUNTIME.name}, which computes in a page, is missing; type: {INSTALL}", markup=False)
