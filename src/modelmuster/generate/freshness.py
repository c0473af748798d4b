"""Whether a blueprint is what would be made now: hashes over the code and the data that decide it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import msgspec

from modelmuster import catalog
from modelmuster.catalog import own
from modelmuster.generate.blueprint import ASKED
from modelmuster.recipes import overrides
from modelmuster.records import Architecture

MAKERS = ("blueprint.py", "expressions.py", "survey.py", "rehearsal.py")
"""The code that reads a model and writes down its blueprint."""

_HERE = Path(__file__).parent
_PACKAGE = _HERE.parent
_IMPORT = re.compile(r"^ *from modelmuster\.((?:recipes|checks)(?:\.\w+)*) import (\([^)]*\)|[^\n]*)", re.MULTILINE)


@cache
def code_key() -> str:
    """A hash over all code that has a say: the makers', the templates', and of recipes and checks what it leads to."""
    checks = (_PACKAGE / "checks" / f"{name}.py" for name in (*ASKED, "determinism"))
    makers = [*map(_HERE.joinpath, MAKERS), *checks]
    return _hash([*sorted(_with_imports(makers)), *sorted(_HERE.joinpath("templates").glob("*.py.j2"))])


def data_key(architecture: Architecture) -> str:
    """A hash over what holds for one architecture alone: overrides, and its code where it is no part of transformers.

    An override of any type of the package counts, since classes may be made for the config of another type.
    """
    types = {architecture.model_type, *architecture.part_of, *_types_by_module().get(architecture.module, ())}
    found = {name: _said(table) for name, table in overrides.load().items() if name.partition(":")[0] in types}
    code = own.code(architecture.model_type)
    if not (found or code):
        return ""
    return hashlib.sha256(msgspec.json.encode([found, code], order="deterministic")).hexdigest()[:16]


def _said(table: overrides.Override) -> dict[str, object]:
    """What an override changes; not why, nor what it leaves as it is."""
    return {name: value for name, value in msgspec.to_builtins(table).items() if value and name != "reason"}


@cache
def _types_by_module() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for entry in catalog.load():
        found.setdefault(entry.module, []).append(entry.model_type)
    return found


def _with_imports(paths: Iterable[Path]) -> set[Path]:
    """These files, and those of recipes and checks that they import, and so on."""
    seen, waiting = set[Path](), list(paths)
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += _imported(path.read_text(encoding="utf-8"))
    return seen


def _imported(text: str) -> Iterator[Path]:
    for module, names in _IMPORT.findall(text):
        for dotted in (module, *(f"{module}.{name}" for name in re.findall(r"\w+", names))):
            place = _PACKAGE.joinpath(*dotted.split("."))
            yield from (path for path in (place.with_suffix(".py"), place / "__init__.py") if path.exists())


def _hash(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
