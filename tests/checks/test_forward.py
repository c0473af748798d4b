"""A model passes only when it is alive: finite, of the promised shape, and listening to everything it is fed."""

from dataclasses import replace

import faults
import msgspec
import numpy as np
import pytest
import torch

import models
from modelmuster.checks.batches import separable
from modelmuster.checks.feeding import batch_size
from modelmuster.checks.forward import Forward
from modelmuster.records import Modality, Outcome


def ask(subject, **kwargs):
    return Forward().run(models.trial(subject, **kwargs))


def changed(subject, after):
    """The subject, its module's outputs changed by `after`."""
    subject.module.register_forward_hook(lambda module, args, output: after(output))
    return subject


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", ["bert", "llama", "t5", "vit", "clip", "mixtral"])
def test_a_healthy_model_passes(name, dtype):
    finding = ask(getattr(models, name)(), dtype=dtype)
    assert finding.outcome is Outcome.PASS, finding.message
    assert finding.figures["spread_over_rows"] > 0.1


def test_a_constant_output_fails():
    subject = changed(models.bert(), lambda output: {"last_hidden_state": torch.ones_like(output.last_hidden_state)})
    finding = ask(subject)
    assert finding.outcome is Outcome.FAIL
    assert "same for different inputs" in finding.message


def test_an_output_that_depends_on_the_row_but_not_on_the_input_fails():
    constant = models.noise(2, 12, 32)
    subject = changed(models.bert(), lambda output: {"last_hidden_state": torch.from_numpy(constant)})
    finding = ask(subject)
    assert finding.outcome is Outcome.FAIL
    assert "the text has no influence" in finding.message


def test_a_model_that_ignores_its_image_fails():
    subject = models.clip()
    subject.module.register_forward_pre_hook(
        lambda module, args, kwargs: (args, {**kwargs, "pixel_values": torch.ones_like(kwargs["pixel_values"])}),
        with_kwargs=True,
    )
    finding = ask(subject)
    assert finding.outcome is Outcome.FAIL
    assert "the image has no influence: with another pixel_values" in finding.message
    assert "the text has" not in finding.message


def test_features_that_nobody_listens_to_do_not_count_as_influence():
    class Deaf(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table = torch.nn.Embedding(99, 8)

        def forward(self, input_ids, pixel_values):
            return {"logits": self.table(input_ids), "image_hidden_states": pixel_values * 2}

    inputs = {"input_ids": models.ids(), "pixel_values": models.noise(2, 3, 4, 4)}
    subject = models.subject(Deaf(), inputs, modalities=(Modality.TEXT, Modality.IMAGE))
    assert "the image has no influence" in ask(subject).message


def test_an_encoder_decoder_that_ignores_its_encoder_fails():
    subject = models.t5()
    subject.module.encoder.register_forward_hook(
        lambda module, args, output: type(output)(last_hidden_state=torch.ones_like(output.last_hidden_state))
    )
    assert "with another input_ids" in ask(subject).message


def test_an_image_that_was_never_fed_is_named():
    subject = models.clip()
    text = {name: value for name, value in subject.inputs.items() if name != "pixel_values"}
    subject = models.subject(subject.module.text_model, text, modalities=(Modality.TEXT, Modality.IMAGE))
    finding = ask(subject)
    assert finding.outcome is Outcome.FAIL
    assert finding.message == "the image never reached the model: only text was fed"


@pytest.mark.parametrize(("value", "said"), [(float("nan"), "holds NaN"), (float("inf"), "overflows")])
def test_values_that_are_not_finite_fail(value, said):
    subject = models.bert()

    def spoil(output):
        if output.last_hidden_state.dtype is torch.float32:
            output.last_hidden_state[0, 0, 0] = value
        return output

    finding = ask(changed(subject, spoil))
    assert finding.outcome is Outcome.FAIL
    assert said in finding.message


def test_marks_of_minus_infinity_that_the_reference_has_too_pass():
    def mark(output):
        output.last_hidden_state[:, :, 3] = -torch.inf
        return output

    assert ask(changed(models.bert(), mark)).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (lambda output: {"logits": output.logits[..., :50]}, "50 wide, the configuration promises 99"),
        (lambda output: {"logits": output.logits[:, 1:]}, "11 positions for 12 tokens"),
        (lambda output: {"logits": output.logits[:1]}, "1 rows for a batch of 2"),
        (lambda output: {"logits": output.logits.bfloat16()}, "came back in bfloat16"),
        (lambda output: {}, "no tensor"),
    ],
)
def test_shapes_and_dtypes_are_promised(after, said):
    finding = ask(changed(models.llama(), after))
    assert finding.outcome is Outcome.FAIL
    assert said in finding.message


def test_labels_are_promised():
    import transformers

    module = models.built(transformers.BertForSequenceClassification, transformers.BertConfig, **models.TEXT)
    inputs = {"input_ids": models.ids()}
    promised = models.subject(module, inputs, tasks=("SEQUENCE_CLASSIFICATION",), config={"num_labels": 2})
    assert ask(promised).outcome is Outcome.PASS
    broken = models.subject(module, inputs, tasks=("SEQUENCE_CLASSIFICATION",), config={"num_labels": 3})
    assert "2 wide, the configuration promises 3" in ask(broken).message


def test_special_tokens_stay_where_they_are_when_ids_are_moved():
    from modelmuster.checks.feeding import changed as change

    subject = models.llama()
    ids = models.ids()
    ids[:, 4:7] = 98
    config = {**subject.recipe.config, "image_token_id": 98}
    subject = models.subject(subject.module, {"input_ids": ids}, config=config)
    moved = change(models.trial(subject), "input_ids")["input_ids"]
    assert ((moved == 98) == (ids == 98)).all()
    assert (np.sort(moved, 1) == np.sort(ids, 1)).all()
    assert (moved != ids).any()


def test_lists_of_images_are_changed_too():
    from modelmuster.checks.feeding import changed as change

    class Listed(torch.nn.Module):
        def forward(self, pixel_values):
            return torch.stack([image.double().cumsum(-1).mean().float() for image in pixel_values])

    images = [models.noise(3, 4, 4), models.noise(3, 2, 6)]
    subject = models.subject(Listed(), {"pixel_values": images}, modalities=(Modality.IMAGE,))
    moved = change(models.trial(subject), "pixel_values")["pixel_values"]
    assert [image.shape for image in moved] == [image.shape for image in images]
    assert ask(subject).outcome is Outcome.PASS


def test_the_fault_of_a_runtime_does_not_make_forward_fail():
    """Numbers are the business of `reference`."""
    assert Forward().run(faults.faulty(models.bert(), faults.wrong_scale)).outcome is Outcome.PASS


def test_patches_of_several_images_in_one_axis_are_no_rows_of_a_batch():
    subject = models.vit()
    patches = {"hidden_states": models.noise(32, 48), "grid_thw": np.array([[1, 4, 4], [1, 4, 4]])}
    assert batch_size(models.trial(replace(subject, inputs=patches))) is None
    assert batch_size(models.trial(subject)) == 2


def test_members_of_a_dictionary_are_not_taken_for_rows():
    subject = models.bert()
    held = {**subject.inputs, "shared": {"full_attention": (models.noise(2, 3), models.noise(2, 3))}}
    assert "shared" in (separable(models.trial(replace(subject, inputs=held))) or "")


def test_positions_of_all_rows_in_one_axis_break_no_promise():
    finding = ask(
        changed(models.bert(), lambda output: {"last_hidden_state": output.last_hidden_state.flatten(0, 1)[:20]})
    )
    assert "rows for a batch" not in finding.message


@pytest.mark.parametrize(("positions", "kept"), [(8, True), (7, False)])
def test_patches_of_all_sized_images_in_one_row_break_no_promise_as_long_as_they_cover_them(positions, kept):
    subject = models.vit()
    sized = replace(subject, inputs={**subject.inputs, "image_sizes": np.array([[32, 32], [32, 32]])})
    lined_up = changed(sized, lambda output: {"last_hidden_state": output.last_hidden_state.new_ones(1, positions, 4)})
    assert ("rows for a batch" not in ask(lined_up).message) is kept


def test_ids_that_stand_for_sound_count_as_the_text_that_the_catalogue_calls_them():
    subject = models.llama()
    recipe = msgspec.structs.replace(subject.recipe, modalities=(Modality.AUDIO,))
    finding = ask(replace(subject, recipe=recipe))
    assert finding.outcome is Outcome.PASS, finding.message


def test_rows_of_codebooks_are_no_rows_of_a_batch():
    subject = models.llama()
    recipe = msgspec.structs.replace(subject.recipe, modalities=(Modality.AUDIO,))
    assert batch_size(models.trial(subject)) == 2
    assert batch_size(models.trial(replace(subject, recipe=recipe))) is None


def test_a_vector_for_each_position_may_be_called_pooled():
    def pooled(output):
        return {"last_hidden_state": output.last_hidden_state, "pooler_output": output.last_hidden_state.flatten(0, 1)}

    assert "rows for a batch" not in ask(changed(models.bert(), pooled)).message


def test_a_modality_that_the_model_refuses_beside_the_others_is_named_not_missed():
    subject = models.clip()
    video = msgspec.structs.replace(subject.architecture, modalities=(*subject.architecture.modalities, Modality.VIDEO))
    apart = msgspec.structs.replace(subject.recipe, apart={Modality.VIDEO: "refused in one call with images"})
    assert "video never reached" in ask(replace(subject, architecture=video)).message
    finding = ask(replace(subject, architecture=video, recipe=apart))
    assert finding.outcome is Outcome.PASS, finding.message
    assert finding.figures["video.apart"] == "refused in one call with images"


def test_marks_at_the_end_of_the_range_do_not_drown_the_numbers():
    def masked(output):
        logits = output.last_hidden_state.clone()
        logits[..., 0] = torch.finfo(torch.float32).min
        return {"logits": logits}

    finding = ask(changed(models.bert(), masked))
    assert finding.figures["spread_over_rows"] > 0.1
