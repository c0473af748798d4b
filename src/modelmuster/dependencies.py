"""Packages that are optional: which distribution a module comes from, whether it is here, and how to get it.

Read from this distribution's own metadata, so that pyproject.toml stays the one list. Nothing is imported to find out.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from importlib import metadata
from importlib.util import find_spec

from modelmuster.errors import MissingDependency

OURS = "modelmuster"

_MODULES = {
    "opencv-python": "cv2",
    "pillow": "PIL",
    "protobuf": "google",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
}
"""Distributions whose module has another name."""

_DISTRIBUTIONS = {module: name for name, module in _MODULES.items()}
_REQUIREMENT = re.compile(r"([\w.-]+)[^;]*(?:;.*\bextra\s*==\s*['\"]([\w.-]+)['\"])?")


def normal(name: str) -> str:
    """The name as registries compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def distribution_of(module: str) -> str:
    """The distribution that brings a module, as far as the names tell."""
    top = module.partition(".")[0]
    return _DISTRIBUTIONS.get(top) or normal(top)


def module_of(distribution: str) -> str:
    """The module that a distribution is imported by."""
    return _MODULES.get(normal(distribution)) or distribution.replace("-", "_")


def modules_of(distribution: str) -> set[str]:
    """All modules that a distribution brings; where it is not installed, the one that it is known by."""
    names = {module_of(distribution)}
    try:
        found = metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        return names
    declared = found.read_text("top_level.txt")
    if declared:
        return names | set(declared.split())
    tops = {file.parts[0].removesuffix(".py") for file in found.files or () if file.suffix == ".py"}
    return names | {name for name in tops if name.isidentifier()}


def is_installed(distribution: str) -> bool:
    """Whether it can be imported here."""
    return find_spec(module_of(distribution)) is not None


def version(distribution: str) -> str | None:
    """The installed version; None where it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def is_core(distribution: str) -> bool:
    """Whether this package cannot do without it."""
    return normal(distribution) in {OURS, *(name for name, extra in _requirements() if not extra)}


def extra_of(distribution: str) -> str | None:
    """The smallest extra of this package that brings it, or None."""
    sizes = Counter(extra for _, extra in _requirements())
    having = [extra for name, extra in _requirements() if extra and name == normal(distribution)]
    return min(having, key=lambda extra: sizes[extra], default=None)


def optional() -> list[str]:
    """The distributions of all extras."""
    return sorted({name for name, extra in _requirements() if extra})


def install_command(distribution: str) -> str:
    """What to type to get it."""
    extra = extra_of(distribution)
    return f"pip install '{OURS}[{extra}]'" if extra else f"pip install {distribution}"


def missing(distribution: str, *, purpose: str) -> MissingDependency:
    """The error to raise where it is needed and not there."""
    return MissingDependency(distribution, purpose=purpose, extra=extra_of(distribution))


def lacking(error: BaseException | None) -> str | None:
    """The optional distribution whose absence an exception, or what caused it, comes down to; None for other errors."""
    while error is not None:
        if isinstance(error, ModuleNotFoundError) and error.name:
            distribution = distribution_of(error.name)
            if not is_core(distribution) and not is_installed(distribution):
                return distribution
        error = error.__cause__
    return None


@cache
def _requirements() -> tuple[tuple[str, str | None], ...]:
    """Each requirement of this distribution with the extra that it belongs to."""
    lines = (_REQUIREMENT.match(line) for line in metadata.requires(OURS) or ())
    return tuple((normal(found[1]), found[2]) for found in lines if found and normal(found[1]) != OURS)
