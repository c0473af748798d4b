"""A model that sees grey only is found."""

import hooks

import models
from modelmuster.checks.channel_order import ChannelOrder
from modelmuster.records import Outcome


def grey(kwargs):
    kwargs["pixel_values"] = kwargs["pixel_values"].mean(1, keepdim=True).expand_as(kwargs["pixel_values"])
    return kwargs


def test_a_healthy_model_passes():
    assert ChannelOrder().run(models.trial(models.vit())).outcome is Outcome.PASS


def test_a_model_that_is_colour_blind_fails():
    finding = ChannelOrder().run(models.trial(hooks.before(models.vit(), grey)))
    assert finding.outcome is Outcome.FAIL
    assert "colour channels reversed" in finding.message


def test_a_text_has_no_channels():
    assert ChannelOrder().applies(models.trial(models.bert()))
