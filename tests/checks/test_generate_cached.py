"""A cache that forgets changes the logits of generate()."""

import caches
import transformers

import models
from modelmuster.checks.generate_cached import GenerateCached
from modelmuster.checks.generation import generate, prompt
from modelmuster.records import Family, Modality, Outcome


def test_healthy_models_pass():
    for name in ("llama", "t5"):
        finding = GenerateCached().run(models.trial(getattr(models, name)()))
        assert finding.outcome is Outcome.PASS, finding.message
        assert finding.figures["steps"] == 4


def test_a_cache_that_forgets_fails(monkeypatch):
    caches.forgetful(monkeypatch)
    finding = GenerateCached().run(models.trial(models.llama()))
    assert finding.outcome is Outcome.FAIL
    assert "with its cache" in finding.message


def test_a_class_that_cannot_generate_is_not_asked():
    assert "cannot generate" in GenerateCached().applies(models.trial(models.bert()))


def test_a_decoder_begins_with_the_token_that_its_configuration_names():
    subject = models.t5()
    for config in (subject.module.config, subject.module.generation_config):
        config.decoder_start_token_id = None
    subject.module.config.bos_token_id = 7
    trial = models.trial(subject)
    assert generate(trial, prompt(trial)).sequences[:, 0].tolist() == [7, 7]


def test_a_class_that_is_fed_no_tokens_is_not_asked():
    subject = models.llama()
    embeddings = {"inputs_embeds": models.noise(2, 12, 32)}
    trial = models.trial(models.subject(subject.module, embeddings, modalities=(Modality.EMBEDDING,)))
    assert "no tokens" in GenerateCached().applies(trial)


def test_a_decoder_that_reads_both_ways_by_its_configuration_is_not_asked():
    module = models.built(transformers.BertGenerationDecoder, transformers.BertGenerationConfig, **models.TEXT)
    subject = models.subject(module, {"input_ids": models.ids()}, family=Family.ENCODER_ONLY)
    assert "both ways" in GenerateCached().applies(models.trial(subject))
    module.config.is_decoder = True
    assert GenerateCached().applies(models.trial(subject)) is None
