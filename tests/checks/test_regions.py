"""A corner of the image that is cut off is found."""

import hooks
import pytest

import models
from modelmuster.checks.regions import Regions
from modelmuster.records import Outcome


def covered(kwargs):
    kwargs["pixel_values"] = kwargs["pixel_values"].clone()
    kwargs["pixel_values"][:, :, :8, :8] = 0
    return kwargs


@pytest.mark.parametrize("name", ["vit", "clip"])
def test_healthy_models_pass(name):
    finding = Regions().run(models.trial(getattr(models, name)()))
    assert finding.outcome is Outcome.PASS
    assert finding.figures["pixel_values.regions"] == 2 * 3 * 4 * 4


def test_a_corner_that_is_covered_fails():
    finding = Regions().run(models.trial(hooks.before(models.vit(), covered)))
    assert finding.outcome is Outcome.FAIL
    assert "6 of 96 regions of pixel_values have no influence, such as [0:1, 0:1, 0:8, 0:8]" in finding.message


def test_a_text_has_no_regions():
    assert Regions().applies(models.trial(models.bert()))


def test_a_model_that_writes_into_its_input_is_asked_all_the_same():
    def shifted(kwargs):
        kwargs["pixel_values"].add_(1)
        return kwargs

    finding = Regions().run(models.trial(hooks.before(models.vit(), shifted)))
    assert finding.outcome is Outcome.PASS, finding.message
