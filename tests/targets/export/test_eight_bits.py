"""Weights of eight bits: really there, really used, and refused where there is nothing to make smaller."""

import numpy as np
import pytest
import torch

import models
from modelmuster.errors import Unsupported
from modelmuster.targets.export import eight_bits, exported
from modelmuster.targets.export.artifact import MODEL
from modelmuster.targets.onnxruntime import providers
from modelmuster.targets.onnxruntime.session import OnnxRuntimeSession
from modelmuster.targets.openvino import precision, runtime


class Convolves(torch.nn.Module):
    """Has no matrix product."""

    def __init__(self) -> None:
        super().__init__()
        self.filter = torch.nn.Conv2d(3, 4, 3)

    def forward(self, pixel_values):
        return {"y": self.filter(pixel_values)}


def ignore(_stage):
    pass


def test_the_file_is_smaller_and_kept_inside_the_artifact():
    subject = models.llama()
    wide = exported(subject, "float32", ignore, models.EXPORTS)
    narrow = exported(subject, "int8", ignore, models.EXPORTS)
    assert narrow.folder.parent == wide.folder
    assert eight_bits.products(narrow.folder) > 10
    assert narrow.model.stat().st_size < wide.model.stat().st_size
    assert narrow.manifest.inputs == wide.manifest.inputs
    assert narrow.manifest.dtype == "float32"
    assert exported(subject, "int8", ignore, models.EXPORTS).from_cache


def test_a_corrupt_file_is_made_anew():
    subject = models.llama()
    narrow = exported(subject, "int8", ignore, models.EXPORTS)
    (narrow.folder / MODEL).write_bytes(b"half a file")
    again = exported(subject, "int8", ignore, models.EXPORTS)
    assert not again.from_cache
    assert eight_bits.products(again.folder) > 10


def test_without_a_cache_it_lives_as_long_as_it_is_used():
    narrow = exported(models.llama(), "int8", ignore)
    assert narrow.model.exists()
    folder = narrow.folder
    del narrow
    assert not folder.exists()


def test_a_model_without_such_products_is_refused(tmp_path):
    subject = models.subject(Convolves(), {"pixel_values": models.noise(1, 3, 8, 8)}, modalities=())
    with pytest.raises(Unsupported, match="no weights to make smaller"):
        exported(subject, "int8", ignore, tmp_path)
    assert not list(tmp_path.rglob("unfinished-*"))


def test_weights_that_are_wide_are_not_taken_for_narrow_ones():
    """The staged failure of both detectors: a graph of float32 passed off as one of eight bits."""
    subject = models.bert()
    wide = exported(subject, "float32", ignore, models.EXPORTS)
    session = OnnxRuntimeSession(wide, subject, providers.CPU, threads=1, eight_bits=True)
    with pytest.raises(Unsupported, match="wide again"):
        session.run(subject.inputs)
    core = runtime.load().Core()
    compiled = core.compile_model(core.read_model(wide.model), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    with pytest.raises(Unsupported, match="wide again"):
        precision.insist(compiled, "int8")


def test_the_error_that_eight_bits_cause_is_between_that_of_float32_and_a_coarse_grid():
    subject = models.llama()
    own = subject.rounding(subject.inputs, "int8")["logits"]
    exact = subject.reference(subject.inputs)["logits"].array
    size = float(np.sqrt(np.mean(exact**2)))
    assert subject.rounding(subject.inputs, "float32")["logits"] * 100 < own < 0.1 * size
