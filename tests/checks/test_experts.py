"""A router that gives a token fewer experts, or one of them twice, is found."""

import pytest
import torch

import models
from modelmuster.checks import experts
from modelmuster.checks.experts import Experts
from modelmuster.records import Outcome


def routed(change):
    subject = models.mixtral()
    gate = subject.module.model.layers[1].mlp.gate
    gate.register_forward_hook(lambda module, args, output: (output[0], *change(*output[1:])))
    return Experts().run(models.trial(subject))


def test_a_healthy_model_passes():
    finding = routed(lambda weights, indices: (weights, indices))
    assert finding.outcome is Outcome.PASS, finding.message
    assert finding.figures["routers"] == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda weights, indices: (weights[:, :1], indices[:, :1]), "1 experts for each token"),
        (lambda weights, indices: (weights, indices[:, :1].expand(-1, 2)), "the same expert twice"),
        (lambda weights, indices: (weights * torch.nan, indices), "not finite"),
        (lambda weights, indices: (weights * 0, indices), "every weight is zero"),
        (lambda weights, indices: (weights, indices[:1].expand(len(indices), -1)), "were given the same experts"),
    ],
)
def test_a_router_that_is_wrong_fails(change, said):
    finding = routed(change)
    assert finding.outcome is Outcome.FAIL
    assert said in finding.message


def test_weights_that_should_be_normalised_and_are_not_fail():
    import transformers

    config = {**models.TEXT, "num_key_value_heads": 2, "num_experts": 4, "num_experts_per_tok": 2}
    config |= {"moe_intermediate_size": 32, "norm_topk_prob": True}
    module = models.built(transformers.Qwen3MoeForCausalLM, transformers.Qwen3MoeConfig, **config)
    subject = models.subject(module, {"input_ids": models.ids()}, config=config)
    assert Experts().run(models.trial(subject)).outcome is Outcome.PASS
    module.model.layers[0].mlp.gate.norm_topk_prob = False
    assert "normalised weights add up to" in Experts().run(models.trial(subject)).message


def test_one_expert_for_all_tokens_needs_weights_that_differ():
    alone = torch.zeros(24, 1, dtype=torch.int64)
    assert experts._wrong(alone, torch.rand(24, 1), {1}) is None
    assert "same experts" in experts._wrong(alone, torch.ones(24, 1), {1})
