"""A run on real models killed ten times at random moments, and resumed each time: is anything lost or done twice?"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from modelmuster.runs import folders, journal
from modelmuster.settings import Home

ARCHITECTURES = 120
KILLS = 10
LONGEST_S = 6.0
"""The kill comes at a moment drawn evenly from this time, counted from the first record of the session."""


def main() -> None:
    """Print what each kill left, and whether the end is whole; exit with 1 if it is not."""
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        for kill in range(1, KILLS + 1):
            _killed(home, chance.uniform(0, LONGEST_S), resume=kill > 1)
            finals = _finals(home)
            print(f"kill {kill:2}: {len(finals)} of {_planned(home)} cells recorded, {_twice(finals)} twice")
        _start(home, resume=True).communicate()
        finals = _finals(home)
        print(f"resumed to the end: {len(finals)} of {_planned(home)} cells recorded, {_twice(finals)} twice")
        if len(finals) != _planned(home) or _twice(finals):
            sys.exit(1)


def _killed(home: Home, after_s: float, *, resume: bool) -> None:
    process = _start(home, resume=resume)
    before = _lines(home)
    while process.poll() is None and _lines(home) == before:
        time.sleep(0.01)
    time.sleep(after_s)
    process.kill()
    process.communicate()


def _start(home: Home, *, resume: bool) -> subprocess.Popen[bytes]:
    chosen = ["--resume"] if resume else ["--limit", str(ARCHITECTURES), "--target", "torch:cpu", "--check", "forward"]
    return subprocess.Popen(
        [sys.executable, "-m", "modelmuster", "run", *chosen],
        env={**os.environ, "MUSTER_HOME": str(home.root)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _lines(home: Home) -> int:
    if not home.runs.exists() or not folders.run_ids(home):
        return 0
    path = folders.latest_run(home).journal
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _finals(home: Home) -> Counter[str]:
    return Counter(record.cell.id for record in journal.read(folders.latest_run(home).journal) if record.final)


def _planned(home: Home) -> int:
    return len(folders.latest_run(home).read_plan().cells)


def _twice(finals: Counter[str]) -> int:
    return sum(count > 1 for count in finals.values())
