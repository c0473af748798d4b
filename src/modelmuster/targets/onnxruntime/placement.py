"""Where the nodes of a graph ran and in which precision, from ONNX Runtime's own profile of a run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelmuster.targets.export.eight_bits import OPERATOR

_FLOATS = {"float": "float32", "float16": "float16", "bfloat16": "bfloat16", "double": "float64"}
_MOVES = frozenset({
    "Cast", "Concat", "Constant", "ConstantOfShape", "Expand", "Flatten", "Gather", "GatherElements", "GatherND",
    "Identity", "MemcpyFromHost", "MemcpyToHost", "Pad", "Range", "Reshape", "ScatterElements", "ScatterND", "Shape",
    "Slice", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze", "Where",
})  # fmt: skip
"""Operators that move numbers and compute none: the type of their result says nothing about arithmetic."""


@dataclass(frozen=True, slots=True)
class Placement:
    """What one run of a session did."""

    total: int
    """Nodes that ran."""
    on_target: int
    elsewhere: tuple[str, ...]
    """Operators that ran on another provider, most frequent first, as `Gather on CPU ×3`."""
    precision: str
    """Floating-point types that nodes computed in, most frequent first, joined by `+`; empty if none did."""
    eight_bits: int = 0
    """Products with a matrix of eight bits, as such: another kind of node may do the work of one."""


def read(profile: Path, provider: str) -> Placement:
    """The placement of the run that this profile describes; a node that ran several times, in a loop, counts once."""
    nodes: dict[str, dict[str, Any]] = {}
    for event in json.loads(profile.read_bytes()):
        arguments = event.get("args", {})
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time") and "provider" in arguments:
            nodes[event["name"]] = arguments
    strays = Counter(
        f"{node['op_name']} on {node['provider'].removesuffix('ExecutionProvider')}"
        for node in nodes.values()
        if node["provider"] != provider
    )
    computed = Counter(
        _FLOATS[kind]
        for node in nodes.values()
        if node["op_name"] not in _MOVES
        for kind in _types(node.get("output_type_shape", ()))
        if kind in _FLOATS
    )
    return Placement(
        total=len(nodes),
        on_target=len(nodes) - strays.total(),
        elsewhere=tuple(f"{name} ×{count}" for name, count in strays.most_common()),
        precision="+".join(name for name, _ in computed.most_common()),
        eight_bits=sum(node["op_name"] == OPERATOR for node in nodes.values()),
    )


def _types(outputs: Iterable[Any]) -> Iterable[str]:
    for output in outputs:
        yield from output
