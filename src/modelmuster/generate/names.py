"""Names of files and classes, made of whatever the catalogue holds."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

from modelmuster.records import Architecture


class FileNames:
    """File names for the architectures of a catalogue: readable, importable, and no two alike on any disk."""

    def __init__(self, model_types: Iterable[str]) -> None:
        self._slugs = Counter(_slug(model_type) for model_type in model_types)

    def name(self, architecture: Architecture, model_class: str) -> str:
        """`test_bert.py`; for other classes than the default one `test_bert_BertModel.py`."""
        stem = _slug(architecture.model_type)
        if not stem or self._slugs[stem] > 1:
            digest = hashlib.sha256(architecture.model_type.encode()).hexdigest()[:6]
            stem = f"{stem}_{digest}".strip("_")
        if model_class != architecture.default_class:
            stem += "_" + re.sub(r"\W", "_", model_class, flags=re.ASCII)
        return f"test_{stem}.py"


def _slug(model_type: str) -> str:
    return re.sub(r"[^0-9a-z]+", "_", model_type.lower()).strip("_")
