"""Rows that see one another are found."""

import torch

import models
from modelmuster.checks.batch_invariance import BatchInvariance
from modelmuster.checks.batch_permutation import BatchPermutation
from modelmuster.records import Modality, Outcome


def leaking(subject, leak):
    subject.module.register_forward_hook(
        lambda module, args, output: {"last_hidden_state": leak(output.last_hidden_state)}
    )
    return models.trial(subject)


def test_healthy_models_pass():
    for name in ("bert", "llama", "t5", "vit", "clip"):
        trial = models.trial(getattr(models, name)())
        assert BatchInvariance().applies(trial) is None
        assert BatchInvariance().run(trial).outcome is Outcome.PASS
        assert BatchPermutation().run(trial).outcome is Outcome.PASS


def test_a_mean_over_the_batch_fails_alone_but_not_permuted():
    trial = leaking(models.bert(), lambda states: states - 1e-3 * states.mean(0, keepdim=True))
    finding = BatchInvariance().run(trial)
    assert finding.outcome is Outcome.FAIL
    assert "row 0 alone" in finding.message
    assert BatchPermutation().run(trial).outcome is Outcome.PASS


def test_answers_in_a_fixed_order_fail_permuted():
    weights = torch.tensor([1.0, 2.0]).view(2, 1, 1)
    assert BatchPermutation().run(leaking(models.bert(), lambda states: states * weights)).outcome is Outcome.FAIL


def test_rows_mixed_with_positions_fail_alone():
    trial = leaking(models.bert(), lambda states: states.transpose(0, 1).reshape(states.shape))
    assert BatchInvariance().run(trial).outcome is Outcome.FAIL


def test_packed_inputs_are_not_asked():
    class Packed(torch.nn.Module):
        def forward(self, input_ids, pixel_values):
            return input_ids.float() + pixel_values.mean()

    inputs = {"input_ids": models.ids(), "pixel_values": models.noise(7, 4)}
    trial = models.trial(models.subject(Packed(), inputs, modalities=(Modality.TEXT, Modality.IMAGE)))
    assert "pixel_values" in BatchInvariance().applies(trial)


class Noisy(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(4, 4)

    def forward(self, pixel_values):
        return self.inner(pixel_values + torch.randn_like(pixel_values))


def test_noise_for_the_whole_batch_is_no_rows_own():
    trial = models.trial(models.subject(Noisy(), {"pixel_values": models.noise(2, 4)}, modalities=(Modality.IMAGE,)))
    for check in (BatchInvariance(), BatchPermutation()):
        assert "random numbers by design" in check.run(trial).message


def test_dropout_that_stayed_on_is_no_noise_by_design():
    subject = models.bert()
    subject.module.embeddings.dropout.train()
    assert BatchInvariance().run(models.trial(subject)).outcome is Outcome.FAIL


class Padding(torch.nn.Module):
    """Gives each row as many frames as its first number says, padded to the longest."""

    def forward(self, input_ids, pixel_values):
        frames = torch.arange(int(input_ids[:, 0].max())) < input_ids[:, :1]
        return {"logits": pixel_values, "spectrogram": frames.float()}


def test_what_is_padded_to_the_longest_row_is_left_out():
    inputs = {"input_ids": torch.tensor([[3, 1], [5, 1]]).numpy(), "pixel_values": models.noise(2, 4)}
    trial = models.trial(models.subject(Padding(), inputs, modalities=(Modality.TEXT, Modality.IMAGE)))
    assert BatchInvariance().run(trial).outcome is Outcome.PASS


class Pairs(torch.nn.Module):
    """Looks at every text in the light of every picture."""

    def forward(self, input_ids, pixel_values):
        texts = input_ids.float().mean(1, keepdim=True).expand(-1, 4)
        return {"logits": pixel_values, "text_embeds": pixel_values[:, None] * texts[None]}


def test_vectors_for_pairs_of_rows_are_nobodys_row():
    inputs = {"input_ids": models.ids(2, 5), "pixel_values": models.noise(2, 4)}
    trial = models.trial(models.subject(Pairs(), inputs, modalities=(Modality.TEXT, Modality.IMAGE)))
    assert BatchPermutation().run(trial).outcome is Outcome.PASS
