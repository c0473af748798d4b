"""What becomes of the files in a folder: new ones written, untouched ones renewed, people's own work left alone."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from modelmuster import atomic
from modelmuster.errors import UsageError
from modelmuster.generate import header, merging
from modelmuster.generate.drafts import Draft
from modelmuster.settings import Home


class Fate(StrEnum):
    """What is done with one file."""

    NEW = "new"
    UNCHANGED = "unchanged"
    RENEWED = "renewed"
    """It was as generated, and is replaced by what is generated now."""
    KEPT = "kept"
    """It was edited, and stays as it is."""
    MERGED = "merged"
    """It was edited; what changed in the generator's part was taken over."""
    OVERWRITTEN = "overwritten"
    """It was edited, and --force replaced it."""
    FAILED = "failed"
    """It cannot be made, and what stood there stays."""


WRITTEN = frozenset({Fate.NEW, Fate.RENEWED, Fate.MERGED, Fate.OVERWRITTEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One file and what is to become of it."""

    path: Path
    fate: Fate
    draft: Draft
    before: str = ""
    after: str = ""
    note: str = ""

    @property
    def diff(self) -> str:
        """The change as a unified diff; empty where nothing is written."""
        if self.fate not in WRITTEN:
            return ""
        lines = (self.before.splitlines(keepends=True), self.after.splitlines(keepends=True))
        return "".join(difflib.unified_diff(*lines, fromfile=str(self.path), tofile=f"{self.path} (generated)"))


def prepare_folder(folder: Path) -> None:
    """Raise unless files can be written there; nothing is created.

    Raises:
        UsageError: it is a file, or it cannot be written.
    """
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise UsageError(f"{place} is not a folder", hint="choose another with --output")
    if not os.access(place, os.W_OK | os.X_OK):
        raise UsageError(f"cannot write to {place}: permission denied", hint="choose another folder with --output")


def refuse_hand_written(paths: Sequence[Path]) -> None:
    """Raise if a file of that name stands there that was not generated; --force does not help against that.

    Raises:
        UsageError: there are such files.
    """
    own = [path for path in paths if path.exists() and header.read_file(path) is None]
    if own:
        shown = ", ".join(str(path) for path in own[:3]) + (f" and {len(own) - 3} more" if len(own) > 3 else "")
        raise UsageError(
            f"{shown} would be overwritten, and this program did not write {'them' if len(own) > 1 else 'it'}",
            hint="choose an empty folder with --output, or move your tests away; nothing was changed",
        )


def decide(draft: Draft, path: Path, home: Home, *, force: bool, update: bool) -> Change:
    """What is to become of one file."""
    if draft.problem:
        return Change(path=path, fate=Fate.FAILED, draft=draft, note=draft.problem)
    if not path.exists():
        return Change(path=path, fate=Fate.NEW, draft=draft, after=draft.text)
    before = path.read_text(encoding="utf-8")
    if before == draft.text:
        return Change(path=path, fate=Fate.UNCHANGED, draft=draft, before=before)
    if not header.is_edited(before):
        return Change(path=path, fate=Fate.RENEWED, draft=draft, before=before, after=draft.text)
    if force:
        return Change(path=path, fate=Fate.OVERWRITTEN, draft=draft, before=before, after=draft.text)
    if not update:
        note = "it was edited; --update merges, --diff --force shows and --force makes the new text"
        return Change(path=path, fate=Fate.KEPT, draft=draft, before=before, note=note)
    return _merged(draft, path, before, home)


def write(change: Change, home: Home) -> None:
    """Carry out one change, whole or not at all, and remember what was generated for later merges.

    Raises:
        UsageError: the file cannot be written.
    """
    if change.fate not in WRITTEN:
        return
    try:
        change.path.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace(change.path, change.after.encode())
    except OSError as error:
        raise UsageError(
            f"cannot write {change.path}: {error.strerror or error}", hint="choose another folder with --output"
        ) from error
    merging.remember(change.draft.text, home)


def _merged(draft: Draft, path: Path, before: str, home: Home) -> Change:
    base = merging.base_of(before, draft.text, home)
    if base is None:
        note = "what it was generated from is not known any more, so it cannot be merged; --force replaces it"
        return Change(path=path, fate=Fate.KEPT, draft=draft, before=before, note=note)
    merged = merging.merge(base, before, draft.text)
    if merged.text == before:
        return Change(path=path, fate=Fate.KEPT, draft=draft, before=before, note=merged.report)
    try:
        compile(merged.text, str(path), "exec")
    except SyntaxError as error:
        note = f"the merged text is no Python (line {error.lineno}: {error.msg}), so nothing was written"
        return Change(path=path, fate=Fate.FAILED, draft=draft, before=before, note=note)
    return Change(path=path, fate=Fate.MERGED, draft=draft, before=before, after=merged.text, note=merged.report)
