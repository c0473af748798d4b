"""What a choice among code words is made by counts as an effect."""

import torch
from torch import nn

from modelmuster.checks.code_words import chosen_by


class Quantizer(nn.Module):
    def encode(self, hidden):
        return (hidden > 0).long()


class Codec(nn.Module):
    """Its codes do not show a small change of the encoder."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(4, 4)
        self.quantizer = Quantizer()

    def forward(self, sound):
        return self.quantizer.encode(self.encoder(sound))


def asked(module, sound):
    with chosen_by(module) as choices:
        module(sound)
        return choices()


def test_what_a_quantiser_is_given_is_seen_though_it_is_called_by_a_method():
    torch.manual_seed(0)
    module, sound = Codec(), torch.randn(2, 4)
    before = asked(module, sound)["chosen_by.0"].array
    with torch.no_grad():
        module.encoder.bias += 1e-3
    after = asked(module, sound)["chosen_by.0"].array
    assert abs(after - before).max() > 1e-4


def test_the_module_is_as_it_was_afterwards():
    module = Codec()
    asked(module, torch.randn(2, 4))
    assert "encode" not in vars(module.quantizer)
