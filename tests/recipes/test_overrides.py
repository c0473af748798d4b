import pytest

from modelmuster.errors import UsageError
from modelmuster.recipes import overrides
from modelmuster.records import Architecture, Family

REASON = 'reason = "The class has no defaults for this."\n'


def write(folder, text, name="some.toml"):
    (folder / name).write_text(text)
    return folder


def test_a_table_is_read(tmp_path):
    write(tmp_path, f'[bert]\n{REASON}config."text_config.rank" = 4\n')
    found = overrides.load(tmp_path)["bert"]
    assert found.config == {"text_config.rank": 4}


def test_values_are_written_by_path_and_reported(tmp_path):
    write(tmp_path, f'[bert]\n{REASON}none = ["c"]\nconfig."a.b" = 4\n')
    arguments = {"a": {"b": 1}, "c": 2}
    applied = overrides.apply(overrides.load(tmp_path)["bert"], arguments)
    assert arguments == {"a": {"b": 4}, "c": None}
    assert [(entry.field, entry.before, entry.after) for entry in applied] == [("a.b", 1, 4), ("c", 2, None)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[bert]\nconfig.a = 1\n", "reason"),
        ('[bert]\nreason = "because"\nconfig.a = 1\n', "sentence"),
        (f"[bert]\n{REASON}", "changes nothing"),
        (f"[bert]\n{REASON}konfig.a = 1\n", "konfig"),
        ("[bert\n", "not valid TOML"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_and_the_fault(tmp_path, text, says):
    write(tmp_path, text)
    with pytest.raises(UsageError, match=says) as error:
        overrides.load(tmp_path)
    assert "some.toml" in str(error.value)


def test_a_type_has_one_override(tmp_path):
    table = f"[bert]\n{REASON}config.a = 1\n"
    write(tmp_path, table, "a.toml")
    write(tmp_path, table, "b.toml")
    with pytest.raises(UsageError, match="second override for bert"):
        overrides.load(tmp_path)


def test_the_overrides_that_ship_are_valid_and_name_real_types():
    from transformers import CONFIG_MAPPING

    assert {name.partition(":")[0] for name in overrides.load()} <= set(CONFIG_MAPPING.keys())


def part(model_type, whole):
    return Architecture(
        model_type=model_type, config_class="", module="", family=Family.OTHER, top_level=False, part_of=(whole,)
    )


def test_what_is_said_of_a_sub_config_holds_where_the_part_is_run_alone():
    whole = overrides.load()["llama4"]
    found = overrides.find(part("llama4_vision_model", "llama4"), "Llama4VisionModel")
    assert found is not None
    assert found.config == {"intermediate_size": whole.config["vision_config.intermediate_size"]}
    assert found.reason == whole.reason


def test_what_is_said_of_another_sub_config_does_not_concern_a_part():
    assert overrides.find(part("llama4_text", "llama4"), "Llama4TextModel") is None


def test_the_table_of_a_class_goes_before_that_of_its_config_and_that_before_the_types(monkeypatch):
    tables = {
        name: overrides.Override(reason="It says who it is for.", config={"name": name})
        for name in ("whole", "whole:Special", "inner")
    }
    monkeypatch.setattr(overrides, "load", lambda: tables)
    whole = part("whole", "nothing")

    def found(*asked):
        return overrides.find(whole, *asked).config["name"]

    assert found("Special", "inner") == "whole:Special"
    assert found("Other", "inner") == "inner"
    assert found("Other") == "whole"


def test_what_is_said_of_a_sub_config_holds_for_a_class_of_the_whole_that_is_made_for_it():
    whole = part("llama4", "nothing")
    assert overrides.find(whole, "Llama4VisionModel", "llama4_vision_model").config == {"intermediate_size": 128}
