"""An ONNX graph on the disk: without traces of this machine, in one file where that is possible."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelmuster.targets.export.artifact import MODEL

INLINE_BYTES = 3 << 29
"""Weights up to this size lie in the file itself; protobuf ends at 2 GiB, and the graph needs room too."""


def strip(program: Any) -> None:
    """Remove the stack traces and scopes that exporters leave at every node.

    They are 70 to 85 % of a tiny model's file, and name paths of this machine: equal models would differ in bytes.
    """
    for graph in _graphs(program):
        graph.metadata_props.clear()
        graph.doc_string = None
        for value in (*graph.inputs, *graph.outputs, *graph.initializers.values()):
            value.metadata_props.clear()
        for node in graph:
            node.metadata_props.clear()
            node.doc_string = None
            for value in node.outputs:
                value.metadata_props.clear()
    program.metadata_props.clear()


def save(program: Any, folder: Path) -> list[str]:
    """Write the graph with its weights; gives the names of the files."""
    import onnx_ir

    weights = sum(value.const_value.nbytes for value in program.graph.initializers.values() if value.const_value)
    if weights <= INLINE_BYTES:
        onnx_ir.save(program, folder / MODEL)
        return [MODEL]
    data = f"{MODEL}.data"
    onnx_ir.save(program, folder / MODEL, external_data=data)
    return [MODEL, data]


def _graphs(program: Any) -> Iterator[Any]:
    yield from program.graphs()
    for function in program.functions.values():
        yield from function.subgraphs()
