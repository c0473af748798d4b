from transformers import Blip2Config, GPT2Config

from modelmuster.recipes.shrink.repairs import fill_missing


def test_missing_values_are_filled_and_reported():
    config = GPT2Config(pad_token_id=None)
    arguments, applied = fill_missing({}, config)
    assert arguments["pad_token_id"] == 0
    assert "pad_token_id" in {entry.field for entry in applied}


def test_what_is_there_stays():
    arguments, _ = fill_missing({"pad_token_id": 7}, GPT2Config(pad_token_id=7))
    assert arguments["pad_token_id"] == 7


def test_parts_are_filled_too_and_keep_their_type():
    config = Blip2Config()
    config.text_config.pad_token_id = None
    arguments, _ = fill_missing({}, config)
    assert arguments["text_config"]["pad_token_id"] == 0
    assert arguments["text_config"]["model_type"] == config.text_config.model_type


def test_the_given_arguments_are_not_changed():
    given = {}
    fill_missing(given, GPT2Config(pad_token_id=None))
    assert given == {}
