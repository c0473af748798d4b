"""Token types that are not read are found."""

import numpy as np
import torch

import models
from modelmuster.checks.token_types import TokenTypes
from modelmuster.records import Outcome


def typed():
    subject = models.bert()
    types = np.zeros((2, 12), np.int64)
    types[:, 6:] = 1
    return models.subject(subject.module, {**subject.inputs, "token_type_ids": types})


def test_a_healthy_model_passes():
    assert TokenTypes().run(models.trial(typed())).outcome is Outcome.PASS


def test_types_that_are_not_read_fail():
    subject = typed()
    subject.module.embeddings.token_type_embeddings.register_forward_hook(
        lambda module, args, output: torch.zeros_like(output)
    )
    assert "one segment instead of two" in TokenTypes().run(models.trial(subject)).message


def test_a_model_that_is_fed_none_is_not_asked():
    assert TokenTypes().applies(models.trial(models.bert()))
