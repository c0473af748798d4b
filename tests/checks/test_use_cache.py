"""A model that computes something else when a cache is asked for is found."""

import models
from modelmuster.checks.use_cache import UseCache
from modelmuster.records import Outcome


def test_healthy_models_pass():
    for name in ("llama", "t5", "mixtral"):
        trial = models.trial(getattr(models, name)())
        assert UseCache().applies(trial) is None
        assert UseCache().run(trial).outcome is Outcome.PASS


def test_other_numbers_with_a_cache_fail():
    subject = models.llama()

    def larger(module, args, kwargs, output):
        output.logits = output.logits * (1 + 1e-3 * bool(kwargs.get("use_cache")))
        return output

    subject.module.register_forward_hook(larger, with_kwargs=True)
    finding = UseCache().run(models.trial(subject))
    assert finding.outcome is Outcome.FAIL
    assert "with a cache asked for" in finding.message


def test_a_model_without_caches_is_not_asked():
    assert UseCache().applies(models.trial(models.vit()))
