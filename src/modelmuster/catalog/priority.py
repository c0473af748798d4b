"""Which architectures people use most: a shipped ranking with its date and source, or one counted on the hub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from modelmuster import atomic
from modelmuster.errors import MissingDependency, UsageError
from modelmuster.settings import user_cache

SHIPPED = Path(__file__).with_name("priorities.json")

COUNTED = 5000
"""Checkpoints of the hub that are counted, the most downloaded first."""
HIGH, MEDIUM = 60, 200
"""How many architectures are of high, and of high or medium priority, in a ranking counted on the hub."""


class Priority(StrEnum):
    """How much an architecture is used."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Ranking:
    """Architectures in the order in which to test them."""

    date: str
    source: str
    high: tuple[str, ...]
    medium: tuple[str, ...]

    def of(self, model_type: str) -> Priority:
        """The priority of an architecture; low unless it is named."""
        if model_type in self.high:
            return Priority.HIGH
        return Priority.MEDIUM if model_type in self.medium else Priority.LOW

    def place(self, model_type: str) -> int:
        """Place in the ranking, from 0; those that are not named share the last."""
        named = (*self.high, *self.medium)
        return named.index(model_type) if model_type in named else len(named)


def ranking() -> Ranking:
    """The ranking that was counted last on the hub, else the shipped one.

    Raises:
        UsageError: the file cannot be read.
    """
    path = refreshed_path()
    return _read(path if path.exists() else SHIPPED)


def refreshed_path() -> Path:
    """Where a ranking counted on the hub is kept."""
    return user_cache() / "priorities.json"


def refresh() -> Ranking:
    """Count downloads on the hub and keep the ranking.

    Raises:
        MissingDependency: huggingface_hub is not installed.
        UsageError: the hub cannot be reached.
    """
    try:
        import huggingface_hub
    except ImportError as error:
        raise MissingDependency("huggingface_hub", purpose="to count downloads", extra="torch") from error
    try:
        listed = huggingface_hub.HfApi().list_models(
            filter="transformers", sort="downloads", limit=COUNTED, expand=["config", "downloads"]
        )
        found = counted(((model.config or {}), model.downloads or 0) for model in listed)
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(
            f"the hub cannot be asked: {reason}",
            hint=f"without it, the shipped ranking of {_read(SHIPPED).date} is used; nothing was changed",
        ) from error
    path = refreshed_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace(path, msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
    return found


def counted(models: Iterable[tuple[Mapping[str, Any], int]]) -> Ranking:
    """The ranking of these checkpoints' configs and downloads."""
    downloads = Counter[str]()
    for config, number in models:
        if isinstance(config.get("model_type"), str):
            downloads[config["model_type"]] += number
    ordered = tuple(name for name, _ in downloads.most_common(MEDIUM))
    source = f"downloads of the {COUNTED} most downloaded transformers checkpoints on the Hugging Face hub"
    return Ranking(f"{datetime.now(UTC):%Y-%m-%d}", source, ordered[:HIGH], ordered[HIGH:])


def _read(path: Path) -> Ranking:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Ranking)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read the ranking {path}: {error}", hint="delete it, or count again") from error
