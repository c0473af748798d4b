"""The line in a file that says how it was made, and by its hash whether anyone has edited it since."""

from __future__ import annotations

import hashlib
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from modelmuster.generate.blueprint import Blueprint

MARK = "# muster-generate:"
PLACE = f"{MARK} {{}}"
"""Stands where the header will be, until the text is final."""

_LINE = re.compile(rf"^{re.escape(MARK)}.*$", re.MULTILINE)
_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a file says about its making."""

    model_type: str
    model_class: str
    standalone: bool
    checks: tuple[str, ...]
    recipe: str
    sha256: str


def stamped(text: str, blueprint: Blueprint, *, standalone: bool, checks: tuple[str, ...]) -> str:
    """The text with its header filled in."""
    fields = {
        "type": blueprint.model_type,
        "class": blueprint.model_class,
        "standalone": "yes" if standalone else "no",
        "checks": ",".join(checks) or "all",
        "recipe": blueprint.recipe_hash[:_DIGITS],
        "sha256": _hash(text),
    }
    line = " ".join(f"{name}={quote(value, safe=',')}" for name, value in fields.items())
    return _LINE.sub(lambda _: f"{MARK} {line}", text, count=1)


def read(text: str) -> Header | None:
    """The header of a generated file; None for a file that is none."""
    found = _LINE.search(text)
    if found is None:
        return None
    words = found[0].removeprefix(MARK).split()
    fields = {name: unquote(value) for name, _, value in (word.partition("=") for word in words)}
    if not {"type", "class", "standalone", "checks", "recipe", "sha256"} <= set(fields):
        return None
    return Header(
        model_type=fields["type"],
        model_class=fields["class"],
        standalone=fields["standalone"] == "yes",
        checks=() if fields["checks"] == "all" else tuple(fields["checks"].split(",")),
        recipe=fields["recipe"],
        sha256=fields["sha256"],
    )


def read_file(path: Path) -> Header | None:
    """The header of a file; None for one that was not generated or is no text."""
    try:
        return read(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def is_edited(text: str) -> bool:
    """Whether a generated text is no longer what was generated."""
    found = read(text)
    return found is None or found.sha256 != _hash(text)


def blank(text: str) -> str:
    """The text with an empty header, so that headers play no part in a merge."""
    return _LINE.sub(lambda _: PLACE, text, count=1)


def with_header_of(text: str, other: str) -> str:
    """The text with the header of another one."""
    found = _LINE.search(other)
    return _LINE.sub(lambda _: found[0] if found else PLACE, text, count=1)


def command(blueprint: Blueprint, *, standalone: bool, checks: tuple[str, ...]) -> str:
    """The command line that makes the file again."""
    words = ["muster", "generate", blueprint.model_type]
    words += ["--standalone"] if standalone else []
    words += [word for name in checks for word in ("--check", name)]
    return shlex.join(words)


def _hash(text: str) -> str:
    return hashlib.sha256(_LINE.sub("", text, count=1).encode()).hexdigest()[:_DIGITS]
