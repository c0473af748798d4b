"""`muster doctor`: what can run here and, for what cannot, what is missing and how to get it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelmuster import dependencies
from modelmuster.processor import processor

if TYPE_CHECKING:
    from modelmuster.contracts import Probe
    from modelmuster.plugins import BrokenPlugin
    from modelmuster.records import Environment


def doctor(
    *,
    models: Annotated[
        bool, typer.Option("--models", help="What each missing package holds back and would unlock.")
    ] = False,
    only_plugins: Annotated[
        bool, typer.Option("--plugins", help="Only plug-ins, with tracebacks of broken ones.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Show what can run here and, for what cannot, which package or driver is missing."""
    from modelmuster import plugins

    if only_plugins:
        _show_plugins(plugins.broken_plugins(), as_json=json)
        return
    from concurrent.futures import ThreadPoolExecutor

    from modelmuster.runs import environment, misfits, probes

    # Each of these waits for processes of its own, or for the disk.
    with ThreadPoolExecutor() as pool:
        probing = pool.submit(probes.probe_all)
        trying, loading = pool.submit(misfits.misfit), pool.submit(probes.broken_foreign_plugins)
        here = environment.capture()
        packages = {name: dependencies.version(name) for name in _optional()}
        found, broken = probing.result(), loading.result()
        problems = [f"{one.reason}; {one.remedy}" for one in [trying.result()] if one is not None]
    held_back = None
    if models:
        from modelmuster.cli.doctor_models import gather, show

        held_back = gather(found)
    if json:
        from modelmuster.cli.console import write_json

        write_json(
            {
                "environment": here,
                "processor": processor(),
                "targets": found,
                "packages": packages,
                "problems": problems,
                "broken_plugins": broken,
                "held_back": held_back,
            }
        )
        return
    _show(here, found, packages, problems, broken)
    if held_back is not None:
        show(held_back)


def _optional() -> list[str]:
    """The packages of the extras, and those that single architectures need."""
    from modelmuster import catalog

    needed = {name for entry in catalog.load() for name in entry.requires}
    return sorted({*dependencies.optional(), *needed})


def _show(
    here: Environment,
    found: dict[str, Probe],
    packages: dict[str, str | None],
    problems: list[str],
    broken: list[BrokenPlugin],
) -> None:
    from rich.table import Table

    from modelmuster.cli.console import out

    console = out()
    console.print(f"{here.cpu}, {here.cores} usable cores, {here.memory_bytes / 2**30:.0f} GiB, Python {here.python}")
    console.print(_extensions())
    table = Table(title="Targets", title_justify="left", box=None, pad_edge=False)
    for heading in ("target", "state", "device or reason", "to mend it"):
        table.add_column(heading, overflow="fold")
    for name, probe in found.items():
        state = "[cyan]available[/cyan]" if probe.available else "unavailable"
        table.add_row(name, state, _plain(_device(probe)), _plain(probe.remedy))
    console.print(table)
    table = Table(title="Packages", title_justify="left", box=None, pad_edge=False)
    for heading in ("package", "version", "to install it"):
        table.add_column(heading)
    for name, version in packages.items():
        remedy = "" if version else _plain(dependencies.install_command(name))
        table.add_row(name, version or "missing", remedy)
    console.print(table)
    for problem in problems:
        console.print(f"[bold]problem:[/bold] {_plain(problem)}")
    for plugin in broken:
        described = _plain(f"{plugin.name} of {plugin.distribution}: {plugin.error}")
        console.print(f"[bold]broken plug-in:[/bold] {described}")


def _device(probe: Probe) -> str:
    """The device, with the word for one that is none; or why there is none."""
    from modelmuster.records import DeviceKind

    emulated = f" ({probe.device_kind})" if probe.device_kind is DeviceKind.SOFTWARE_EMULATED else ""
    return f"{probe.device_name}{emulated}" if probe.device_name else probe.reason


def _extensions() -> str:
    """What the processor computes with, and whether its clock is its own."""
    found = processor()
    vectors = ", ".join(found.vectors) or "vector extensions unknown"
    matrix = ", ".join(found.amx) or "no AMX"
    return f"{vectors}; {matrix}{'; a virtual machine' if found.virtualised else ''}"


def _show_plugins(broken: list[BrokenPlugin], *, as_json: bool) -> None:
    from modelmuster import plugins
    from modelmuster.cli.console import out, write_json

    listing: dict[str, Any] = {
        registry.kind: {name: registry.distribution(name) for name in registry.names()}
        for registry in plugins.registries()
    }
    if as_json:
        write_json({"plugins": listing, "broken": broken})
        return
    for kind, entries in listing.items():
        for name, distribution in entries.items():
            out().print(f"{kind:9} {name:22} {distribution}", markup=False)
    for plugin in broken:
        out().print(f"\n{plugin.name} of {plugin.distribution} does not load:\n{plugin.traceback}", markup=False)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
