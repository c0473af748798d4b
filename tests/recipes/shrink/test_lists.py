import pytest
from transformers import BertConfig

from modelmuster.recipes.shrink.lists import LIST_RULES, each

CASES = [
    ("token-ids", "eos_token_id", [151643, 151645], [127, 126]),
    ("depths", "depths", [3, 4, 6, 3], [2, 2, 2, 2]),
    ("gathered-widths", "enc_channels", (256, 256, 256, 256, 768), [32, 32, 32, 32, 96]),
    ("gathered-widths", "enc_channels", (256, 256, 256, 256, 512), [32, 32, 32, 32, 32]),
    ("depths", "depths", [3, 3, 3, 3, 3, 3, 8], [1, 1, 1, 1, 1, 1, 1]),
    (
        "block-tables",
        "block_configs",
        [[[3, 16, 32, 2, False]], [[5, 64, 128, 1, True], [3, 128, 128, 1, True], [3, 128, 256, 1, True]]],
        [[[3, 8, 8, 2, False]], [[5, 16, 32, 1, True], [3, 32, 32, 1, True]]],
    ),
    ("block-tables", "bridge_connector", [128, 128], [32, 32]),
    ("distinct-widths", "backbone_channel_list", [768, 384, 192, 96], [32, 16, 8, 4]),
    ("multipliers", "channel_multiplier", [1, 1, 2, 2, 4], [1, 1, 1, 1, 1]),
    ("stage-heads", "num_attention_heads", [1, 2, 5, 8], [1, 2, 4, 4]),
    ("image-sides", "image_size", [512, 864], [64, 64]),
    ("stage-widths-after-all", "encoder_in_channels", [512, 1024, 2048], [32, 32, 32]),
    ("stage-widths", "hidden_sizes", [96, 192, 384], [16, 32, 32]),
]


@pytest.mark.parametrize(("rule", "field", "before", "after"), CASES)
def test_the_first_rule_that_fits_is_the_one_meant(draft, rule, field, before, after):
    found = next(entry for entry in LIST_RULES if entry.fits(field))
    assert found.name == rule
    assert found.apply(before, draft(BertConfig())) == after


def test_every_rule_has_a_case():
    assert {entry.name for entry in LIST_RULES} == {case[0] for case in CASES}


def test_nested_lists_keep_their_shape():
    assert each(([64, 0.5], (True, 7)), lambda value: value + 1) == ([65, 0.5], (True, 8))
