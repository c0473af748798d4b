"""Gradients that are not finite or never arrive are found; parts at rest are listed."""

import torch

import models
from modelmuster.checks.gradients import Gradients
from modelmuster.records import Outcome


def test_healthy_models_pass_and_keep_no_gradients():
    subject = models.llama()
    finding = Gradients().run(models.trial(subject))
    assert finding.outcome is Outcome.PASS
    assert finding.figures["reached"] == 1
    assert all(parameter.grad is None for parameter in subject.module.parameters())


def test_a_detached_layer_fails():
    subject = models.bert()
    subject.module.encoder.layer[1].register_forward_pre_hook(lambda module, args: (args[0].detach(), *args[1:]))
    finding = Gradients().run(models.trial(subject))
    assert finding.outcome is Outcome.FAIL
    assert "embeddings" in finding.message


def test_a_gradient_that_is_not_finite_fails():
    class Root(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(3))

        def forward(self, x):
            return (x * self.weight).abs().sqrt()

    finding = Gradients().run(models.trial(models.subject(Root(), {"x": models.noise(3)}, seed=None)))
    assert finding.outcome is Outcome.FAIL
    assert "not finite" in finding.message


def test_an_unused_parameter_is_listed():
    subject = models.bert()
    subject.module.mask_token = torch.nn.Parameter(torch.ones(3))
    finding = Gradients().run(models.trial(subject))
    assert finding.outcome is Outcome.PASS
    assert finding.figures["unused"] == "mask_token"


def test_a_model_without_gradients_is_not_asked():
    class Counting(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(3))

        def forward(self, x):
            return (x * self.weight).argmax(-1)

    subject = models.subject(Counting(), {"x": models.noise(2, 3)})
    assert Gradients().run(models.trial(subject)).outcome is Outcome.NOT_APPLICABLE


def test_a_bias_that_one_layer_forgets_fails():
    import transformers

    module = models.built(transformers.BertModel, transformers.BertConfig, **{**models.TEXT, "num_hidden_layers": 3})
    dense = module.encoder.layer[1].output.dense
    dense.register_forward_hook(lambda layer, args, output: output - layer.bias)
    finding = Gradients().run(models.trial(models.subject(module, {"input_ids": models.ids()})))
    assert finding.outcome is Outcome.FAIL
    assert finding.message.startswith("encoder.layer.1.output.dense.bias gets no gradient")
