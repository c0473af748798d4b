"""A CTC loss that counts frames or labels that are padding is found."""

import numpy as np
import pytest
import torch
import transformers
from transformers.models.wav2vec2 import modeling_wav2vec2

import models
from modelmuster.checks.ctc import Ctc
from modelmuster.records import Family, Modality, Outcome


def recogniser():
    config = {**models.TOWER, "vocab_size": 12, "conv_dim": [16, 16], "conv_kernel": [10, 3], "conv_stride": [5, 2]}
    config |= {"num_feat_extract_layers": 2, "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2}
    return models.subject(
        models.built(transformers.Wav2Vec2ForCTC, transformers.Wav2Vec2Config, **config),
        {"input_values": models.noise(2, 320), "attention_mask": np.ones((2, 320), np.int64)},
        family=Family.AUDIO,
        modalities=(Modality.AUDIO,),
        tasks=("CTC",),
        config=config,
    )


def test_a_healthy_model_passes():
    trial = models.trial(recogniser())
    assert Ctc().applies(trial) is None
    finding = Ctc().run(trial)
    assert finding.outcome is Outcome.PASS, finding.message


def all_frames(kwargs):
    kwargs["logit_lengths"] = torch.full_like(kwargs["logit_lengths"], kwargs["logits"].shape[1])


def another_blank(kwargs):
    kwargs["blank_token_id"] = 1


@pytest.mark.parametrize("change", [all_frames, another_blank])
def test_a_loss_of_other_frames_or_blanks_fails(monkeypatch, change):
    right = modeling_wav2vec2.Wav2Vec2ForCTC(recogniser().module.config).loss_function

    def loss(self, **kwargs):
        change(kwargs)
        return right(**kwargs)

    monkeypatch.setattr(modeling_wav2vec2.Wav2Vec2ForCTC, "loss_function", loss, raising=False)
    finding = Ctc().run(models.trial(recogniser()))
    assert finding.outcome is Outcome.FAIL
    assert "reports a loss" in finding.message


def test_another_task_is_not_asked():
    assert Ctc().applies(models.trial(models.bert())) is not None
