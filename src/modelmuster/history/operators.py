"""Operators that a runtime or an exporter names as missing, read from its own words."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SAID = (
    # torch.onnx, the way of torch.export and the way of tracing
    r"No ONNX function found for <OpOverload\(op='(?P<a>[\w.:]+)'",
    r"Exporting the operator '(?P<b>[\w.:]+)' to ONNX",
    # ONNX Runtime
    r"Could not find an implementation for (?P<c>\w+)\(\d+\)",
    r"(?P<d>[\w.]+(?::\w+)?)\(-?\d+\) is not a registered function/op",
    # Targets of our own, where too much ran elsewhere than it was asked to
    r"(?P<h>[\w.]+) on CPU ×\d+",
    # OpenVINO
    r"(?:No conversion rule found for operations?|does not support the following ONNX operations?): (?P<e>[\w.:, ]+)",
    # PyTorch on a device, or in a dtype
    r"The operator '(?P<f>[\w.:]+)' is not currently implemented",
    r"\"(?P<g>\w+)\" not implemented for '\w+'",
)
_PATTERN = re.compile("|".join(_SAID))


def named(words: str) -> Iterator[str]:
    """The operators that a message names as missing, each once; `aten::histc` and `aten.histc` are one."""
    found = [
        name for match in _PATTERN.finditer(words) for group in match.groups() if group for name in group.split(",")
    ]
    yield from dict.fromkeys(name.strip(" .").replace("::", ".") for name in found)
