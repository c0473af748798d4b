"""A distribution that registers a target for each fault and the proof as a check, made for one run of the benchmark."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.power import target
from benchmarks.power.fault import Fault
from modelmuster import plugins

ROOT = Path(__file__).parents[2]


@contextmanager
def installed(faults: Sequence[Fault]) -> Iterator[None]:
    """The plug-ins are found by this process and by those that it starts."""
    with tempfile.TemporaryDirectory(prefix="muster-power-") as folder:
        info = Path(folder) / "muster_power-0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: muster-power\nVersion: 0\n")
        lines = ["[modelmuster.checks]", "power_proof = benchmarks.power.proof:Proof", "[modelmuster.targets]"]
        lines += [f"{made.target} = {target.__name__}:{target.attribute(i)}" for i, made in enumerate(faults)]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
        before = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [folder, str(ROOT), before]))
        sys.path.insert(0, folder)
        _forget()
        try:
            yield
        finally:
            sys.path.remove(folder)
            if before is None:
                del os.environ["PYTHONPATH"]
            else:
                os.environ["PYTHONPATH"] = before
            _forget()


def _forget() -> None:
    importlib.invalidate_caches()
    plugins.targets.cache_clear()
    plugins.checks.cache_clear()
