"""A series that is not scaled, or scaled back in another unit, is found."""

import numpy as np
import transformers
from transformers.models.time_series_transformer import modeling_time_series_transformer as modeling

import models
from modelmuster.checks.series_scale import SeriesScale
from modelmuster.records import Family, Modality, Outcome


def forecaster():
    config = {"prediction_length": 4, "context_length": 8, "lags_sequence": [1, 2], "d_model": 16}
    config |= {"encoder_layers": 1, "decoder_layers": 1, "num_time_features": 1}
    inputs = {
        "past_values": models.noise(2, 10),
        "past_time_features": models.noise(2, 10, 1),
        "past_observed_mask": np.ones((2, 10), np.float32),
        "future_values": models.noise(2, 4),
        "future_time_features": models.noise(2, 4, 1),
    }
    return models.subject(
        models.built(transformers.TimeSeriesTransformerModel, transformers.TimeSeriesTransformerConfig, **config),
        inputs,
        family=Family.TIME_SERIES,
        modalities=(Modality.TIME_SERIES,),
        config=config,
    )


def test_a_healthy_model_passes():
    trial = models.trial(forecaster())
    assert SeriesScale().applies(trial) is None
    finding = SeriesScale().run(trial)
    assert finding.outcome is Outcome.PASS, finding.message


def test_values_that_are_not_divided_by_their_scale_fail(monkeypatch):
    scaled = modeling.TimeSeriesMeanScaler.forward

    def forward(self, data, observed):
        values, loc, scale = scaled(self, data, observed)
        return values, loc, scale / scale

    monkeypatch.setattr(modeling.TimeSeriesMeanScaler, "forward", forward)
    finding = SeriesScale().run(models.trial(forecaster()))
    assert finding.outcome is Outcome.FAIL
    assert "in another unit" in finding.message


def test_a_scale_of_values_that_were_not_observed_fails(monkeypatch):
    scaled = modeling.TimeSeriesMeanScaler.forward
    monkeypatch.setattr(
        modeling.TimeSeriesMeanScaler,
        "forward",
        lambda self, data, observed: scaled(self, data, np.ones(1)[0] + 0 * observed),
    )
    assert "not observed" in SeriesScale().run(models.trial(forecaster())).message


def test_a_model_that_does_not_scale_is_not_asked():
    subject = forecaster()
    subject.module.config.scaling = None
    assert "off" in SeriesScale().applies(models.trial(subject))
