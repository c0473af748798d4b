"""A layer that forgets an argument when it is run again is found."""

import torch

import models
from modelmuster.checks.gradient_checkpointing import GradientCheckpointing
from modelmuster.records import Outcome


def test_healthy_models_pass():
    for name in ("bert", "llama", "t5", "vit"):
        finding = GradientCheckpointing().run(models.trial(getattr(models, name)()))
        assert finding.outcome is Outcome.PASS, finding.message
        assert finding.figures["checkpointed_layers"] >= 2


def test_a_layer_that_forgets_its_mask_when_checkpointed_fails():
    subject = models.llama()

    def forget(module, args, kwargs):
        if module.gradient_checkpointing:
            kwargs["position_ids"] = None
            args = (args[0] * 1.01, *args[1:])
        return args, kwargs

    subject.module.model.layers[1].register_forward_pre_hook(forget, with_kwargs=True)
    finding = GradientCheckpointing().run(models.trial(subject))
    assert finding.outcome is Outcome.FAIL
    assert "with checkpointing" in finding.message


def test_a_module_without_it_is_not_asked():
    trial = models.trial(models.subject(torch.nn.Linear(2, 2), {"input": models.noise(2, 2)}))
    assert "does not support" in GradientCheckpointing().applies(trial)
