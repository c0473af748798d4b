"""Images that reach the row of another are found."""

import hooks

import models
from modelmuster.checks.image_swap import ImageSwap, _same_text
from modelmuster.records import Outcome


def first(kwargs):
    kwargs["pixel_values"] = kwargs["pixel_values"][:1].expand_as(kwargs["pixel_values"])
    return kwargs


def alternating(kwargs, output):
    output.image_embeds = output.image_embeds * output.image_embeds.new_tensor([[1.0], [2.0]])


def test_a_healthy_model_passes():
    assert ImageSwap().run(models.trial(models.clip())).outcome is Outcome.PASS


def test_the_first_image_for_all_rows_fails():
    finding = ImageSwap().run(models.trial(hooks.before(models.clip(), first)))
    assert finding.outcome is Outcome.FAIL


def test_a_row_that_matters_more_than_its_image_fails():
    finding = ImageSwap().run(models.trial(hooks.after(models.clip(), alternating)))
    assert finding.outcome is Outcome.FAIL
    assert "two images swapped" in finding.message


def test_patches_as_many_as_tokens_are_no_text():
    subject = models.clip()
    trial = models.trial(subject)
    inputs = {**trial.inputs, "pixel_values": trial.inputs["input_ids"][..., None].astype("float32")}
    kept = _same_text(trial, inputs, 2)["pixel_values"]
    assert (kept == inputs["pixel_values"]).all()
