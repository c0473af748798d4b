"""Load a model of a pack as anybody loads a checkpoint, and say what did not fit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model, and the keys that it and the file do not share."""

    module: torch.nn.Module
    missing: tuple[str, ...]
    """Weights that the model wants and the file lacks: they are random."""
    unexpected: tuple[str, ...]
    """Weights of the file that the model has no place for, or a place of another shape."""


def load(model_class: Any, folder: Path) -> Loaded:
    """The model in eval mode, float32, on the CPU."""
    module, said = model_class.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True, local_files_only=True
    )
    unexpected = {str(key) for kind in ("unexpected_keys", "mismatched_keys") for key in said.get(kind) or ()}
    missing = {str(key) for key in said.get("missing_keys") or ()}
    return Loaded(module.float().eval(), tuple(sorted(missing)), tuple(sorted(unexpected)))
