"""An encoder that lost its positions is found."""

import torch

import models
from modelmuster.checks.token_order import TokenOrder
from modelmuster.records import Outcome


def test_healthy_models_pass():
    for name in ("bert", "t5"):
        assert TokenOrder().run(models.trial(getattr(models, name)())).outcome is Outcome.PASS


def test_an_encoder_without_positions_fails():
    subject = models.bert()
    subject.module.embeddings.position_embeddings.register_forward_hook(
        lambda module, args, output: torch.zeros_like(output)
    )
    finding = TokenOrder().run(models.trial(subject))
    assert finding.outcome is Outcome.FAIL
    assert "positions do not matter" in finding.message
