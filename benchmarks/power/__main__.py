"""`python -m benchmarks.power [FAULT…]`: seed the faults, run the checks, print what was caught and what was not."""

from __future__ import annotations

import argparse
import fnmatch
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.power import fault, plugin, run, table


def main(arguments: Sequence[str]) -> int:
    """Exit 1 when a healthy model alarms or a fault changes nothing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.power", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="FAULT", help="names or globs; default: all")
    parser.add_argument("--list", action="append", default=[], metavar="NAME", help="only this file; repeatable")
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many faults, spread over the files")
    parser.add_argument("--check", action="append", default=[], metavar="NAME", help="only this check; repeatable")
    parser.add_argument("--jobs", "-j", type=int, metavar="N", help="cells side by side; default: the usable cores")
    given = parser.parse_args(arguments)
    every = fault.load()
    chosen = [made for made in every if not given.names or any(fnmatch.fnmatch(made.name, n) for n in given.names)]
    chosen = [made for made in chosen if not given.list or made.list in given.list]
    if given.limit:
        chosen = chosen[:: max(1, len(chosen) // given.limit)][: given.limit]
    if not chosen:
        parser.error(f"no such fault: {' '.join((*given.names, *given.list))}")
    began = time.perf_counter()
    with plugin.installed(every), tempfile.TemporaryDirectory(prefix="muster-power-") as folder:
        measured = run.measure(chosen, Path(folder), checks=run.all_checks(given.check), slots=given.jobs)
    for line in table.lines(measured):
        print(line)
    cpu_s = sum(verdict.cpu_s for verdict in measured.verdicts)
    print(f"\n{time.perf_counter() - began:.0f} s wall, {cpu_s:.0f} s CPU in faulty cells")
    return table.exit_code(measured)


sys.exit(main(sys.argv[1:]))
