"""Plain PyTorch on the CPU and on the accelerators that it drives: the module is called as a user would call it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from modelmuster.contracts import Capability, Inputs, Outputs, Probe, Subject
from modelmuster.errors import CellFailure, Unsupported
from modelmuster.records import DeviceKind, Evidence, Inference, Stage
from modelmuster.targets import offers, torch_devices

if TYPE_CHECKING:
    import torch

REFUSALS = (
    "not implemented for 'Half'",
    "not implemented for 'BFloat16'",
    "Unsupported dtype Half",
    "Unsupported dtype BFloat16",
    "Low precision dtypes not supported",
    "not currently implemented for the",
)
"""How torch says that a device has no kernel for an operator or a dtype."""


class TorchCpu:
    """`torch:cpu`."""

    name = "torch:cpu"
    device = "cpu"
    inference = Inference.REAL
    dtypes: tuple[str, ...] = ("float32", "bfloat16", "float16")
    start_method: Literal["fork", "spawn"] = "fork"
    resources: frozenset[str] = frozenset()
    preload: tuple[str, ...] = ("torch", "transformers")

    def probe(self) -> Probe:
        """The device that torch finds, or what is missing."""
        return torch_devices.probe(self.device)

    def open(self, subject: Subject, dtype: str, entering: Callable[[Stage], None]) -> TorchSession:
        """Bring the module to the device; on the CPU in float32 it is the subject's own, elsewhere a copy.

        Raises:
            Unsupported: a dtype that this device is not asked for.
            Unavailable: torch or the device is not there.
        """
        offers.require(self, dtype)
        import torch

        from modelmuster.numerics.precision import in_dtype
        from modelmuster.numerics.tensors import dtype_named

        entering(Stage.LOAD)
        exact_float32(torch)
        module = subject.module
        if (self.device, dtype) != ("cpu", "float32"):
            module = in_dtype(module, dtype_named(dtype)).to(self.device)
        return TorchSession(module, self.device, dtype)


class TorchCuda(TorchCpu):
    """`torch:cuda`: NVIDIA cards, and AMD cards where torch is built for ROCm, which calls them `cuda` too.

    Cells are spawned: a CUDA context does not survive a fork, and some import of a model's own code in the fork server
    might create one.
    """

    name = "torch:cuda"
    device = "cuda"
    start_method: Literal["fork", "spawn"] = "spawn"
    resources = frozenset({"cuda"})


class TorchMps(TorchCpu):
    """`torch:mps`: the GPU of Apple silicon."""

    name = "torch:mps"
    device = "mps"
    dtypes = ("float32", "float16", "bfloat16")
    start_method: Literal["fork", "spawn"] = "spawn"
    resources = frozenset({"mps"})


class TorchXpu(TorchCpu):
    """`torch:xpu`: Intel GPUs."""

    name = "torch:xpu"
    device = "xpu"
    start_method: Literal["fork", "spawn"] = "spawn"
    resources = frozenset({"xpu"})


class TorchTpu(TorchCpu):
    """`torch:tpu`: Google's TPUs, through torch_xla; recognised and named, not yet used."""

    name = "torch:tpu"
    device = "tpu"
    start_method: Literal["fork", "spawn"] = "spawn"
    resources = frozenset({"tpu"})


class TorchSession:
    """A module on a device."""

    capabilities = frozenset({Capability.RESHAPE, Capability.MODULE})

    def __init__(self, module: torch.nn.Module, device: str, dtype: str) -> None:
        import torch

        from modelmuster.numerics.tensors import dtype_named

        self.module: torch.nn.Module | None = module
        self._device, self._dtype = torch.device(device), dtype_named(dtype)
        self._outputs: dict[str, tuple[torch.device, torch.dtype]] = {}

    def run(self, inputs: Inputs) -> Outputs:
        """Run one forward pass and wait for it to end.

        Raises:
            Unsupported: the device has no kernel for an operator of this model.
            CellFailure: a floating-point output lies on another device than asked.
        """
        from modelmuster.numerics.tensors import flatten, named_tensors, to_torch

        if self.module is None:
            raise CellFailure("this session is closed")
        arguments = to_torch(inputs, self._dtype, self._device)
        try:
            returned = self._call(arguments)
            synchronize(self._device)
        except (NotImplementedError, RuntimeError) as error:
            if any(refusal in str(error) for refusal in REFUSALS):
                raise Unsupported(f"torch on {self._device.type}: {error}") from error
            raise
        self._outputs = {name: (tensor.device, tensor.dtype) for name, tensor in named_tensors(returned)}
        strays = [
            f"{name} on {device}"
            for name, (device, dtype) in self._outputs.items()
            if dtype.is_floating_point and device.type != self._device.type
        ]
        if strays:
            raise CellFailure(f"asked of {self._device.type}, but the model returned {', '.join(strays)}")
        return flatten(returned)

    @property
    def from_cache(self) -> bool | None:
        """Nothing is exported."""
        return None

    def prepared(self, inputs: Inputs) -> Callable[[], object]:
        """One forward pass on arguments that are on the device already."""
        from modelmuster.numerics.seeding import call_seeded
        from modelmuster.numerics.tensors import to_torch

        called, device, arguments = self._callee(), self._device, to_torch(inputs, self._dtype, self._device)

        def once() -> object:
            returned = call_seeded(called, arguments)
            synchronize(device)
            return returned

        return once

    def _call(self, arguments: Mapping[str, Any]) -> Any:
        """What the module returns."""
        from modelmuster.numerics.seeding import call_seeded

        return call_seeded(self._callee(), arguments)

    def _callee(self) -> Any:
        """What is called; another in a session that calls something made of the module."""
        return self.module

    def evidence(self) -> Evidence:
        """Device and precision of the tensors that came back and of the parameters that made them."""
        if self.module is None or not self._outputs:
            raise CellFailure("nothing has run, so there is no evidence of where it would")
        parameters = list(self.module.parameters())
        devices = {device for device, dtype in self._outputs.values() if dtype.is_floating_point}
        devices |= {parameter.device for parameter in parameters}
        held = Counter[str]()
        for tensor in parameters:
            if tensor.is_floating_point():
                held[str(tensor.dtype).removeprefix("torch.")] += tensor.numel()
        returned = [str(dtype).removeprefix("torch.") for _, dtype in self._outputs.values() if dtype.is_floating_point]
        precision = "+".join(name for name, _ in held.most_common()) or "+".join(dict.fromkeys(returned)) or "none"
        return Evidence(
            device_name=", ".join(sorted({torch_devices.device_name(device) for device in devices or {self._device}})),
            device_kind=DeviceKind.HARDWARE,
            precision=precision + _tensor_float_mark(self._device),
        )

    def close(self) -> None:
        """Let go of the module."""
        self.module = None
        if self._device.type != "cpu":
            import torch

            getattr(torch, self._device.type).empty_cache()


def exact_float32(torch: Any) -> None:
    """Forbid the 10-bit mantissas of TensorFloat-32, which torch allows in convolutions unless told otherwise."""
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    import torch

    if device.type != "cpu":
        getattr(torch, device.type).synchronize()


def _tensor_float_mark(device: torch.device) -> str:
    import torch

    if device.type == "cuda" and (torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32):
        return " (tf32)"
    return ""
