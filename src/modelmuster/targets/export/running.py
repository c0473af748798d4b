"""Whether an exported graph runs at all: exporters write some that no runtime can load, and report success."""

from __future__ import annotations

from importlib.util import find_spec

from modelmuster.contracts import Subject
from modelmuster.targets.export.artifact import Artifact

MOST_BYTES = 1 << 28
"""Larger graphs are not tried: a second copy of their weights is what memory may not have room for."""


def flaw(artifact: Artifact, subject: Subject) -> str:
    """What ONNX Runtime, where it is installed, says to the graph with the subject's inputs; empty where it runs.

    An operator for which it has no kernel is its own shortcoming, and no flaw of the graph.
    """
    if find_spec("onnxruntime") is None or artifact.size > MOST_BYTES:
        return ""
    import onnxruntime
    from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented as NoKernel

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(artifact.model, options, providers=["CPUExecutionProvider"])
        session.run([port.name for port in artifact.manifest.outputs], artifact.feed(subject, subject.inputs))
    except NoKernel:
        return ""
    except Exception as error:  # noqa: BLE001 - each of its errors has a class of its own, without a common base
        return f"{type(error).__name__}: {error}"
    return ""
