"""A formula that says another number of frames than come out is found."""

import transformers

import models
from modelmuster.checks.frame_count import FrameCount
from modelmuster.records import Family, Modality, Outcome


def wav2vec2():
    config = {**models.TOWER, "vocab_size": 32, "conv_dim": (16, 16), "conv_stride": (5, 2), "conv_kernel": (10, 3)}
    config |= {"num_feat_extract_layers": 2, "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2}
    module = models.built(transformers.Wav2Vec2ForCTC, transformers.Wav2Vec2Config, **config)
    inputs = {"input_values": models.noise(2, 400)}
    return models.subject(module, inputs, family=Family.AUDIO, modalities=(Modality.AUDIO,), config=config)


def test_a_healthy_model_passes():
    trial = models.trial(wav2vec2())
    assert FrameCount().applies(trial) is None
    finding = FrameCount().run(trial)
    assert finding.outcome is Outcome.PASS, finding.message
    assert finding.figures["frames"] == 39


def test_another_formula_fails():
    subject = wav2vec2()
    subject.module.wav2vec2.config.conv_stride = (5, 3)
    subject.module._get_feat_extract_output_lengths = lambda lengths: lengths // 5
    finding = FrameCount().run(models.trial(subject))
    assert finding.outcome is Outcome.FAIL
    assert "the model's own formula says 80" in finding.message
