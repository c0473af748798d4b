"""Old words whose embeddings are lost, and ties that break, are found."""

import pytest
import torch
import transformers

import models
from modelmuster.checks.resize_embeddings import ResizeEmbeddings
from modelmuster.records import Outcome


def tied():
    config = {**models.TEXT, "num_key_value_heads": 2, "tie_word_embeddings": True}
    module = models.built(transformers.LlamaForCausalLM, transformers.LlamaConfig, **config)
    return models.subject(module, {"input_ids": models.ids()}, config=config)


@pytest.mark.parametrize("make", [models.bert, models.llama, models.t5, tied])
def test_healthy_models_pass(make):
    finding = ResizeEmbeddings().run(models.trial(make()))
    assert finding.outcome is Outcome.PASS, finding.message
    assert finding.figures["words_after"] == 102


def grown(change):
    subject = tied()
    resize = type(subject.module).resize_token_embeddings

    class Careless(type(subject.module)):
        def resize_token_embeddings(self, *args, **kwargs):
            made = resize(self, *args, **kwargs)
            with torch.no_grad():
                change(self)
            return made

    subject.module.__class__ = Careless
    return ResizeEmbeddings().run(models.trial(subject))


def test_old_words_that_are_drawn_again_fail():
    assert "with 3 more words" in grown(lambda module: module.model.embed_tokens.weight[5:60].normal_()).message


def test_a_tie_that_breaks_fails():
    def untie(module):
        module.lm_head.weight = torch.nn.Parameter(module.lm_head.weight.clone())

    assert "tie between input and output" in grown(untie).message
