"""PyTorch compiled by inductor: C++ on the CPU, Triton on a GPU; with the count of graphs and graph breaks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from modelmuster.contracts import Capability, Inputs, Probe, Subject
from modelmuster.errors import CellFailure
from modelmuster.processor import processor
from modelmuster.records import DeviceKind, Evidence, Stage
from modelmuster.targets import torch_devices
from modelmuster.targets.torch_eager import TorchCpu, TorchCuda, TorchSession

if TYPE_CHECKING:
    import torch

_BREAK_CHARACTERS = 160
"""How much of the reason for a graph break is kept."""


class InductorCpu(TorchCpu):
    """`inductor:cpu`: needs a C++ compiler."""

    name = "inductor:cpu"
    on_request: Literal[True] = True
    cache_dir: Path | None = None

    def probe(self) -> Probe:
        """The compiler; whether torch can be imported at all, which takes a second, is for `torch:cpu` to find out."""
        if find_spec("torch") is None:
            return super().probe()
        return _compiler()

    def open(self, subject: Subject, dtype: str, entering: Callable[[Stage], None]) -> TorchSession:
        """Bring the module to the device and compile it for the subject's inputs.

        Raises:
            Unsupported: a dtype that this device is not asked for.
            Unavailable: torch, the device or the compiler is not there.
            CellFailure: nothing was compiled.
        """
        eager = super().open(subject, dtype, entering)
        assert eager.module is not None
        _keep_to_this_process(self.cache_dir)
        entering(Stage.COMPILE)
        session = InductorSession(eager.module, self.device, dtype)
        session.compile(subject.inputs)
        return session


class InductorCuda(InductorCpu):
    """`inductor:cuda`: needs Triton, which CUDA and ROCm builds of torch bring along."""

    name = "inductor:cuda"
    device = TorchCuda.device
    start_method = TorchCuda.start_method
    resources = TorchCuda.resources

    def probe(self) -> Probe:
        """What torch finds, and Triton."""
        if find_spec("torch") is not None and not torch_devices.built_for_cards():
            return torch_devices.without_cards()
        found = TorchCuda().probe()
        if found.available and find_spec("triton") is None:
            return Probe(
                available=False, reason="triton is not installed", missing=("triton",), remedy="pip install triton"
            )
        return found


class InductorSession(TorchSession):
    """A compiled module.

    It promises plain calls only: other shapes would be compiled anew, and what reaches for the module would meet the
    one that is not compiled.
    """

    capabilities: frozenset[Capability] = frozenset()

    def __init__(self, module: torch.nn.Module, device: str, dtype: str) -> None:
        import torch

        super().__init__(module, device, dtype)
        torch._dynamo.reset()  # noqa: SLF001 - torch documents this name
        self._compiled = torch.compile(module)
        self._graphs, self._breaks = 0, Counter[str]()

    def compile(self, inputs: Inputs) -> None:
        """Call it once, which compiles it.

        Raises:
            CellFailure: torch left all of it to Python.
        """
        from torch._dynamo.utils import counters

        counters.clear()
        super().run(inputs)
        self._outputs = {}
        self._graphs = counters["stats"]["unique_graphs"]
        self._breaks.update(counters["graph_break"])
        if not self._graphs:
            raise CellFailure("torch.compile compiled nothing: the model ran as plain Python")

    def evidence(self) -> Evidence:
        """Device and precision, how many graphs were compiled, and why Python ran between them."""
        breaks = tuple(
            f"Python at a graph break ×{count}: {' '.join(why.split())[:_BREAK_CHARACTERS]}"
            for why, count in self._breaks.most_common()
        )
        total = self._breaks.total()
        route = f"torch.compile: {self._graphs} {'graph' if self._graphs == 1 else 'graphs'}, {total or 'no'} breaks"
        return msgspec.structs.replace(super().evidence(), route=route, fallbacks=breaks)

    def close(self) -> None:
        """Let go of the module and of what was compiled."""
        super().close()
        self._compiled = None

    def _callee(self) -> Any:
        return self._compiled


def _compiler() -> Probe:
    """The C++ compiler that torch will call, or what is missing."""
    wanted = os.environ.get("CXX") or {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++")
    path = shutil.which(wanted)
    if path is None:
        return Probe(
            available=False,
            reason=f"torch compiles with {wanted}, which is not there",
            missing=("a C++ compiler",),
            remedy="apt-get install g++, or name another compiler: CXX=clang++ muster …",
        )
    told = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=False)
    name = processor().name
    return Probe(
        available=True,
        reason=f"{name}, with {wanted}",
        device_name=name,
        device_kind=DeviceKind.HARDWARE,
        details={"compiler": told.stdout.partition("\n")[0] or wanted},
    )


def _keep_to_this_process(cache_dir: Path | None) -> None:
    """Compile in this very process, which its limits hold, and keep what was compiled where all cells find it."""
    from torch._inductor import config

    config.compile_threads = 1
    if cache_dir is not None:
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_dir / "inductor"))
