"""A blueprint is out of date when its override changes, or the code of an own architecture; others are not."""

import msgspec
import pytest

from modelmuster import catalog
from modelmuster.catalog import own
from modelmuster.generate import freshness
from modelmuster.recipes import overrides


@pytest.fixture
def keys():
    """Hashes of every top-level type."""
    return lambda: {entry.model_type: freshness.data_key(entry) for entry in catalog.load() if entry.top_level}


def test_an_override_concerns_the_types_of_its_package_alone(keys, monkeypatch):
    before = keys()
    tables = dict(overrides.load())
    tables["llama4"] = msgspec.structs.replace(tables["llama4"], none=("x",))
    tables["aria"] = msgspec.structs.replace(tables["aria"], reason="Another reason, which changes nothing of it.")
    tables["bert:BertModel"] = overrides.Override(reason="Nobody needs this but a test.", none=("x",))
    monkeypatch.setattr(overrides, "load", lambda: tables)
    after = keys()
    assert {name for name, key in after.items() if key != before[name]} == {"llama4", "bert"}
    assert (before["bert"], before["gpt2"]) == ("", "")


def test_the_code_of_an_own_architecture_is_data_of_it(keys, monkeypatch):
    before = keys()
    monkeypatch.setattr(own, "code", lambda name: "edited" if name == "bert" else "")
    assert {name for name, key in keys().items() if key != before[name]} == {"bert"}
