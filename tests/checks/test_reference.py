"""Healthy models pass in every dtype; wrong kernels do not."""

import faults
import numpy as np
import pytest
import torch

import models
from modelmuster.checks.reference import Reference
from modelmuster.contracts import Output
from modelmuster.records import Outcome
from modelmuster.targets.torch_eager import TorchSession


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("name", ["bert", "llama", "t5", "vit", "clip", "mixtral"])
def test_a_healthy_model_passes(name, dtype):
    finding = Reference().run(models.trial(getattr(models, name)(), dtype=dtype))
    assert finding.outcome is Outcome.PASS, finding.message
    assert finding.figures["ratio"] < 4


@pytest.mark.parametrize("name", ["bert", "llama", "vit", "clip"])
def test_products_in_bfloat16_are_reduced_precision(name):
    finding = Reference().run(faults.faulty(getattr(models, name)(), faults.bfloat16_products))
    assert finding.outcome is Outcome.FAIL
    assert "reduced precision" in finding.message


@pytest.mark.parametrize("name", ["bert", "llama"])
def test_a_dropped_mask_fails(name):
    finding = Reference().run(faults.faulty(getattr(models, name)(), faults.dropped_mask))
    assert finding.outcome is Outcome.FAIL
    assert finding.figures["relative_rmse"] > 1e-2


@pytest.mark.parametrize("name", ["bert", "llama", "vit"])
def test_a_scale_that_is_one_percent_off_fails(name):
    assert Reference().run(faults.faulty(getattr(models, name)(), faults.wrong_scale)).outcome is Outcome.FAIL


def test_a_model_that_narrows_inside_fails_in_float32():
    class Narrow(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = torch.nn.Linear(32, 32)

        def forward(self, x):
            return self.inner(x).bfloat16().float()

    finding = Reference().run(models.trial(models.subject(Narrow(), {"x": models.noise(4, 32)})))
    assert finding.outcome is Outcome.FAIL
    assert "reduced precision" in finding.message


def test_a_single_nan_fails_with_its_place_in_words():
    subject = models.bert()

    class Broken(TorchSession):
        def run(self, inputs):
            outputs = dict(super().run(inputs))
            spoiled = outputs["last_hidden_state"].array.copy()
            spoiled[0, 0, 0] = np.nan
            return {**outputs, "last_hidden_state": Output(spoiled, "float32")}

    finding = Reference().run(models.trial(subject, session=Broken(subject.module, "cpu", "float32")))
    assert finding.outcome is Outcome.FAIL
    assert "1 of 768 values are not finite" in finding.message


def test_overflow_that_float16_cannot_help_is_not_judged():
    class Large(torch.nn.Module):
        def forward(self, x):
            return x * 1e3 * 1e3 / 1e5

    finding = Reference().run(models.trial(models.subject(Large(), {"x": models.noise(8)}), dtype="float16"))
    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert "overflow" in finding.message
