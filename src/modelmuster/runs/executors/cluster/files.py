"""Tests of generated files on a machine of the cluster: one pytest in a process of its own for a file on a target.

The file's text travels there, and pytest's reports come back as JSON, line by line as pytest-reportlog writes them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from modelmuster.contracts import FileJob, FileRun
from modelmuster.runs import containment
from modelmuster.runs.executors.cluster.task import LOG_BYTES, node_name

_REPORTS = "reports.jsonl"
_OPTIONS = (
    # No settings, cache or journal of that machine: what the reports hold is recorded where they go.
    *("-c", os.devnull, "-p", "no:cacheprovider", "-p", "no:modelmuster-files"),
    *("--rootdir", ".", "--report-log", _REPORTS),
)
_ENDED = {0, 1}
"""Exit codes of a pytest that ran its tests."""


def run_file(encoded: bytes) -> bytes:
    """Run inside a Ray worker: a `FileJob` as JSON in, a `FileRun` as JSON out."""
    job = msgspec.json.decode(encoded, type=FileJob)
    with tempfile.TemporaryDirectory(prefix="muster-") as name:
        folder = Path(name)
        (folder / Path(job.name).name).write_text(job.text, encoding="utf-8")
        ending, log = _run(job, folder)
        reports = folder / _REPORTS
        lines = reports.read_text(encoding="utf-8").splitlines() if reports.exists() else []
    kept = tuple(line for line in lines if _is_report(line))
    return msgspec.json.encode(FileRun(node_name(), kept, ending, log[-LOG_BYTES:]))


def read(said: object) -> FileRun:
    """What `run_file` said.

    Raises:
        msgspec.DecodeError: it is something else.
    """
    if not isinstance(said, bytes):
        raise msgspec.DecodeError(f"a worker sent a {type(said).__name__} instead of reports")
    return msgspec.json.decode(said, type=FileRun)


def _run(job: FileJob, folder: Path) -> tuple[str, str]:
    """How pytest ended, and what it printed."""
    tests = [f"{Path(job.name).name}::{test}" for test in job.tests]
    command = [sys.executable, "-m", "pytest", *_OPTIONS, "--muster-target", job.target, *tests]
    threads = {"OMP_NUM_THREADS": str(job.limits.threads), "PYTEST_ADDOPTS": ""}
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **threads},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout=job.limits.wall_s)
            ending = "" if code in _ENDED else _words(code)
        except subprocess.TimeoutExpired:
            ending = f"took longer than {job.limits.wall_s:g} s"
        finally:
            below = containment.descendants(process.pid)
            containment.kill_group(process.pid)
            containment.kill_all(below)
            process.wait()
        output.seek(0)
        return ending, output.read().decode(errors="replace")


def _words(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def _is_report(line: str) -> bool:
    try:
        found = msgspec.json.decode(line)
    except msgspec.DecodeError:  # torn: the process died while it wrote
        return False
    return isinstance(found, dict) and found.get("$report_type") == "TestReport"
