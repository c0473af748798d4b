"""NumPy in, NumPy out: names, dtypes and memory at the border of PyTorch."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from transformers.modeling_outputs import BaseModelOutputWithPast

from modelmuster.errors import Unsupported
from modelmuster.numerics.tensors import dtype_name, dtype_named, flatten, to_numpy, to_torch


def test_floats_are_cast_and_integers_are_not():
    tensors = to_torch({"a": np.ones(2, np.float32), "ids": np.arange(3), "flag": True, "none": None}, torch.float64)
    assert tensors["a"].dtype is torch.float64
    assert tensors["ids"].dtype is torch.int64
    assert tensors["flag"] is True
    assert tensors["none"] is None


def test_arrays_in_lists_become_tensors():
    tensors = to_torch({"images": [np.zeros((3, 2), np.float32), np.ones((3, 4), np.float32)]}, torch.bfloat16)
    assert [tuple(image.shape) for image in tensors["images"]] == [(3, 2), (3, 4)]
    assert {image.dtype for image in tensors["images"]} == {torch.bfloat16}


def test_writing_into_a_tensor_leaves_the_array_alone():
    array = np.zeros((2, 2), np.float32)
    array.flags.writeable = False
    to_torch({"a": array})["a"].fill_(7)
    assert not array.any()


def test_reversed_and_scalar_arrays_are_taken():
    tensors = to_torch({"a": np.arange(3)[::-1], "scale": np.float32(2.5), "zero_d": np.array(4)})
    assert tensors["a"].tolist() == [2, 1, 0]
    assert tensors["scale"].item() == 2.5
    assert tensors["zero_d"].shape == ()


def test_inputs_survive_the_way_there_and_back():
    inputs = {"ids": np.arange(6).reshape(2, 3), "images": [np.ones((1, 2), np.float32)], "n": 3}
    back = to_numpy(to_torch(inputs))
    assert np.array_equal(back["ids"], inputs["ids"])
    assert np.array_equal(back["images"][0], inputs["images"][0])
    assert back["n"] == 3


def test_a_model_output_becomes_dotted_names_in_order_without_caches():
    returned = BaseModelOutputWithPast(
        last_hidden_state=torch.zeros(1, 2),
        past_key_values=((torch.zeros(1), torch.zeros(1)),),
        hidden_states=(torch.ones(1), torch.ones(2)),
    )
    assert list(flatten(returned)) == ["last_hidden_state", "hidden_states.0", "hidden_states.1"]


def test_nested_containers_and_dataclasses_are_walked():
    @dataclass
    class Inner:
        score: torch.Tensor
        label: str = "x"

    outputs = flatten({"encoder": Inner(torch.ones(2)), "pair": (torch.zeros(1), None, [torch.zeros(3)])})
    assert {name: output.array.shape for name, output in outputs.items()} == {
        "encoder.score": (2,),
        "pair.0": (1,),
        "pair.2.0": (3,),
    }


def test_a_bare_tensor_and_a_tuple_get_names():
    assert list(flatten(torch.zeros(1))) == ["output"]
    assert list(flatten((torch.zeros(1), torch.zeros(1)))) == ["0", "1"]


def test_bfloat16_is_widened_without_loss_and_its_name_kept():
    output = flatten(torch.tensor([1.0, 3.140625], dtype=torch.bfloat16))["output"]
    assert output.dtype == "bfloat16"
    assert output.array.dtype == np.float32
    assert output.array.tolist() == [1.0, 3.140625]


def test_outputs_do_not_share_memory_with_the_model():
    parameter = torch.nn.Parameter(torch.ones(2))
    output = flatten({"scale": parameter})["scale"]
    with torch.no_grad():
        parameter.zero_()
    assert output.array.tolist() == [1.0, 1.0]


def test_sparse_outputs_are_made_dense():
    assert flatten(torch.eye(2).to_sparse())["output"].array.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("name", ["float32", "bfloat16", "int64", "bool"])
def test_dtypes_have_one_name(name):
    assert dtype_name(dtype_named(name)) == name


@pytest.mark.parametrize("name", ["float12", "nn", "Tensor"])
def test_an_unknown_dtype_is_unsupported(name):
    with pytest.raises(Unsupported, match=name):
        dtype_named(name)
