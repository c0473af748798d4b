"""How the machines of a run look in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelmuster.views.workers import Machine, Workers


def print_table(found: Workers) -> None:
    """A line for each machine, then what the several were worth."""
    from rich.table import Table

    from modelmuster.cli.reading import safe, table_console

    console = table_console()
    table = Table("machine", "state", "slots", "attempts", "lost", "busy s", "cells/min", "used", "running now")
    for machine in found.machines:
        table.add_row(
            safe(machine.name),
            _state(machine),
            _number(machine.slots),
            str(machine.attempts),
            str(machine.lost),
            f"{machine.busy_s:.0f}",
            _number(machine.cells_per_minute),
            "" if machine.utilisation is None else f"{machine.utilisation:.0%}",
            safe(", ".join(f"{cell.split('|')[0]} {seconds:.0f} s" for cell, seconds in machine.running.items())),
        )
    console.print(table)
    state = f"goes on, looked at {found.looked_at}" if found.live else "has ended"
    console.print(safe(f"run {found.run_id} {state}: {found.recorded} of {found.planned} cells recorded"))
    if found.span_s is not None and found.speed_up is not None:
        share = "" if found.efficiency is None else f", efficiency {found.efficiency:.0%}"
        console.print(
            f"{found.work_s:.0f} s of work in {found.span_s:.0f} s: speed-up {found.speed_up:.2f}{share}; "
            f"{found.repetitions} repetitions"
        )
    for target, seconds in found.waited_s.items():
        console.print(safe(f"median wait for {target}: {seconds:.1f} s"))
    for slow in found.slowest[:3]:
        console.print(safe(f"slow: {slow.cell_id.split('|')[0]} on {slow.machine}: {slow.seconds:.1f} s"))


def _state(machine: Machine) -> str:
    if machine.alive is None:
        return "not watched"
    return "alive" if machine.alive else f"gone for {machine.silent_s or 0:.0f} s"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}".removesuffix(".0")
