"""The ways from a PyTorch module to an ONNX graph, in the order in which they are tried."""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from modelmuster.contracts import Inputs
from modelmuster.numerics.tensors import CACHES, dtype_named, named_tensors, to_torch
from modelmuster.targets.export import corrections
from modelmuster.targets.export.arguments import split
from modelmuster.targets.export.formulas import PlainFormulas


@dataclass(frozen=True, slots=True)
class Graph:
    """An exported graph, not yet on the disk."""

    program: Any
    """An `onnx_ir.Model`."""
    inputs: dict[str, str]
    """Paths of arguments by the name of the graph's input."""
    outputs: dict[str, str]
    """Paths of results by the name of the graph's output; caches left out."""
    constants: dict[str, Any]
    prepared: bool
    corrected: tuple[str, ...] = ()
    """Operators that our own translations put right."""


@dataclass(frozen=True, slots=True)
class Route:
    """One exporter."""

    name: str
    export: Callable[[torch.nn.Module, Inputs, str], Graph]
    """Of a module that it may spoil."""


def _by_transformers(module: torch.nn.Module, inputs: Inputs, dtype: str, *, open_axes: bool = False) -> Graph:
    """The exporter that comes with transformers: the plain way, with patches for what cannot be traced as it is."""
    from transformers.exporters import OnnxConfig, OnnxExporter

    arguments = to_torch(inputs, dtype_named(dtype))
    noted: set[str] = set()
    with corrections.in_transformers(noted):
        exported = OnnxExporter().export(module, arguments, config=OnnxConfig(dynamic=open_axes))
    # The exporter has put what it prepared into the arguments.
    _, constants = split(arguments)
    program = exported.program
    taken = {value.name: value.name.removeprefix("input.") for value in program.graph.inputs}
    given = {value.name: value.name.removeprefix("output.") for value in program.graph.outputs}
    results = {name: path for name, path in given.items() if not CACHES & set(path.split("."))}
    return Graph(program, taken, results, constants, prepared=True, corrected=tuple(sorted(noted)))


def _by_torch(module: torch.nn.Module, inputs: Inputs, dtype: str, *, open_axes: bool = False) -> Graph:
    """`torch.export` and `torch.onnx` as they are."""
    flat = _flat(module, inputs, dtype)
    tensors = tuple(flat.tensors.values())
    every = tuple(dict.fromkeys(range(tensor.dim()), torch.export.Dim.AUTO) for tensor in tensors)
    with torch.no_grad():
        program = torch.export.export(
            flat.module, tensors, dynamic_shapes=(every,) if open_axes else None, strict=False
        )
    taken, given = flat.names()
    noted: set[str] = set()
    made = torch.onnx.export(
        program,
        input_names=list(taken),
        output_names=list(given),
        verbose=False,
        custom_translation_table=corrections.translations(noted),
    )
    assert made is not None
    return Graph(made.model, taken, given, flat.constants, prepared=False, corrected=tuple(sorted(noted)))


def _by_tracing(module: torch.nn.Module, inputs: Inputs, dtype: str) -> Graph:
    """What torch wrote before `torch.export`: one run is recorded, and whichever way it took at a branch is the way."""
    import onnx
    import onnx_ir

    if hasattr(module, "set_experts_implementation") and module._can_set_experts_implementation():  # noqa: SLF001 - it asks no one else
        # The usual one counts with `histc`, which tracing cannot write.
        module.set_experts_implementation("batched_mm")
    flat = _flat(module, inputs, dtype)
    with torch.no_grad(), PlainFormulas():
        flat.module(*flat.tensors.values())
        taken, given = flat.names()
        file = io.BytesIO()
        torch.onnx.export(
            flat.module,
            tuple(flat.tensors.values()),
            file,
            input_names=list(taken),
            output_names=list(given),
            opset_version=_TRACED_OPSET,
            dynamo=False,
        )
    program = onnx_ir.serde.deserialize_model(onnx.load_from_string(file.getvalue()))
    return Graph(program, taken, given, flat.constants, prepared=False)


@dataclass(frozen=True, slots=True)
class _Call:
    """A module that takes and gives nothing but tensors, and the arguments for it."""

    module: _Flat
    tensors: dict[str, torch.Tensor]
    constants: dict[str, Any]
    returned: list[str]
    """Paths of what it returned last, once it has run."""

    def names(self) -> tuple[dict[str, str], dict[str, str]]:
        """Paths by name, of arguments and of results: a name may stand on one side of a graph only."""
        taken = {f"input.{path}" if path in self.returned else path: path for path in self.tensors}
        given = {f"output.{path}" if path in self.tensors else path: path for path in self.returned}
        return taken, given


def _flat(module: torch.nn.Module, inputs: Inputs, dtype: str) -> _Call:
    from transformers.exporters.exporter_dynamo import register_cache_pytrees_for_model

    # Without it the outcome would depend on whether transformers' exporter ran before in this process.
    register_cache_pytrees_for_model(module)
    arguments = to_torch(inputs, dtype_named(dtype))
    tensors, constants = split(arguments)
    returned: list[str] = []

    def tell(paths: list[str]) -> None:
        returned[:] = paths

    return _Call(_Flat(module, arguments, list(tensors), tell), tensors, constants, returned)


class _Flat(torch.nn.Module):  # type: ignore[misc]  # torch is not followed
    """The module with tensors for arguments and a tuple of tensors for an answer."""

    def __init__(
        self,
        module: torch.nn.Module,
        arguments: dict[str, Any],
        paths: list[str],
        tell: Callable[[list[str]], None],
    ) -> None:
        super().__init__()
        self.module = module
        self._arguments, self._paths = arguments, paths
        # Told and not kept: torch.export puts attributes back to what they were.
        self._tell = tell

    def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Call the module with the tensors in their places."""
        given = dict(zip(self._paths, tensors, strict=True))
        named = dict(named_tensors(self.module(**_placed(self._arguments, given, ""))))
        self._tell(list(named))
        known = {id(tensor) for tensor in tensors}
        returned: list[torch.Tensor] = []
        for tensor in named.values():
            # An argument, or a tensor that is returned twice, would be one value with two names in the graph.
            returned.append(tensor.clone() if id(tensor) in known else tensor)
            known.add(id(tensor))
        return tuple(returned)


def _placed(value: Any, given: dict[str, torch.Tensor], path: str) -> Any:
    match value:
        case dict():
            return {name: _placed(member, given, f"{path}.{name}" if path else name) for name, member in value.items()}
        case list() | tuple():
            return type(value)(_placed(member, given, f"{path}.{index}") for index, member in enumerate(value))
        case torch.Tensor():
            return given[path]
        case _:
            return value


ROUTES = (
    Route("transformers' OnnxExporter", _by_transformers),
    Route("torch.onnx.export", _by_torch),
    Route("torch.onnx.export by tracing", _by_tracing),
)
"""transformers' first: it converts more, and the graph computes the same. Tracing last: its graph is right for inputs
that take the recorded way only. Which one worked is kept with the file, since "works through patches", "works plainly"
and "works for these inputs" are different facts."""

OPEN_ROUTES = (
    Route("transformers' OnnxExporter with open axes", functools.partial(_by_transformers, open_axes=True)),
    Route("torch.onnx.export with open axes", functools.partial(_by_torch, open_axes=True)),
)
"""For graphs that are to take inputs of other sizes. Exporters pin what they cannot leave open without a word, so
whether a graph does is for a run at other sizes to say."""

_TRACED_OPSET = 18


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Exporters print their progress and warn of their own internals; a cell's log has room for its own story only."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
