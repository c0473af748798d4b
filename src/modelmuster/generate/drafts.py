"""Files before anybody sees them: rendered, formatted, compiled, collected by pytest, and run where that is asked."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree as ET

from modelmuster.errors import InfrastructureError, MissingDependency
from modelmuster.generate import header
from modelmuster.generate.blueprint import Blueprint
from modelmuster.generate.render import Style, render

LINE_LENGTH = 120

VERIFY_SECONDS = 600
"""Of one pytest process; files are verified in parcels of `PARCEL`."""
PARCEL = 20

_COLLECTED = re.compile(r"^(test_\w+\.py)::", re.MULTILINE)
_ERROR = re.compile(r"^E   (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One file to be."""

    name: str
    blueprint: Blueprint
    text: str
    problem: str = ""
    """Why it must not be written."""
    tests: int = 0
    """Tests that pytest collected from it."""


def drawn_up(named: Mapping[str, Blueprint], style: Style) -> list[Draft]:
    """A formatted, compiled and stamped draft for each blueprint, by file name.

    Raises:
        UsageError: a template has an error.
        MissingDependency: ruff is not installed.
    """
    drafts = [Draft(name=name, blueprint=entry, text=render(entry, style)) for name, entry in named.items()]
    drafts = [replace(draft, problem=_syntax(draft.text)) for draft in drafts]
    with _folder([draft for draft in drafts if not draft.problem]) as folder:
        _ruff(folder)
        return [draft if draft.problem else _stamped(draft, folder / draft.name, style) for draft in drafts]


def collected(drafts: Sequence[Draft]) -> list[Draft]:
    """The drafts, each with the number of its tests, or with the reason why pytest cannot collect it.

    Raises:
        MissingDependency: pytest is not installed.
        InfrastructureError: pytest does not come to an end.
    """
    sound = [draft for draft in drafts if not draft.problem]
    if not sound:
        return list(drafts)
    with _folder(sound) as folder:
        # The folder, not its files one by one: for each of those, pytest would look at all of them.
        output = _pytest(folder, "--collect-only", "--assert=plain", "-q", ".")
    found = _COLLECTED.findall(output)
    counts = {name: found.count(name) for name in {draft.name for draft in sound}}
    return [
        draft
        if draft.problem
        else replace(draft, tests=counts[draft.name], problem=_uncollected(draft, counts, output))
        for draft in drafts
    ]


def verified(drafts: Sequence[Draft]) -> Iterator[Draft]:
    """The drafts after their tests ran on the CPU, those that failed with a problem."""
    sound = [draft for draft in drafts if not draft.problem]
    yield from (draft for draft in drafts if draft.problem)
    for start in range(0, len(sound), PARCEL):
        parcel = sound[start : start + PARCEL]
        with _folder(parcel) as folder:
            results = folder / "results.xml"
            output = _pytest(folder, "-q", "--tb=line", f"--junitxml={results}", ".")
            failures = _failures(results, output)
        for draft in parcel:
            yield replace(draft, problem=failures.get(Path(draft.name).stem, ""))


def _syntax(text: str) -> str:
    try:
        compile(text, "draft", "exec")
    except SyntaxError as error:
        return f"the template gives no Python: line {error.lineno}: {error.msg}: {(error.text or '').strip()}"
    return ""


def _stamped(draft: Draft, path: Path, style: Style) -> Draft:
    text = path.read_text(encoding="utf-8")
    text = header.stamped(text, draft.blueprint, standalone=style.standalone, checks=style.checks)
    return replace(draft, text=text, problem=_syntax(text))


@contextmanager
def _folder(drafts: Sequence[Draft]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="muster-generate-") as name:
        folder = Path(name)
        for draft in drafts:
            (folder / draft.name).write_text(draft.text, encoding="utf-8")
        yield folder


def _ruff(folder: Path) -> None:
    if importlib.util.find_spec("ruff") is None:
        raise MissingDependency("ruff", purpose="to format what is generated", extra="generate")
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--quiet", "--line-length", str(LINE_LENGTH)]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise InfrastructureError(f"ruff cannot format what was generated: {done.stderr.strip()}")


def _pytest(folder: Path, *arguments: str) -> str:
    if importlib.util.find_spec("pytest") is None:
        raise MissingDependency("pytest", purpose="to collect what is generated", extra="generate")
    settings = folder / "pytest.ini"
    settings.write_text("[pytest]\naddopts = -p no:cacheprovider --muster-target=torch:cpu\n")
    environment = {**os.environ, "MUSTER_HOME": str(folder / "home"), "PYTEST_ADDOPTS": ""}
    command = [sys.executable, "-m", "pytest", "-c", str(settings), "--rootdir", str(folder), *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=VERIFY_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise InfrastructureError(f"pytest did not end within {VERIFY_SECONDS} s; nothing was written") from error
    return done.stdout + done.stderr


def _uncollected(draft: Draft, counts: Mapping[str, int], output: str) -> str:
    if counts[draft.name]:
        return ""
    _, _, after = output.partition(f"ERROR collecting {draft.name}")
    reason = _ERROR.search(after.partition("____ ERROR")[0])
    return f"pytest cannot collect it: {reason[1] if reason else output.strip().rpartition(chr(10))[2]}"


def _failures(results: Path, output: str) -> dict[str, str]:
    """What failed, by module; every module where pytest itself did not come to an end."""
    try:
        cases = list(ET.parse(results).iter("testcase"))  # noqa: S314 - pytest wrote it a moment ago
    except (OSError, ET.ParseError) as error:
        raise InfrastructureError(f"pytest did not finish: {output.strip()[-300:]}") from error
    found: dict[str, list[str]] = {}
    for case in cases:
        if any(case.find(kind) is not None for kind in ("failure", "error")):
            found.setdefault(case.get("classname", ""), []).append(case.get("name", ""))
    return {module: f"{len(names)} of its tests fail: {', '.join(names)}" for module, names in found.items()}
