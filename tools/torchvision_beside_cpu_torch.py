"""Make torchvision's wheel importable beside a CPU build of torch. Run once by `make setup`; changes this environment.

timm insists on torchvision, whose wheel in the package index is built for CUDA. Beside a CPU torch its compiled
operators do not load, which torchvision tolerates, but then its import fails all the same: it registers shapes for two
operators that nobody declared. Declaring them, without an implementation, lets everything written in Python work; who
calls one of the operators still gets an error. Where torch and torchvision match, nothing is changed.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

DECLARATIONS = """
if not _has_ops():  # declared by modelmuster's set-up: torch is a CPU build, torchvision is not
    torch.library.define("torchvision::nms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    torch.library.define("torchvision::qnms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
"""


def main() -> int:
    """Append the declarations unless they are there; 1 where torchvision is not installed."""
    found = importlib.util.find_spec("torchvision")
    if found is None or found.origin is None:
        sys.stderr.write("torchvision is not installed\n")
        return 1
    extension = Path(found.origin).with_name("extension.py")
    text = extension.read_text(encoding="utf-8")
    if DECLARATIONS not in text:
        extension.write_text(text + DECLARATIONS, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
