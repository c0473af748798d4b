"""What a call leaves out by design is told from what it has forgotten."""

import torch
from torch import nn

from modelmuster.checks.left_out import calls, left_out, whole_idle


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, hidden):
        return hidden + self.linear(hidden)


class Decoder(nn.Module):
    """Queries start from zeros, each layer has a head, and a tower waits for another modality."""

    def __init__(self, answering: int = 1, skipped: int | None = None):
        super().__init__()
        self.value = nn.Linear(4, 4)
        self.layers = nn.ModuleList([Layer(), Layer()])
        self.class_embed = nn.ModuleList([nn.Linear(4, 2), nn.Linear(4, 2)])
        self.tower = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
        self.answering, self.skipped = answering, skipped

    def forward(self, hidden):
        hidden = hidden + self.value(torch.zeros_like(hidden))
        for index, layer in enumerate(self.layers):
            hidden = hidden if index == self.skipped else layer(hidden)
        return self.class_embed[self.answering](hidden)


def spared(module):
    with calls(module) as seen:
        answer = module(torch.randn(2, 4))
    named = dict(module.named_parameters())
    found = torch.autograd.grad(answer.sum(), list(named.values()), allow_unused=True)
    unused = [name for name, value in zip(named, found, strict=True) if value is None or not value.any()]
    return set(left_out(module, unused, seen)), set(unused)


def test_a_tower_an_early_head_and_a_weight_for_zeros_are_left_out():
    found, unused = spared(Decoder())
    assert found == unused
    assert {"value.weight", "class_embed.0.weight", "tower.1.bias"} <= found


def test_the_head_of_the_last_layer_is_not_spared():
    found, unused = spared(Decoder(answering=0))
    assert {"class_embed.1.weight", "class_embed.1.bias"} <= unused - found


def test_a_layer_that_is_skipped_is_not_spared():
    found, unused = spared(Decoder(skipped=0))
    assert {"layers.0.linear.weight", "layers.0.linear.bias"} <= unused - found


def test_only_what_was_never_called_with_all_its_parts_is_idle():
    module = Decoder(skipped=0)
    with calls(module) as seen:
        module(torch.randn(2, 4))
    assert whole_idle(module, "tower.0.weight", seen)
    assert not whole_idle(module, "layers.0.linear.weight", seen)
    assert not whole_idle(module, "value.weight", seen)
