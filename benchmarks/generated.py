"""What generated test files notice: the faults of `benchmarks.power`, each seeded while a file of its model runs."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.power import editing, fault
from benchmarks.power.fault import Fault
from modelmuster import catalog
from modelmuster.generate import stock
from modelmuster.generate.drafts import drawn_up
from modelmuster.generate.render import Style
from modelmuster.generate.workshop import Order
from modelmuster.records import Architecture
from modelmuster.runs import containment, preload
from modelmuster.runs.environment import usable_cores
from modelmuster.runs.forkserver import server
from modelmuster.settings import Home

SECONDS = 300.0
"""Of one file."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One file, run on a model with a fault or, where that is None, on the healthy one."""

    file: Path
    architecture: Architecture
    fault: Fault | None

    @property
    def results(self) -> Path:
        """Where pytest leaves what it found."""
        return self.file.with_name(f"{self.file.stem}.{self.fault.name if self.fault else 'healthy'}.xml")


def main() -> None:
    """Print each fault with the tests that notice it, and the shares by family; `MUSTER_BENCH_LIMIT` takes fewer."""
    faults = fault.load()
    if limit := int(os.environ.get("MUSTER_BENCH_LIMIT", "0")):
        faults = faults[:: max(1, len(faults) // limit)][:limit]
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="muster-generated-") as folder:
        trials = _trials(faults, Path(folder))
        healthy = [Trial(one.file, one.architecture, None) for one in {one.file: one for one in trials}.values()]
        _run([*healthy, *trials])
        failed = {one: _failed(one.results) for one in [*healthy, *trials]}
    wrong = {one.file: failed[one] for one in healthy}
    for one in healthy:
        if wrong[one.file]:
            print(f"healthy {one.architecture.model_type}: {', '.join(sorted(wrong[one.file]))}")
    _print({one.fault: failed[one] - wrong[one.file] for one in trials if one.fault})
    print(f"{len(healthy)} files, {time.perf_counter() - began:.0f} s")


def _trials(faults: Sequence[Fault], folder: Path) -> list[Trial]:
    known = catalog.load()
    asked = [(made, known.get(made.architecture)) for made in faults]
    orders = [Order(entry, made.model_class or entry.default_class or "") for made, entry in asked]
    found = stock.find(list(dict.fromkeys(orders)), Home(folder / "home"))
    names = [
        f"test_{re.sub(r'[^a-z0-9]', '_', order.architecture.model_type)}_{order.model_class}.py" for order in orders
    ]
    blueprints = [found[order.architecture.model_type, order.model_class] for order in orders]
    for draft in drawn_up(dict(zip(names, blueprints, strict=True)), Style()):
        (folder / draft.name).write_text(draft.text)
    return [Trial(folder / name, entry, made) for name, (made, entry) in zip(names, asked, strict=True)]


def _run(trials: Sequence[Trial]) -> None:
    """Each file in a process of its own: a fault stays in it."""
    server.preload([*preload.BUILDING, "pytest"])
    cores = usable_cores()
    for start in range(0, len(trials), cores):
        processes = [server.context.Process(target=_child, args=(one,)) for one in trials[start : start + cores]]
        for process in processes:
            server.start(process, log=os.devnull)
        for process in processes:
            process.join(SECONDS)
            if process.is_alive():
                process.kill()


def _child(trial: Trial) -> None:
    containment.die_with_supervisor()
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    package = trial.architecture.module
    for edit in trial.fault.edits if trial.fault else ():
        editing.apply(edit, f"{package}.modeling_{package.rpartition('.')[2]}")
    os.environ["MUSTER_HOME"] = f"{trial.results}.home"
    words = ["--muster-target=torch:cpu", "-p", "no:cacheprovider", f"--junitxml={trial.results}"]
    pytest.main([*words, "--rootdir", str(trial.file.parent), str(trial.file)])


def _failed(results: Path) -> frozenset[str]:
    """Names of the tests that failed; `crash` where pytest did not come to its end."""
    if not results.exists():
        return frozenset({"crash"})
    cases = ET.parse(results).iter("testcase")
    wrong = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    return frozenset(case.get("name", "").partition("[")[0] for case in wrong)


def _print(noticed: Mapping[Fault, frozenset[str]]) -> None:
    families = {made: catalog.load().get(made.architecture).family for made in noticed}
    for made in sorted(noticed, key=lambda made: (families[made], made.name)):
        tests = ", ".join(sorted(noticed[made])) or "nothing"
        print(f"{families[made]:16} {made.name:44} {made.kind}: {tests}")
    for seen_by, title in (
        ("property", "that a property can see"),
        ("golden", "that only remembered outputs can tell"),
    ):
        group = [made for made in noticed if made.seen_by == seen_by]
        print(f"\nFaults {title}: {_rate(group, noticed)}")
        for family in sorted(set(families.values())):
            if members := [made for made in group if families[made] is family]:
                print(f"  {family:16} {_rate(members, noticed)}")


def _rate(group: Sequence[Fault], noticed: Mapping[Fault, frozenset[str]]) -> str:
    return f"{sum(bool(noticed[made]) for made in group)} of {len(group)} noticed"
