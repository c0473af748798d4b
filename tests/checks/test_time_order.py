"""A forecaster that sees its own future, or ignores when things happened, is found."""

import hooks
import transformers

import models
from modelmuster.checks.time_order import TimeOrder
from modelmuster.records import Family, Modality, Outcome


def series():
    config = {"prediction_length": 6, "context_length": 8, "lags_sequence": [1, 2], "d_model": 16, "scaling": False}
    config |= {"encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    config |= {"num_time_features": 1}
    module = models.built(transformers.TimeSeriesTransformerModel, transformers.TimeSeriesTransformerConfig, **config)
    inputs = {
        "past_values": models.noise(2, 10),
        "past_time_features": models.noise(2, 10, 1),
        "past_observed_mask": models.noise(2, 10) * 0 + 1,
        "future_values": models.noise(2, 6),
        "future_time_features": models.noise(2, 6, 1),
    }
    return models.subject(module, inputs, family=Family.TIME_SERIES, modalities=(Modality.TIME_SERIES,))


def reversed_future(kwargs):
    kwargs["future_values"] = kwargs["future_values"].flip(1)
    return kwargs


def averaged(kwargs):
    kwargs["past_values"] = kwargs["past_values"].mean(1, keepdim=True).expand_as(kwargs["past_values"])
    return kwargs


def test_a_healthy_model_passes():
    finding = TimeOrder().run(models.trial(series()))
    assert finding.outcome is Outcome.PASS, finding.message
    assert "future.relative_rmse" in finding.figures


def test_a_future_that_leaks_fails():
    assert "change what comes before" in TimeOrder().run(models.trial(hooks.before(series(), reversed_future))).message


def test_a_past_without_order_fails():
    assert "past reversed" in TimeOrder().run(models.trial(hooks.before(series(), averaged))).message
