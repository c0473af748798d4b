"""Releases of a package, each in an environment of its own that lies over the present one.

Such an environment sees everything that is installed here; the release, and what it needs in other versions, lie in
front. So trying another transformers costs a small download and not another torch.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from modelmuster.errors import InfrastructureError, UsageError
from modelmuster.settings import Home

_READY = ".ready"
_OVER = "zz_modelmuster_below.pth"


@dataclass(frozen=True, slots=True)
class Release:
    """One version of one package."""

    package: str
    version: str

    def __str__(self) -> str:
        """As pip takes it."""
        return f"{self.package}=={self.version}"


def parse(text: str) -> Release:
    """`transformers==5.0.0` as a release.

    Raises:
        UsageError: it is something else.
    """
    try:
        wanted = Requirement(text)
        [specifier] = wanted.specifier
        if specifier.operator == "==" and not (wanted.extras or wanted.marker or wanted.url):
            return Release(canonicalize_name(wanted.name), str(Version(specifier.version)))
    except (InvalidRequirement, ValueError):  # InvalidVersion is a ValueError
        pass
    raise UsageError(f"{text!r} is no release", hint="write PACKAGE==VERSION, such as transformers==5.0.0")


def between(good: Release, bad: Release) -> list[str]:
    """All versions from one to the other, both included, in the direction from good to bad; asks the package index.

    Raises:
        UsageError: pip finds no such package.
    """
    done = _pip(sys.executable, "index", "versions", good.package, "--json")
    try:
        known = json.loads(done.stdout)["versions"] if done.returncode == 0 else None
    except (ValueError, KeyError, TypeError):
        known = None
    if known is None:
        raise UsageError(
            f"pip tells no versions of {good.package}: {_last_line(done.stderr)}",
            hint="name them: --releases 5.0.0,5.1.0,…",
        )
    return in_order(good, bad, known)


def in_order(good: Release, bad: Release, known: list[str]) -> list[str]:
    """The versions among these that lie between two releases, with both ends, from good to bad."""
    first, last = sorted((Version(good.version), Version(bad.version)))
    inside = {version for version in map(Version, known) if first <= version <= last} | {first, last}
    return [str(version) for version in sorted(inside, reverse=Version(good.version) > Version(bad.version))]


def environment(home: Home, release: Release) -> Path:
    """The Python of an environment with that release; made once and kept in the cache.

    Raises:
        UsageError: pip cannot install it.
        InfrastructureError: the disk refuses.
    """
    python_version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = home.cache / "releases" / f"{release.package}-{release.version}-py{python_version}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if (folder / _READY).exists():
        return python
    try:
        shutil.rmtree(folder, ignore_errors=True)  # one that was left half made
        venv.create(folder, with_pip=False, symlinks=os.name != "nt")
        own = next(folder.glob("[Ll]ib/**/site-packages"))
        below = [entry for entry in sys.path if Path(entry).name in {"site-packages", "dist-packages"}]
        (own / _OVER).write_text("".join(f"import site; site.addsitedir({entry!r})\n" for entry in below))
    except OSError as error:
        raise InfrastructureError(f"cannot make {folder}: {error.strerror or error}") from error
    done = _pip(str(python), "install", "--quiet", str(release))
    if done.returncode != 0:
        raise UsageError(f"pip cannot install {release}: {_last_line(done.stderr)}")
    (folder / _READY).touch()
    return python


def installed(python: Path) -> dict[str, str | None]:
    """Every distribution that an environment sees, with its version.

    Raises:
        InfrastructureError: its Python does not answer.
    """
    done = _pip(str(python), "list", "--format", "json")
    if done.returncode != 0:
        raise InfrastructureError(f"{python} does not tell what is installed: {_last_line(done.stderr)}")
    return {entry["name"]: entry["version"] for entry in json.loads(done.stdout)}


def surroundings(**changed: str) -> dict[str, str]:
    """The environment variables of a process in such an environment: nothing leads back to this one."""
    left_out = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    return {name: value for name, value in os.environ.items() if name not in left_out} | changed


def _pip(python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=surroundings())


def _last_line(said: str) -> str:
    lines = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR")]
    return lines[-1] if lines else (said.strip().splitlines() or ["it says nothing"])[-1]
