"""In which precision OpenVINO really computed, node by node: its default on some processors is bfloat16, unasked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from modelmuster.errors import Unsupported

HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16", "int8": "f32"}
"""Values of `INFERENCE_PRECISION_HINT` by dtype; with weights of int8, arithmetic is float32."""
_CAPABILITIES = {"float32": "FP32", "bfloat16": "BF16", "float16": "FP16", "int8": "INT8"}
_FLOATS = {"f32": "float32", "bf16": "bfloat16", "f16": "float16", "f64": "float64"}
_EIGHT_BITS = frozenset({"i8", "u8"})
_PRODUCT = "FullyConnected"
"""What OpenVINO calls a product with a constant matrix; its precision is then that of the matrix."""
_MOVES = frozenset({
    "Broadcast", "Concatenation", "Const", "Convert", "Gather", "GatherElements", "GatherND", "Input", "MemoryInput",
    "MemoryOutput", "Output", "Pad", "Parameter", "Reorder", "Reshape", "Result", "ScatterElementsUpdate",
    "ScatterNDUpdate", "ScatterUpdate", "ShapeOf", "Split", "StridedSlice", "Tile", "Transpose",
})  # fmt: skip
"""Layers that move numbers: their type says nothing about arithmetic."""


@dataclass(frozen=True, slots=True)
class Layers:
    """The nodes of a compiled model."""

    total: int
    precision: str
    """Floating-point types that layers compute in, most frequent first, joined by `+`; empty if none does."""
    eight_bits: int
    """Products with a matrix of eight bits."""


def offers(core: Any, device: str, dtype: str) -> bool:
    """Whether the device says that it computes in this dtype."""
    return _CAPABILITIES[dtype] in core.get_property(device, "OPTIMIZATION_CAPABILITIES")


def insist(compiled: Any, dtype: str) -> None:
    """Hold the device's plug-in to the precision that it was asked for.

    Raises:
        Unsupported: it has chosen another one.
    """
    chosen = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    if chosen != HINTS[dtype]:
        raise Unsupported(f"OpenVINO was asked for {dtype}, but computes in {_FLOATS.get(chosen, chosen)}")
    if dtype == "int8" and not layers(compiled).eight_bits:
        raise Unsupported("OpenVINO made the weights of eight bits wide again")


def layers(compiled: Any) -> Layers:
    """The nodes that the device's plug-in made of the graph, with the precision that it chose for each."""
    nodes = list(_described(compiled.get_runtime_model().get_ordered_ops()))
    kinds = Counter(_FLOATS[kind] for layer, kind in nodes if layer not in _MOVES and kind in _FLOATS)
    narrow = sum(layer == _PRODUCT and kind in _EIGHT_BITS for layer, kind in nodes)
    return Layers(len(nodes), "+".join(name for name, _ in kinds.most_common()), narrow)


def _described(operations: Iterable[Any]) -> Iterable[tuple[str, str]]:
    for operation in operations:
        notes = operation.get_rt_info()
        layer, kind = (_text(notes[key]) if key in notes else "" for key in ("layerType", "runtimePrecision"))
        yield layer, kind


def _text(note: Any) -> str:
    return str(note.astype(str) if hasattr(note, "astype") else note)
