"""What a runtime of exported models needs besides itself: nothing runs on it before a model was built and exported."""

from __future__ import annotations

from modelmuster import dependencies
from modelmuster.contracts import Probe

NEEDED = ("torch", "transformers", "onnx", "onnxscript")


def lacking(runtime: str) -> Probe | None:
    """Why nothing can be brought to the runtime here; None where all is there."""
    missing = tuple(name for name in NEEDED if not dependencies.is_installed(name))
    if not missing:
        return None
    return Probe(
        available=False,
        reason=f"{runtime} is there, but {', '.join(missing)} to build and export models is not installed",
        missing=missing,
        remedy=dependencies.install_command(missing[0]),
    )
