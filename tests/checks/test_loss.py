"""A loss that forgets to shift, or counts what is to be ignored, is found."""

import hooks
import pytest
import transformers
from torch.nn.functional import cross_entropy

import models
from modelmuster.checks.loss import LossByHand
from modelmuster.records import Family, Outcome


def made(name, tasks, **changed):
    inputs = {"input_ids": models.ids()}
    module = models.built(getattr(transformers, name), transformers.BertConfig, **{**models.TEXT, **changed})
    return models.subject(module, inputs, family=Family.ENCODER_ONLY, tasks=tasks, config=dict(models.TEXT))


def unshifted(kwargs, output):
    output.loss = cross_entropy(output.logits.flatten(0, 1), kwargs["labels"].flatten())


def counting(kwargs, output):
    labels = kwargs["labels"].clamp(min=0)
    output.loss = cross_entropy(output.logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())


@pytest.mark.parametrize(
    "make",
    [
        models.llama,
        models.t5,
        lambda: made("BertForMaskedLM", ("MASKED_LM",)),
        lambda: made("BertForTokenClassification", ("TOKEN_CLASSIFICATION",)),
        lambda: made("BertForSequenceClassification", ("SEQUENCE_CLASSIFICATION",)),
        lambda: made("BertForQuestionAnswering", ("QUESTION_ANSWERING",)),
    ],
)
def test_healthy_models_pass(make):
    trial = models.trial(make())
    assert LossByHand().applies(trial) is None
    finding = LossByHand().run(trial)
    assert finding.outcome is Outcome.PASS, finding.message


@pytest.mark.parametrize("change", [unshifted, counting])
def test_a_wrong_loss_fails(change):
    finding = LossByHand().run(models.trial(hooks.after(models.llama(), change)))
    assert finding.outcome is Outcome.FAIL
    assert "by its own logits it is" in finding.message


def test_a_model_without_labels_is_not_asked():
    assert LossByHand().applies(models.trial(models.vit()))
