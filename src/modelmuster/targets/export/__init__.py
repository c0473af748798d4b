"""One ONNX file per model: exported once, kept by content, read by every runtime that speaks ONNX.

    artifact = exported(subject, "float32", entering, cache_dir)   # kept, or made now; enters Stage.EXPORT
    artifact.model                                      # path of the ONNX file
    artifact.manifest                                   # route, ports, versions: what a runtime or a browser must know
    feed = artifact.feed(subject, inputs)               # NumPy arrays by ONNX input name
    outputs = artifact.outputs(returned)                # contracts.Outputs by the model's own names

Shapes are static, those of the recipe's inputs, unless `open_axes` is asked for. Weights lie in the file up to
`onnx_file.INLINE_BYTES`, beyond that in `model.onnx.data` next to it. Nothing in the file names this machine: traces
are stripped.
"""

from modelmuster.targets.export.artifact import Artifact, Manifest, Port
from modelmuster.targets.export.cache import exported

__all__ = ["Artifact", "Manifest", "Port", "exported"]
