"""Tables of declared inputs."""

import dataclasses

import pytest
import torch

from modelmuster.errors import UsageError
from modelmuster.recipes.inputs.callee import Callee
from modelmuster.recipes.inputs.declared import declared_layout
from modelmuster.records import Modality


class Anything(torch.nn.Module):
    """Takes whatever the tests declare."""

    def __init__(self, config):
        super().__init__()
        self.config = config

    def forward(self, input_ids=None, attention_mask=None, values=None):
        return values


@pytest.fixture
def callee(llava, some):
    return Callee(Anything(llava.config), some(), 0)


def build(callee, spec, **table):
    return declared_layout(callee, {"modalities": ["tabular"], "values": spec, **table}).build()["values"]


@pytest.mark.parametrize(
    ("side", "elements"),
    [
        (3, 3),
        ("batch", 2),
        ("sequence", 12),
        ("width", 32),
        ("image_height", 32),
        ("config.text_config.num_hidden_layers", 1),
        ("batch * config.vision_config.patch_size * 2", 32),
    ],
)
def test_sides_are_numbers_sizes_config_values_and_products(callee, side, elements):
    assert build(callee, {"kind": "normal", "shape": [side]}).shape == (elements,)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"kind": "ones", "shape": [2], "dtype": "int64"}, torch.tensor([1, 1])),
        ({"kind": "zeros", "shape": [2], "dtype": "bool"}, torch.tensor([False, False])),
        ({"kind": "arange", "shape": [2, 3]}, torch.tensor([[0, 1, 2], [0, 1, 2]])),
        ({"kind": "constant", "value": [[1, 2], [3, 4]]}, torch.tensor([[1, 2], [3, 4]])),
    ],
)
def test_fixed_kinds(callee, spec, expected):
    assert torch.equal(build(callee, spec), expected)


def test_a_constant_that_is_no_list_is_passed_on(callee):
    assert build(callee, {"kind": "constant", "value": True}) is True


def test_drawn_kinds(callee):
    integers = build(callee, {"kind": "integers", "shape": [200], "low": 3, "high": "config.vision_config.patch_size"})
    assert (int(integers.min()), int(integers.max())) == (3, 7)
    assert not set(build(callee, {"kind": "ids", "shape": [200]}).tolist()) & callee.sizes.special
    uniform = build(callee, {"kind": "uniform", "shape": [200]})
    assert 0 <= float(uniform.min()) < float(uniform.max()) < 1


def test_text_comes_along_when_asked_for(callee):
    table = {"modalities": ["text", "tabular"], "text": True, "values": {"kind": "ones", "shape": [1]}}
    layout = declared_layout(callee, table)
    assert layout.modalities == (Modality.TEXT, Modality.TABULAR)
    assert set(layout.build()) == {"input_ids", "attention_mask", "values"}


@pytest.mark.parametrize(
    "table",
    [{}, {"modalities": ["smell"]}],
)
def test_modalities_must_be_declared(callee, table):
    with pytest.raises(UsageError, match="must list modalities"):
        declared_layout(callee, table)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"kind": "perlin", "shape": [1]}, "unknown kind 'perlin'"),
        ({"kind": "ones", "shape": ["breadth"]}, "unknown size 'breadth'"),
    ],
)
def test_unknown_words_are_refused(callee, spec, message):
    with pytest.raises(UsageError, match=message):
        build(callee, spec)


@dataclasses.dataclass
class Bundle:
    """What some models take instead of single tensors."""

    first: torch.Tensor
    second: torch.Tensor


class TakesBundle(Anything):
    def forward(self, values: Bundle | None = None, pairs: dict | None = None):
        return values, pairs


def test_fields_become_the_dataclass_that_forward_names(llava, some):
    bundles = Callee(TakesBundle(llava.config), some(), 0)
    spec = {"kind": "ones", "shape": [2]}
    table = {"kind": "fields", "of": {"first": spec, "second": spec}}
    made = declared_layout(bundles, {"modalities": ["tabular"], "values": table}).build()
    assert isinstance(made["values"], Bundle)
    assert torch.equal(made["values"].second, torch.ones(2))


def test_fields_become_a_dictionary_elsewhere_and_pairs_hold_two_tensors(llava, some):
    bundles = Callee(TakesBundle(llava.config), some(), 0)
    table = {"kind": "fields", "of": {"full": {"kind": "pair", "shape": [2, 3]}}}
    made = declared_layout(bundles, {"modalities": ["tabular"], "pairs": table}).build()
    keys, values = made["pairs"]["full"]
    assert keys.shape == values.shape == (2, 3)
    assert not torch.equal(keys, values)


def test_a_list_holds_what_each_of_its_tables_declares(callee):
    made = build(callee, {"kind": "list", "of": [{"kind": "ones", "shape": [2]}, {"kind": "zeros", "shape": [3]}]})
    assert [tensor.tolist() for tensor in made] == [[1, 1], [0, 0, 0]]
