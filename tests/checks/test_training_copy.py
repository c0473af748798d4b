"""What is random in training is off in a copy to train, in parts of a model too."""

import torch
import transformers
from torch import nn

import models
from modelmuster.checks.training import gradients_of, refuses, training_copy


class Around(nn.Module):
    """A model with another inside, whose configuration its own does not show."""

    def __init__(self):
        super().__init__()
        self.inner = models.built(transformers.BertModel, transformers.BertConfig, **models.TEXT)
        self.inner.config.apply_spec_augment = True


def test_augmentation_of_an_inner_model_is_off():
    module = Around()
    assert training_copy(module).inner.config.apply_spec_augment is False
    assert module.inner.config.apply_spec_augment is True


class Refusing(torch.autograd.Function):
    @staticmethod
    def forward(ctx, value):
        return value.clone()

    @staticmethod
    def backward(ctx, gradient):
        raise AssertionError("If you want to train this, make sure to use `model.train()`")


def test_a_model_that_refuses_gradients_says_why():
    value = torch.ones(2, requires_grad=True)
    assert "refuses gradients" in gradients_of(Refusing.apply(value).sum(), [value])


def test_any_other_error_is_no_refusal():
    assert not refuses(ValueError("shapes do not match"))
