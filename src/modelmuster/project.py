"""Settings of a project: `muster.toml`, or else `[tool.modelmuster]` in `pyproject.toml`, in the current folder."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from modelmuster.errors import UsageError

T = TypeVar("T", bound=msgspec.Struct)

OWN = Path("muster.toml")
SHARED = Path("pyproject.toml")

TABLES = ("gate",)
"""Every table that a project may have."""


def table(name: str, kind: type[T], path: Path | None = None) -> T:
    """One table of the settings, with the defaults of its type for what it does not say.

    Args:
        name: the table's.
        kind: what it holds; unknown keys are refused.
        path: the file; what is found in the current folder if None. Where both are there, only the first is read.

    Raises:
        UsageError: the file cannot be read, or holds a table or key that does not exist.
    """
    where, tables = _read(path)
    for found in tables:
        if found not in TABLES:
            raise UsageError(f"{where}: unknown table {found!r}", hint=_nearest(found, TABLES))
    try:
        return msgspec.convert(tables.get(name, {}), kind)
    except msgspec.ValidationError as error:
        unknown = next((key for key in tables.get(name, {}) if key not in kind.__struct_fields__), None)
        hint = _nearest(unknown, kind.__struct_fields__) if unknown else f"see: muster {name} --help"
        raise UsageError(f"{where}, [{name}]: {error}", hint=hint) from error


def _read(path: Path | None) -> tuple[Path, dict[str, Any]]:
    if path is not None or OWN.exists():
        where = path or OWN
        return where, _parse(where)
    if not SHARED.exists():
        return OWN, {}
    found: dict[str, Any] = _parse(SHARED).get("tool", {}).get("modelmuster", {})
    return SHARED, found


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from error


def _nearest(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
