"""The estimate of what a dtype alone costs: near what torch really loses, and blind to nobody's faults."""

import math

import numpy as np
import pytest
import torch

import models
from modelmuster.numerics.rounding import _attention, estimate


def _error(exact, other):
    return float(np.sqrt(np.mean((exact - other) ** 2)))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("name", ["bert", "llama", "t5", "vit", "mixtral"])
def test_it_predicts_the_error_of_torch(name, dtype):
    subject = getattr(models, name)()
    exact = subject.reference(subject.inputs)
    own = estimate(subject.module, subject.inputs, dtype, reference=exact)
    observed = models.trial(subject, dtype=dtype).baseline()
    for output in exact:
        assert 0.4 < _error(exact[output].array, observed[output].array) / own[output] < 4


def test_eager_and_fused_attention_have_one_estimate():
    subject = models.llama()
    fused = estimate(subject.module, subject.inputs, "float32")
    subject.module.set_attn_implementation("eager")
    eager = estimate(subject.module, subject.inputs, "float32")
    assert eager["logits"] == pytest.approx(fused["logits"], rel=0.5)


def test_a_model_that_narrows_inside_is_not_excused():
    class Narrow(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = torch.nn.Linear(32, 32)

        def forward(self, x):
            return torch.nn.functional.linear(x.bfloat16(), self.inner.weight.bfloat16()).float()

    subject = models.subject(Narrow(), {"x": models.noise(4, 32)})
    exact = subject.reference(subject.inputs)
    own = estimate(subject.module, subject.inputs, "float32", reference=exact)["output"]
    observed = models.trial(subject).baseline()["output"].array
    assert own < 1e-5
    assert _error(exact["output"].array, observed) > 1000 * own


def test_masks_indices_and_copies_are_not_touched():
    class Copying(torch.nn.Module):
        def forward(self, x, mask):
            blocked = (1.0 - mask.float()) * torch.finfo(x.dtype).min
            return torch.cat([x, x.flip(0)]), blocked, (x > 0).long(), mask == 1.0

    subject = models.subject(Copying(), {"x": models.noise(8), "mask": np.array([1, 0, 1])})
    assert set(estimate(subject.module, subject.inputs, "float32").values()) == {0.0}


def test_in_place_operations_and_views_keep_their_alias():
    class InPlace(torch.nn.Module):
        def forward(self, x):
            total = torch.zeros_like(x)
            total[1:] += x[:-1]
            total.view(-1)[0] = 5.0
            total.mul_(2.0)
            return total

    subject = models.subject(InPlace(), {"x": models.noise(8)})
    assert estimate(subject.module, subject.inputs, "float32")["output"] == 0.0


def test_overflow_of_the_dtype_is_infinite():
    class Large(torch.nn.Module):
        def forward(self, x):
            return (x * 1000.0) * 1000.0 / 1000.0

    inputs = {"x": np.array([1.1, 0.7], np.float32)}
    subject = models.subject(Large(), inputs)
    assert estimate(subject.module, inputs, "float16")["output"] == math.inf
    assert 0 < estimate(subject.module, inputs, "float32")["output"] < 1


def test_near_ties_give_a_share_of_integers():
    class Nearest(torch.nn.Module):
        def forward(self, x):
            return torch.stack([x * 1.1, x * 1.1], -1).argmax(-1)

    inputs = {"x": models.noise(400)}
    share = estimate(models.subject(Nearest(), inputs).module, inputs, "float32")["output"]
    assert 0.1 < share < 0.5


def test_the_same_estimate_every_time_and_the_module_given_back():
    subject = models.mixtral()
    before = subject.module.get_experts_implementation()
    first = estimate(subject.module, subject.inputs, "float32")
    assert estimate(subject.module, subject.inputs, "float32") == first
    assert subject.module.get_experts_implementation() == before


@pytest.mark.parametrize(
    ("causal", "masked"), [(False, None), (True, None), (False, torch.bool), (False, torch.float64)]
)
def test_attention_by_hand_is_torchs(causal, masked):
    query, key, value = torch.randn(3, 2, 4, 5, 8, dtype=torch.float64).unbind()
    key, value = key[:, :2], value[:, :2]
    mask = None
    if masked is torch.bool:
        mask = torch.ones(5, 5, dtype=torch.bool).tril()
        mask[2] = False
    elif masked is not None:
        mask = torch.randn(5, 5, dtype=masked)
    fused = torch.nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, is_causal=causal, enable_gqa=True
    )
    torch.testing.assert_close(_attention(query, key, value, attn_mask=mask, is_causal=causal, enable_gqa=True), fused)
