"""What the core costs: its size, its start, and a mock sweep over all architectures, in an environment of its own."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOOL = Path(__file__).parents[1] / "tools" / "environment.py"
STARTS = 9


def main() -> None:
    """Build the environment without any extra, and measure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, TOOL, folder / "env"], check=True)
        python = folder / "env" / "bin" / "python"
        packages = next((folder / "env" / "lib").glob("python*")) / "site-packages"
        size = sum(file.stat().st_size for file in packages.rglob("*") if file.is_file())
        found = sum(1 for _ in packages.glob("*.dist-info"))
        print(f"core install     {size / 2**20:8.1f} MiB in {found} distributions")
        bare = _median([python, "-c", ""])
        start = _median([python, "-m", "modelmuster", "--help"])
        print(f"muster --help    {start:8.3f} s (median of {STARTS}); an empty Python {bare:.3f} s")
        began, before = time.perf_counter(), os.times()
        command = [str(python), "-m", "modelmuster", "run", "--target", "mock", "--no-progress"]
        done = subprocess.run(
            command, env={**os.environ, "MUSTER_HOME": str(folder / "home")}, capture_output=True, text=True, check=True
        )
        wall, after = time.perf_counter() - began, os.times()
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        print(f"mock sweep       {wall:8.1f} s wall, {spent:.1f} s CPU in the command, its fork server's cells apart")
        print(done.stderr.strip().splitlines()[-2])


def _median(command: list[str | Path]) -> float:
    times = []
    for _ in range(STARTS):
        began = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)
