"""Faults put into a runtime or a model for one test: nothing on disk is touched."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch.overrides import TorchFunctionMode

import models
from modelmuster.contracts import Inputs, Outputs
from modelmuster.recipes.subject import TorchSubject
from modelmuster.runs.trial import CellTrial
from modelmuster.targets.torch_eager import TorchSession

MATRIX_PRODUCTS = {"linear", "matmul", "bmm", "conv1d", "conv2d", "scaled_dot_product_attention"}


class Fault(TorchFunctionMode):
    """Changes the calls of some functions by `change(name, args, kwargs)`."""

    def __init__(self, change: Callable):
        super().__init__()
        self.change = change

    def __torch_function__(self, func, types, args=(), kwargs=None):
        args, kwargs = self.change(getattr(func, "__name__", ""), args, dict(kwargs or {}))
        return func(*args, **kwargs)


def dropped_mask(name, args, kwargs):
    """Attention looks at everything."""
    if name == "scaled_dot_product_attention":
        kwargs |= {"attn_mask": None, "is_causal": False}
    return args, kwargs


def bfloat16_products(name, args, kwargs):
    """Matrix products keep eight bits."""
    if name in MATRIX_PRODUCTS:
        args = tuple(
            arg.bfloat16().to(arg.dtype) if isinstance(arg, torch.Tensor) and arg.is_floating_point() else arg
            for arg in args
        )
    return args, kwargs


def wrong_scale(name, args, kwargs):
    """Attention scores are 1 % too large."""
    if name == "scaled_dot_product_attention":
        kwargs["scale"] = 1.01 * (kwargs.get("scale") or args[0].shape[-1] ** -0.5)
    return args, kwargs


class FaultySession(TorchSession):
    """torch:cpu with a fault in its kernels."""

    def __init__(self, subject: TorchSubject, change: Callable | None = None, dtype: str = "float32"):
        super().__init__(subject.module, "cpu", dtype)
        self.change = change

    def _fault(self) -> AbstractContextManager:
        return Fault(self.change) if self.change else nullcontext()

    def run(self, inputs: Inputs) -> Outputs:
        with self._fault():
            return super().run(inputs)


def faulty(subject: TorchSubject, change: Callable) -> CellTrial:
    """The subject on a runtime with this fault."""
    return models.trial(subject, session=FaultySession(subject, change))
