"""A tuple with other tensors, or in another order, is found."""

import torch
from transformers.modeling_outputs import BaseModelOutputWithPooling

import models
from modelmuster.checks.tuple_dict import TupleDict
from modelmuster.records import Outcome


def test_healthy_models_pass():
    for name in ("bert", "llama", "t5", "clip"):
        assert TupleDict().run(models.trial(getattr(models, name)())).outcome is Outcome.PASS


def test_a_swapped_tuple_fails():
    class Swapping(torch.nn.Module):
        def forward(self, x, return_dict=True):
            if return_dict:
                return BaseModelOutputWithPooling(last_hidden_state=x, pooler_output=-x)
            return -x, x

    finding = TupleDict().run(models.trial(models.subject(Swapping(), {"x": models.noise(2)})))
    assert finding.outcome is Outcome.FAIL
    assert "tensor 0" in finding.message


def test_a_missing_member_fails():
    class Losing(torch.nn.Module):
        def forward(self, x, return_dict=True):
            return BaseModelOutputWithPooling(last_hidden_state=x, pooler_output=-x) if return_dict else (x,)

    assert (
        "2 tensors by name, but 1"
        in TupleDict().run(models.trial(models.subject(Losing(), {"x": models.noise(2)}))).message
    )
