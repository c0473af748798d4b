"""Installed packages that break one another: found and said once, before hundreds of cells fail for the same reason."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from modelmuster import plugins
from modelmuster.contracts import SubjectSource
from modelmuster.errors import UsageError
from modelmuster.records import Inference
from modelmuster.settings import user_cache

IMPORT_SECONDS = 120.0
"""A first import of torch on a cold disk has been seen to take 20 s."""

_WANTED_TORCH = re.compile(r"torch\s*\(?==\s*([\w.]+)")


@dataclass(frozen=True, slots=True)
class Misfit:
    """Two packages that do not fit, and what to type."""

    reason: str
    remedy: str


def require_fitting_packages(targets: Iterable[str]) -> None:
    """Check that models can be built at all, if any of these targets is given models of transformers.

    Raises:
        UsageError: they cannot.
    """
    loaded = [plugins.targets().get(name) for name in targets]
    builds = any(target.inference is Inference.REAL and not isinstance(target, SubjectSource) for target in loaded)
    found = misfit() if builds else None
    if found is not None:
        raise UsageError(found.reason, hint=found.remedy)


@cache
def misfit() -> Misfit | None:
    """A torchvision that was built for another torch.

    It raises when it is imported, and most modelling code of transformers imports it wherever it is installed. A pair
    whose versions fit is taken at its word; any other is tried, in a process of its own, until it once worked.
    """
    torch, torchvision = _version("torch"), _version("torchvision")
    if torch is None or torchvision is None or _fit(torch, torchvision):
        return None
    known = user_cache() / "pairs" / _pair(torch, torchvision)
    if known.exists():
        return None
    command = [sys.executable, "-c", "import torchvision"]
    try:
        child = subprocess.run(command, capture_output=True, text=True, timeout=IMPORT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None
    if not child.returncode:
        with suppress(OSError):  # then it is tried again the next time
            known.parent.mkdir(parents=True, exist_ok=True)
            known.touch()
        return None
    said = child.stderr.strip().rpartition("\n")[2] or f"exit code {child.returncode}"
    return Misfit(
        f"torchvision {torchvision} cannot be imported beside torch {torch} ({said}), and most models of transformers "
        "import it where it is installed",
        "type: pip uninstall torchvision; or install the torchvision that is built for this torch: "
        "see https://pytorch.org/get-started/locally",
    )


def _fit(torch: str, torchvision: str) -> bool:
    """Whether torchvision wants this very version of torch, and both are builds for the same device."""
    version, _, build = torch.partition("+")
    wanted = [found[1] for text in metadata.requires("torchvision") or () if (found := _WANTED_TORCH.match(text))]
    return wanted == [version] and torchvision.partition("+")[2] == build


def _pair(torch: str, torchvision: str) -> str:
    """Name of the note that says that these two, as they are installed, were imported side by side."""
    parts = [torch, torchvision, sys.version, _installed("torch"), _installed("torchvision")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _installed(name: str) -> str:
    """Where the distribution lies, and when it was put there."""
    place = Path(str(metadata.distribution(name).locate_file("")))
    described = place / f"{name}-{metadata.version(name)}.dist-info"
    return f"{place} {described.stat().st_mtime_ns if described.exists() else 0}"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
