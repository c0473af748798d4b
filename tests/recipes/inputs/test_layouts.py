"""`layouts` on real models: what comes first, what it feeds, and that it is the same each time."""

from __future__ import annotations

import pytest
import torch

from modelmuster.recipes.inputs import layouts
from modelmuster.records import Architecture, Family, Modality

ANY = Architecture(model_type="any", config_class="", module="", family=Family.OTHER, top_level=True)


def first(module, **keywords):
    return next(layouts(module, ANY, 0, **keywords))


def run(module, arguments):
    with torch.no_grad():
        return module(**arguments)[0]


def changed(module, arguments, name):
    other = dict(arguments)
    other[name] = torch.randn_like(arguments[name])
    return not torch.equal(run(module, arguments), run(module, other))


def test_text_fills_ids_mask_and_both_segments(bert):
    layout = first(bert)
    made = layout.build()
    assert layout.name == "text"
    assert layout.modalities == (Modality.TEXT,)
    assert made["input_ids"].shape == (2, 12)
    assert not torch.equal(made["input_ids"][0], made["input_ids"][1])
    assert set(made["token_type_ids"].unique().tolist()) == {0, 1}
    assert bool(made["attention_mask"].all())
    assert run(bert, made).shape == (2, 12, 99)


def test_special_tokens_stay_out_of_plain_text(bert):
    special = {bert.config.pad_token_id, 0}
    assert not special & set(first(bert).build()["input_ids"].flatten().tolist())


def test_the_same_seed_gives_the_same_inputs_and_another_seed_others(llava):
    made = [next(layouts(llava, ANY, seed)).build() for seed in (0, 0, 1)]
    assert all(torch.equal(made[0][name], made[1][name]) for name in made[0])
    assert not torch.equal(made[0]["pixel_values"], made[2]["pixel_values"])


def test_building_twice_gives_the_same_inputs(qwen2_vl):
    layout = first(qwen2_vl)
    once, twice = layout.build(), layout.build()
    assert all(torch.equal(once[name], twice[name]) for name in once)


def test_names_are_unique_and_stable(llava):
    names = [[layout.name for layout in layouts(llava, ANY, 0)] for _ in range(2)]
    assert names[0] == names[1]
    assert len(set(names[0])) == len(names[0])


def test_two_towers_get_text_and_image_without_placeholders(clip):
    layout = first(clip)
    made = layout.build()
    assert layout.modalities == (Modality.TEXT, Modality.IMAGE)
    assert made["pixel_values"].shape == (2, 3, 32, 32)
    assert made["input_ids"].shape == (2, 12)
    assert changed(clip, made, "pixel_values")


def test_an_image_reaches_the_language_model_through_its_placeholders(llava):
    layout = first(llava)
    made = layout.build()
    assert layout.modalities == (Modality.TEXT, Modality.IMAGE)
    assert (made["input_ids"] == 98).sum(dim=1).tolist() == [16, 16]
    assert changed(llava, made, "pixel_values")


def test_the_two_images_of_a_batch_differ(llava):
    pixels = first(llava).build()["pixel_values"]
    assert not torch.equal(pixels[0], pixels[1])


def test_text_alone_comes_after_the_fused_layouts_and_says_so(llava):
    found = list(layouts(llava, ANY, 0))
    text = next(index for index, layout in enumerate(found) if layout.name == "text")
    assert text > 0
    assert all(Modality.IMAGE in layout.modalities for layout in found[:text])
    assert found[text].modalities == (Modality.TEXT,)


def test_image_and_video_share_one_forward_with_grids_and_token_kinds(qwen2_vl):
    layout = first(qwen2_vl)
    made = layout.build()
    assert layout.modalities == (Modality.TEXT, Modality.IMAGE, Modality.VIDEO)
    ids = made["input_ids"]
    assert (ids == 98).sum(dim=1).tolist() == [4, 4]
    assert (ids == 97).sum(dim=1).tolist() == [8, 8]
    assert made["image_grid_thw"].tolist() == [[1, 4, 4]] * 2
    assert torch.equal(made["mm_token_type_ids"], (ids == 98).long() + 2 * (ids == 97).long())
    assert all(changed(qwen2_vl, made, name) for name in ("pixel_values", "pixel_values_videos"))


def test_speech_gets_as_many_frames_as_the_encoder_has_positions_for_and_decoder_ids(whisper):
    found = layouts(whisper, ANY, 0)
    layout = next(layout for layout in found if _runs(whisper, layout))
    made = layout.build()
    assert layout.modalities == (Modality.AUDIO, Modality.TEXT)
    assert made["input_features"].shape == (2, 20, 60)
    assert made["decoder_input_ids"].shape == (2, 7)


def _runs(module, layout):
    try:
        run(module, layout.build())
    except (RuntimeError, ValueError):
        return False
    return True


def test_a_remembered_name_gives_the_same_inputs_without_a_search(qwen2_vl):
    layout = first(qwen2_vl)
    again = list(layouts(qwen2_vl, ANY, 0, only=layout.name))
    assert [each.name for each in again] == [layout.name]
    assert again[0].modalities == layout.modalities
    once, twice = layout.build(), again[0].build()
    assert all(torch.equal(once[name], twice[name]) for name in once)


def test_a_remembered_text_layout_is_found_too(llava):
    assert [layout.name for layout in layouts(llava, ANY, 0, only="text")] == ["text"]


def test_a_declared_layout_comes_first(bert):
    table = {"modalities": ["text"], "input_ids": {"kind": "ids", "shape": ["batch", 5]}}
    layout = first(bert, override=table)
    assert layout.name == "declared"
    assert layout.build()["input_ids"].shape == (2, 5)


def test_trials_leave_the_model_and_the_random_state_alone(llava):
    before = {name: tensor.clone() for name, tensor in llava.state_dict().items()}
    attributes = {id(part): set(vars(part)) for part in llava.modules()}
    state = torch.get_rng_state()
    next(layouts(llava, ANY, 0))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], tensor) for name, tensor in llava.state_dict().items())
    assert all(set(vars(part)) == attributes[id(part)] for part in llava.modules())


def test_an_image_that_changes_nothing_is_not_called_fed(make_llava):
    model = make_llava()
    with torch.no_grad():
        for parameter in model.model.multi_modal_projector.parameters():
            parameter.zero_()
    found = list(layouts(model, ANY, 0))
    assert found[0].name == "text"
    assert next(each for each in found if each.name == "text+image:nchw-32x32").modalities == (Modality.TEXT,)


@pytest.mark.parametrize("name", ["pixel_values", "image_grid_thw"])
def test_vision_towers_take_patches_with_their_grid(qwen2_vl, name):
    made = first(qwen2_vl.model.visual).build()
    assert set(made) == {"hidden_states", "grid_thw"}
    assert made["hidden_states"].shape == (32, 3 * 2 * 8 * 8)
    assert name not in made
