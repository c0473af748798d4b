"""Every name that people know leads to a type that is run, or to a reason that says why none is."""

import json
from pathlib import Path

import pytest

from modelmuster.catalog import names
from modelmuster.catalog.contents import Catalog
from modelmuster.errors import UnknownName, UsageError

KNOWN = [
    name for listed in json.loads(Path(__file__).with_name("named_models.json").read_text()).values() for name in listed
]


def test_every_known_name_leads_to_a_type_that_is_run_or_to_a_precise_reason(shipped):
    found = [names.resolve(name, shipped) for name in KNOWN]
    run = [one for one in found if one.model_type is not None]
    assert [one.name for one in run if shipped.get(one.model_type).default_class is None] == []
    assert [one.name for one in found if one.model_type is None and len(one.reason) < 20] == []
    assert (len(found), len(run)) == (324, 291)


@pytest.mark.parametrize(
    ("name", "model_type", "said"),
    [
        ("bert", "bert", "a model type"),
        ("XLM_RoBERTa", "xlm-roberta", "another spelling of xlm-roberta"),
        ("Phi-4", "phi3", "Phi-4 checkpoints are of type phi3"),
        ("nougat", "vision-encoder-decoder", "config without a model class"),
        ("jukebox", None, "removed in 5.0.0"),
        ("claude3_haiku", None, "not public"),
    ],
)
def test_what_is_said_about_a_name(name, model_type, said, shipped):
    found = names.resolve(name, shipped)
    assert found.model_type == model_type
    assert said in found.reason


def test_an_unknown_name_is_answered_with_near_ones(shipped):
    with pytest.raises(UnknownName) as error:
        names.resolve("robertta", shipped)
    assert "roberta" in error.value.near


def test_a_type_that_a_release_lacks_is_said(shipped):
    without = Catalog("4.0.0", "file", tuple(entry for entry in shipped if entry.model_type != "phi3"))
    found = names.resolve("phi4", without)
    assert found.model_type is None
    assert "transformers 4.0.0 has no type phi3" in found.reason


def test_a_type_without_a_class_is_said_to_have_none(shipped):
    (classless, *_) = [entry for entry in shipped if entry.default_class is None and entry.model_type not in KNOWN]
    assert "has no model to run" in names.resolve(classless.model_type, shipped).reason


def test_no_alias_hides_a_type_that_has_a_model(shipped):
    for name, alias in names.aliases().items():
        spelled = [entry for entry in shipped if names._spelling(entry.model_type) == name]
        assert not spelled or spelled[0].default_class is None or alias.model_type == spelled[0].model_type
        assert alias.model_type is None or alias.model_type in shipped


@pytest.mark.parametrize("entry", ["[x]\ntype = 'bert'", "[x]\nreason = ''", "[x]\nreason = 'r'\nkind = 'y'"])
def test_an_alias_needs_a_reason_and_nothing_unknown(entry, tmp_path, monkeypatch):
    path = tmp_path / "aliases.toml"
    path.write_text(entry)
    monkeypatch.setattr(names, "_ALIASES", path)
    names.aliases.cache_clear()
    try:
        with pytest.raises(UsageError, match="needs a reason"):
            names.aliases()
    finally:
        names.aliases.cache_clear()
