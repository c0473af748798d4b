"""The float64 run: its casts are raised, its random numbers are those of float32, and it notices instability."""

import gc
import weakref

import numpy as np
import pytest
import torch

import models
from modelmuster.errors import ReferenceUnstable
from modelmuster.numerics import reference
from modelmuster.numerics.reference import run_float64


def _relative(exact, other):
    return float(np.sqrt(np.mean((exact - other) ** 2) / np.mean(exact**2)))


class _Casting(torch.nn.Module):
    """Narrows what it computes with, the way modelling code does."""

    def __init__(self, narrow):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.full((4,), 1 / 3))
        self.narrow = narrow

    def forward(self, x):
        return self.narrow(x * self.weight)


@pytest.mark.parametrize(
    "narrow",
    [
        lambda x: x.float(),
        lambda x: x.to(torch.float32),
        lambda x: x.to(dtype=torch.bfloat16),
        lambda x: x.half(),
        lambda x: torch.softmax(x, -1, dtype=torch.float32),
        lambda x: x * torch.full((4,), 0.1),
        lambda x: x * torch.ones(4, dtype=torch.float32).div(3),
    ],
)
def test_casts_inside_the_model_are_raised(narrow):
    outputs = run_float64(_Casting(narrow), {"x": np.array([1.1, 2.3, 3.7, 5.9])})
    exact = outputs["output"].array
    assert outputs["output"].dtype == "float64"
    # A value that went through float32 has no bits below its 24th.
    assert (exact.astype(np.float32).astype(np.float64) != exact).any()


def test_a_bit_cast_is_no_cast():
    class Bits(torch.nn.Module):
        def forward(self, ids):
            return ids.view(torch.float32)

    ids = np.array([1.5, -2.0], np.float32).view(np.int32)
    assert run_float64(Bits(), {"ids": ids})["output"].array.tolist() == [1.5, -2.0]


@pytest.mark.parametrize("name", ["bert", "llama", "t5", "vit", "clip", "mixtral"])
def test_float32_is_near_the_reference(name):
    subject = getattr(models, name)()
    exact, single = subject.reference(subject.inputs), models.trial(subject).baseline()
    assert list(exact) == list(single)
    for output in exact:
        assert 0 < _relative(exact[output].array, single[output].array) < 1e-5


@pytest.mark.parametrize(
    "draw",
    [
        lambda x: torch.rand(x.shape),
        torch.randn_like,
        lambda x: torch.empty_like(x).normal_(),
        lambda x: torch.empty_like(x).uniform_(-1, 1),
        lambda x: torch.normal(x, torch.ones_like(x)),
        lambda x: torch.normal(0.5, 2.0, x.shape),
        lambda x: torch.bernoulli(torch.sigmoid(x)),
        lambda x: torch.nn.functional.dropout(x, 0.4, training=True),
        lambda x: torch.empty_like(x).exponential_(),
    ],
)
def test_random_layers_draw_what_float32_draws(draw):
    class Noisy(torch.nn.Module):
        def forward(self, x):
            return x + draw(x)

    subject = models.subject(Noisy(), {"x": models.noise(3, 40)})
    exact, single = subject.reference(subject.inputs), models.trial(subject).baseline()
    assert _relative(exact["output"].array, single["output"].array) < 1e-6


def test_a_module_that_counts_its_calls_is_unstable():
    class Counting(torch.nn.Module):
        calls = 0

        def forward(self, x):
            self.calls += 1
            return x * self.calls

    with pytest.raises(ReferenceUnstable, match="output"):
        run_float64(Counting(), {"x": models.noise(3)})


def test_the_module_is_left_alone_and_its_copy_is_made_once():
    subject = models.bert()
    before = {name: value.clone() for name, value in subject.module.state_dict().items()}
    subject.reference(subject.inputs)
    copied = reference._copies[subject.module]
    subject.reference(subject.inputs)
    assert reference._copies[subject.module] is copied
    assert all(torch.equal(value, before[name]) for name, value in subject.module.state_dict().items())
    assert torch.get_default_dtype() is torch.float32


def test_the_copy_goes_when_it_is_released_or_its_module_goes():
    subject = models.bert()
    subject.reference(subject.inputs)
    copied = weakref.ref(reference._copies[subject.module])
    reference.release(subject.module)
    gc.collect()
    assert copied() is None
    subject.reference(subject.inputs)
    copied = weakref.ref(reference._copies[subject.module])
    del subject
    gc.collect()
    assert copied() is None


def test_a_module_that_keeps_a_computed_tensor_is_copied():
    class Keeping(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(2))
            self.table = self.weight * 2

        def forward(self, x):
            return x * self.table

    assert run_float64(Keeping(), {"x": np.ones(2)})["output"].array.tolist() == [2.0, 2.0]


def test_complex_tables_are_raised():
    class Rotary(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("table", torch.polar(torch.ones(2), torch.tensor([0.1, 0.2])))

        def forward(self, x):
            return torch.view_as_real(torch.view_as_complex(x) * self.table)

    outputs = run_float64(Rotary(), {"x": models.noise(2, 2)})
    assert outputs["output"].dtype == "float64"


class _Memory:
    """A table of what was computed before, as OmDet-Turbo keeps of texts."""

    __module__ = "transformers.models.example"

    def __init__(self):
        self.table = {}


class _Remembering(_Casting):
    def __init__(self):
        super().__init__(lambda x: x)
        self.memory = _Memory()

    def forward(self, x):
        return self.memory.table.setdefault("x", super().forward(x))


def test_what_was_remembered_in_float32_is_computed_anew():
    module = _Remembering()
    inputs = np.array([1.1, 2.3, 3.7, 5.9])
    with torch.no_grad():
        module(torch.tensor(inputs, dtype=torch.float32))
    outputs = run_float64(module, {"x": inputs})
    assert outputs["output"].dtype == "float64"
    assert module.memory.table["x"].dtype == torch.float32


def test_experts_with_a_config_of_their_own_run_as_a_plain_loop():
    import copy

    subject = models.mixtral()
    for part in subject.module.modules():
        if type(part).__name__.endswith("Experts"):
            part.config = copy.deepcopy(part.config)
            part.config._experts_implementation = "grouped_mm"
    outputs = run_float64(subject.module, subject.inputs)
    assert outputs["logits"].dtype == "float64"
