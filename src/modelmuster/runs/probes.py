"""Ask every target what it finds here, each runtime in a process of its own, so that no driver can take us down.

Targets that one module registers ask the same libraries, or start the same browsers: they share a process.
"""

from __future__ import annotations

import fnmatch
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from modelmuster import plugins
from modelmuster.contracts import Cluster, Executor, OnRequest, Probe
from modelmuster.errors import MissingDependency, UnknownName
from modelmuster.plugins import BrokenPlugin

PROBE_SECONDS = 60.0
"""A probe that takes longer is hung; a first import of torch on a cold disk has been seen to take 20 s."""
_PLUGINS = "--plugins"
"""Instead of names: what the child is to load."""


def probe_all(names: Iterable[str] | None = None) -> dict[str, Probe]:
    """What each target found on this machine, by name; runtimes are probed side by side."""
    registry = plugins.targets()
    names = list(names) if names is not None else registry.names()
    runtimes: dict[str, list[str]] = {}
    for name in names:
        runtimes.setdefault(registry.module(name), []).append(name)
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = pool.map(_probe_runtime, runtimes.values())
    merged = {name: probe for answers in found for name, probe in answers.items()}
    return {name: merged[name] for name in names}


def broken_foreign_plugins() -> list[BrokenPlugin]:
    """Plug-ins of other distributions that do not load, tried in a process of its own: importing one may end it.

    Our own are known to load, and loading them all takes longer than everything else that `doctor` does.
    """
    if not any(registry.foreign() for registry in plugins.registries()):
        return []
    try:
        child = subprocess.run(
            [sys.executable, "-m", "modelmuster.runs.probes", _PLUGINS],
            capture_output=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
        lines, code, said = child.stdout.splitlines(), child.returncode, child.stderr
    except subprocess.TimeoutExpired as hung:
        lines, code, said = (hung.stdout or b"").splitlines(), -signal.SIGKILL, b""
    found = [msgspec.json.decode(line, type=BrokenPlugin) for line in lines if line.startswith(b"{")]
    # What came up last without an answer took the process with it.
    if code and lines and not lines[-1].startswith(b"{"):
        group, name, distribution = msgspec.json.decode(lines[-1], type=tuple[str, str, str])
        error = _how_it_died(code, said).replace("the probe", "the process that loaded it")
        found.append(BrokenPlugin(group, name, distribution, error, said.decode(errors="replace")))
    return found


def available_targets(executor: Executor | None = None) -> list[str]:
    """Names of the targets that can run with real inference: on the machines of a cluster, or else here.

    Those that run on request only are not among them.
    """
    real = [
        target.name
        for target in plugins.targets().all()
        if target.inference.value == "real" and not isinstance(target, OnRequest)
    ]
    found = executor.probes(real) if isinstance(executor, Cluster) else probe_all(real)
    return [name for name, probe in found.items() if probe.available]


def select_targets(patterns: Sequence[str]) -> list[str]:
    """The registered targets that match names, globs, or platform names (a runtime or a device).

    Raises:
        UnknownName: a pattern that matches nothing.
    """
    known = plugins.targets().names()
    wanted: set[str] = set()
    for pattern in patterns:
        found = [name for name in known if fnmatch.fnmatchcase(name, pattern) or pattern in name.split(":")]
        if not found:
            raise UnknownName("target", pattern, known, see="muster doctor")
        wanted.update(found)
    return [name for name in known if name in wanted]


def _probe_runtime(names: list[str]) -> dict[str, Probe]:
    try:
        child = subprocess.run(
            [sys.executable, "-m", "modelmuster.runs.probes", *names],
            capture_output=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
        said, reason = child.stdout, _how_it_died(child.returncode, child.stderr)
    except subprocess.TimeoutExpired as hung:
        said, reason = hung.stdout or b"", f"the probe hung for {PROBE_SECONDS:.0f} s"
    answers: dict[str, Probe] = {}
    for line in said.splitlines():
        if line.startswith(b"{"):
            answers.update(msgspec.json.decode(line, type=dict[str, Probe]))
    return {name: answers.get(name) or Probe(available=False, reason=reason) for name in names}


def _how_it_died(code: int, stderr: bytes) -> str:
    last = stderr.decode(errors="replace").strip().rpartition("\n")[2]
    if code < 0:
        return f"the probe was killed by {signal.Signals(-code).name}"
    return f"the probe ended with exit code {code}: {last}" if code else "the probe said nothing"


def _load_foreign() -> None:
    for registry in plugins.registries():
        for name in registry.foreign():
            _say([registry.group, name, registry.distribution(name)])
            try:
                registry.get(name)
            except UnknownName:
                _say(registry.broken[name])
            except MissingDependency:
                continue  # it waits for a package, which is no fault


def _say(what: object) -> None:
    # Flushed: what was found before a crash is kept.
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.buffer.flush()


def _answer(names: Sequence[str]) -> None:
    registry = plugins.targets()
    for name in names:
        try:
            probe = registry.get(name).probe()
        except UnknownName as broken:
            probe = Probe(available=False, reason=broken.message)
        _say({name: probe})


if __name__ == "__main__":
    if sys.argv[1:] == [_PLUGINS]:
        _load_foreign()
    else:
        _answer(sys.argv[1:])
