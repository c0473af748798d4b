"""Long configs are laid out in paragraphs, and mean the same."""

import pytest

from modelmuster.generate.packing import is_long, packed

TOWER = {"vocab_size": 128, "hidden_size": 32, "num_hidden_layers": 2, "model_type": "tower", "rope": {"type": "x"}}

CONFIGS = [
    {f"field_number_{number}": number for number in range(40)},
    {"hidden_size": 8, "text_config": TOWER, "vision_config": {**TOWER, "deeper": TOWER}, "end": None},
    {"layers": ["sliding_attention"] * 30, "pair": (1, 2), "empty": {}, "odd": 'a"b'},
    {"ok": 1, "not an identifier": 2, "nor-this": {"a": 1}},
    {"table": [["x" * 50] * 4] * 3},
]


@pytest.mark.parametrize("config", CONFIGS)
def test_the_arguments_are_what_the_config_says(config):
    assert eval(f"dict(\n{packed(config, 8)}\n)") == config


@pytest.mark.parametrize("config", CONFIGS[:3])
def test_lines_are_filled_and_none_is_too_long(config):
    lines = packed(config, 8).splitlines()
    assert max(map(len, lines)) <= 120
    assert all(line.startswith(" " * 8) for line in lines)


def test_values_of_sub_configs_count():
    assert not is_long({"a": 1, "b": TOWER})
    assert is_long({str(number): TOWER for number in range(5)})
