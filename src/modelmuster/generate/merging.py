"""Three-way merges: what was generated once, what a person made of it, what would be generated now."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from modelmuster.errors import MissingDependency
from modelmuster.generate import header
from modelmuster.settings import Home


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged text. Where both sides changed the same lines, the person's stand."""

    text: str
    report: str
    """The places where that happened, and what the generator would have written there; empty where there are none."""


def remember(text: str, home: Home) -> None:
    """Keep a generated text as the base of later merges. A full disk costs the merge, not the file."""
    found = header.read(text)
    if found is None:
        return
    try:
        path = _path(home, found.sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError:
        return


def base_of(edited: str, now: str, home: Home) -> str | None:
    """The text that an edited file was generated as: remembered, or made again; None where neither can be."""
    found = header.read(edited)
    if found is None:
        return None
    fresh = header.read(now)
    if fresh is not None and fresh.sha256 == found.sha256:
        return now
    try:
        base = _path(home, found.sha256).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return None if header.is_edited(base) else base


def merge(base: str, edited: str, now: str) -> Merged:
    """Take over into the edited text what the generator changed since the base.

    Raises:
        MissingDependency: merge3 is not installed.
    """
    if importlib.util.find_spec("merge3") is None:
        raise MissingDependency("merge3", purpose="to merge what was edited with what is generated", extra="generate")
    from merge3 import Merge3

    bases, mine, new = (header.blank(text).splitlines(keepends=True) for text in (base, edited, now))
    lines: list[str] = []
    conflicts: list[str] = []
    for region in Merge3(bases, mine, new).merge_regions():
        match region:
            case ("unchanged", start, end):
                lines += bases[start:end]
            case ("a" | "same", start, end):
                lines += mine[start:end]
            case ("b", start, end):
                lines += new[start:end]
            case ("conflict", _, _, start, end, new_start, new_end):
                wanted = "".join(f"    {line}" for line in new[new_start:new_end])
                conflicts.append(f"line {len(lines) + 1}: both changed it, yours stands; generated now:\n{wanted}")
                lines += mine[start:end]
    return Merged(header.with_header_of("".join(lines), now), "\n".join(conflicts).rstrip())


def _path(home: Home, sha256: str) -> Path:
    return home.cache / "generated" / f"{sha256}.py"
