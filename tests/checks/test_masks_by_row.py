"""Masks that are taken from another row are found."""

import pytest

import models
from modelmuster.checks.masks_by_row import MasksByRow
from modelmuster.checks.padding import Padding
from modelmuster.records import Outcome


@pytest.mark.parametrize("name", ["bert", "llama", "t5"])
def test_healthy_models_pass(name):
    trial = models.trial(getattr(models, name)())
    assert MasksByRow().applies(trial) is None
    assert MasksByRow().run(trial).outcome is Outcome.PASS


def test_the_first_rows_mask_for_all_fails_where_equal_masks_do_not():
    subject = models.bert()

    def first_for_all(module, args, kwargs):
        mask = kwargs["attention_mask"]
        return args, {**kwargs, "attention_mask": mask[:1].expand_as(mask)}

    subject.module.register_forward_pre_hook(first_for_all, with_kwargs=True)
    trial = models.trial(subject)
    assert Padding().run(trial).outcome is Outcome.PASS
    finding = MasksByRow().run(trial)
    assert finding.outcome is Outcome.FAIL
    assert "with its own mask" in finding.message


def test_a_model_without_masks_is_not_asked():
    assert "no mask" in MasksByRow().applies(models.trial(models.vit()))
