"""An exported graph with weights of eight bits: one file beside that of float32, read by every runtime alike.

ONNX Runtime's own tool writes it: matrices that a product takes as constants become `MatMulNBits`, in blocks of 32 with
a scale each. Inputs, results and all arithmetic stay float32; OpenVINO reads these operators too.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import filelock
import msgspec

from modelmuster.errors import Unavailable, Unsupported
from modelmuster.numerics.rule import BLOCK
from modelmuster.targets.export.artifact import MODEL, Artifact, read, sha256, write

OPERATOR = "MatMulNBits"
"""What the tool writes for a product with a constant matrix."""
FOLDER = "int8"


def with_eight_bits(artifact: Artifact) -> Artifact:
    """The same graph with its matrices in eight bits, kept inside the artifact's folder.

    Raises:
        Unavailable: ONNX Runtime, whose tool makes it, is not installed.
        Unsupported: the graph has no product with a constant matrix.
    """
    if find_spec("onnxruntime") is None:
        raise Unavailable("weights of eight bits are made by onnxruntime", hint="type: pip install 'modelmuster[onnx]'")
    folder = artifact.folder / FOLDER
    with ExitStack() as held:
        if artifact.keeper is None:
            held.enter_context(filelock.FileLock(folder.with_suffix(".lock")))
        made = read(folder) or _made(artifact, folder)
    return Artifact(made.folder, made.manifest, artifact.keeper, from_cache=made.from_cache and artifact.from_cache)


def products(folder: Path) -> int:
    """How many products of the graph have a matrix of eight bits."""
    import onnx

    graph = onnx.load(folder / MODEL, load_external_data=False).graph
    return sum(node.op_type == OPERATOR for node in graph.node)


def _made(artifact: Artifact, folder: Path) -> Artifact:
    shutil.rmtree(folder, ignore_errors=True)
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix="unfinished-"))
    try:
        files = _quantise(artifact.model, aside)
        if not products(aside):
            raise Unsupported("no product in the graph has a constant matrix, so there are no weights to make smaller")
        manifest = msgspec.structs.replace(artifact.manifest, files={name: sha256(aside / name) for name in files})
        write(aside, manifest)
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Artifact(folder, manifest)


def _quantise(source: Path, folder: Path) -> list[str]:
    """Write the graph with smaller weights; gives the names of the files."""
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    tool = logging.getLogger(MatMulNBitsQuantizer.__module__)
    before = tool.level
    tool.setLevel(logging.WARNING)  # it tells of every node
    try:
        work = MatMulNBitsQuantizer(
            onnx.load(source),
            bits=8,
            block_size=BLOCK,
            is_symmetric=True,
            # 1: products are computed in float32, whatever is fastest here.
            accuracy_level=1,
            op_types_to_quantize=("MatMul",),
        )
        work.process()
    finally:
        tool.setLevel(before)
    data = f"{MODEL}.data"
    large = source.with_name(data).exists()
    onnx.save(work.model.model, folder / MODEL, save_as_external_data=large, location=data)
    return [MODEL, data] if large else [MODEL]
