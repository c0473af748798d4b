"""Imported by the fork server: all that a first export would import, so that a cell's export takes half the time.

Imports only, as the fork server demands: no operator, no device, no thread.
"""

from __future__ import annotations

import functools
import importlib
from contextlib import suppress

_USED = (
    "filelock",
    "networkx",
    "onnx_ir",
    "onnxscript.function_libs.torch_lib.ops",
    "onnxscript.rewriter.onnx_fusions",
    "onnxscript.rewriter.rules",
    "torch.onnx._internal.exporter._core",
    "torch._export.passes",
    "torch._functorch.aot_autograd",
    "torch._inductor.codegen.common",
    "transformers.exporters.exporter_onnx",
    "modelmuster.targets.export.routes",
    "modelmuster.targets.export.onnx_file",
)

for _name in _USED:
    # Internals of torch and onnxscript move from version to version; what is gone only makes cells slower.
    with suppress(ImportError):
        importlib.import_module(_name)

with suppress(ImportError):
    from transformers.exporters.utils import apply_patches

    # Whichever model it exports, the exporter imports some thirty models' modules to patch their functions.
    with apply_patches("dynamo"), apply_patches("onnx"):
        pass

with suppress(ImportError, AttributeError):
    from torch.onnx._internal.exporter import _registration

    # With each export, torch asks for the table of all translations, for which the source of five hundred functions is
    # parsed anew: 0.4 s of processor time, where the export of a tiny model takes two or three.
    _translations = functools.cache(_registration.onnxscript_apis.get_torchlib_ops)
    _translations()
    _registration.onnxscript_apis.get_torchlib_ops = _translations
