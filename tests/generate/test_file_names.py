"""Whatever the catalogue holds becomes a file name that can be imported."""

import pytest

from modelmuster.generate.names import FileNames
from modelmuster.records import Architecture, Family


def architecture(model_type, default_class="X"):
    return Architecture(
        model_type=model_type,
        config_class="C",
        module="m",
        family=Family.OTHER,
        top_level=True,
        default_class=default_class,
    )


@pytest.mark.parametrize("model_type", ["bert", "xlm-roberta", "a/../../b", "x'y\"", "名前", "kosmos-2.5", " ", "CON"])
def test_names_are_identifiers_without_folders(model_type):
    name = FileNames([model_type]).name(architecture(model_type), "X")
    assert name.removesuffix(".py").isidentifier()
    assert name.isascii()
    assert name.startswith("test_")


def test_names_that_would_collide_are_told_apart_even_where_case_is_ignored():
    types = ["kosmos-2", "kosmos_2", "Kosmos-2", "bert"]
    names = FileNames(types)
    made = [names.name(architecture(model_type), "X") for model_type in types]
    assert len({name.lower() for name in made}) == len(types)
    assert made[-1] == "test_bert.py"


def test_another_class_has_a_file_of_its_own():
    names = FileNames(["bert"])
    assert names.name(architecture("bert", "BertForMaskedLM"), "BertModel") == "test_bert_BertModel.py"
