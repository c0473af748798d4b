"""Graphs made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from modelmuster.targets.export.artifact import Artifact, Manifest, Port


@pytest.fixture
def by_hand(tmp_path):
    """Makes an artifact of ONNX nodes from `x`, float32, to `y`."""

    def make(*nodes, given, returned, weights=()):
        import onnx

        real = onnx.TensorProto.FLOAT
        graph = onnx.helper.make_graph(
            list(nodes),
            "by hand",
            [onnx.helper.make_tensor_value_info("x", real, given)],
            [onnx.helper.make_tensor_value_info("y", real, returned)],
            [onnx.numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in weights],
        )
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, tmp_path / "model.onnx")
        manifest = Manifest(
            route="hand",
            setbacks={},
            dtype="float32",
            inputs=(Port(name="x", path="x", dtype="float", shape=(4, 4)),),
            outputs=(Port(name="y", path="y", dtype="float", shape=tuple(returned)),),
            constants={},
            prepared=False,
            opset=17,
            versions={},
            files={"model.onnx": ""},
        )
        return Artifact(tmp_path, manifest)

    return make


class Nothing:
    """A subject for graphs that come from no model."""

    module = None


@pytest.fixture
def nothing():
    return Nothing()


@pytest.fixture
def x():
    return np.random.default_rng(0).standard_normal((4, 4)).astype(np.float32)
