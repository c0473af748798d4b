"""A hidden state too few is found."""

import models
from modelmuster.checks.hidden_states import HiddenStates
from modelmuster.records import Outcome


def test_healthy_models_pass():
    for name in ("bert", "llama"):
        finding = HiddenStates().run(models.trial(getattr(models, name)()))
        assert finding.outcome is Outcome.PASS
        assert (finding.figures["hidden_states"], finding.figures["attentions"]) == (3, 2)


def test_a_state_too_few_fails():
    subject = models.llama()

    def cut(module, args, kwargs, output):
        if output.hidden_states is not None:
            output.hidden_states = output.hidden_states[1:]
        return output

    subject.module.register_forward_hook(cut, with_kwargs=True)
    assert "2 hidden states for 2 layers" in HiddenStates().run(models.trial(subject)).message


def test_a_state_of_another_shape_fails():
    subject = models.llama()

    def turn(module, args, kwargs, output):
        if output.hidden_states is not None:
            output.hidden_states = tuple(state.transpose(0, 1) for state in output.hidden_states)
        return output

    subject.module.register_forward_hook(turn, with_kwargs=True)
    assert "(12, 2, 32)" in HiddenStates().run(models.trial(subject)).message


def test_a_layer_that_does_nothing_fails():
    subject = models.llama()
    subject.module.model.layers[0].register_forward_hook(lambda module, args, output: args[0])
    subject.module.model.layers[0].forward = lambda hidden_states, **kwargs: hidden_states
    finding = HiddenStates().run(models.trial(subject))
    assert finding.outcome is Outcome.FAIL
    assert "layer 0 changes its hidden state by 0.0e+00 only" in finding.message
