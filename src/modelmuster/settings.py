"""Where things are kept, and the environment variables that change it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from modelmuster.errors import UsageError

_YES, _NO = frozenset({"1", "true", "yes", "on"}), frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of runs, store and caches: `$MUSTER_HOME`, or `.muster` in the current folder."""

    root: Path

    @classmethod
    def find(cls) -> Home:
        """The home that is in force; not created until something is written."""
        return cls(Path(os.environ.get("MUSTER_HOME") or ".muster").absolute())

    @property
    def runs(self) -> Path:
        """One folder per run: plan, environment, journal, logs."""
        return self.root / "runs"

    @property
    def store(self) -> Path:
        """The DuckDB file, rebuilt from journals at will."""
        return self.root / "store.duckdb"

    @property
    def snapshot(self) -> Path:
        """The published copy of the store that readers open."""
        return self.root / "snapshot.duckdb"

    @property
    def lock(self) -> Path:
        """Held by whoever writes runs."""
        return self.root / "lock"

    @property
    def store_lock(self) -> Path:
        """Held by whoever writes the store, so that a store can be brought up to date while a run is writing."""
        return self.root / "store.lock"

    @property
    def cache(self) -> Path:
        """Winning input layouts, exported models: all of it can be deleted."""
        return self.root / "cache"

    def create(self) -> None:
        """Make the folder, with a note that keeps it out of git.

        Raises:
            UsageError: it cannot be written.
        """
        try:
            self.runs.mkdir(parents=True, exist_ok=True)
            ignore = self.root / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
        except OSError as error:
            raise UsageError(
                f"cannot write to {self.root}: {error.strerror or error}",
                hint="choose another folder: MUSTER_HOME=/path muster …",
            ) from error


def mock_asked() -> bool:
    """Whether `$MUSTER_MOCK` asks for mock inference wherever no target is named.

    Raises:
        UsageError: it is neither a yes nor a no.
    """
    said = os.environ.get("MUSTER_MOCK", "").strip().lower()
    if said not in _YES | _NO:
        raise UsageError(
            f"cannot read MUSTER_MOCK={said}", hint="MUSTER_MOCK=1 asks for mock inference, MUSTER_MOCK=0 not"
        )
    return said in _YES


def user_cache() -> Path:
    """Caches that do not belong to a project, such as the catalogue of an installed transformers version."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("modelmuster"))
