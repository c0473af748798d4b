"""Blueprints come from the snapshot only while it is true, else from the cache, else from a build."""

import msgspec
import pytest

from modelmuster import catalog
from modelmuster.errors import InfrastructureError
from modelmuster.generate import shipped as shipping
from modelmuster.generate import stock
from modelmuster.generate.blueprint import decode, encode
from modelmuster.generate.survey import survey
from modelmuster.generate.workshop import Order


@pytest.fixture
def ship(tmp_path, monkeypatch, bert):
    """Ship this blueprint of BERT instead of the real snapshot."""

    def ship(entry, **origin):
        path = tmp_path / "snapshots" / f"{catalog.load().transformers}.jsonl"
        shipping.write({bert: entry}, path)
        first, *rest = path.read_bytes().splitlines(keepends=True)
        changed = {**msgspec.json.decode(first), **origin}
        path.write_bytes(msgspec.json.encode(changed) + b"\n" + b"".join(rest))
        monkeypatch.setattr(shipping, "FOLDER", path.parent)
        shipping.current.cache_clear()
        return path

    yield ship
    shipping.current.cache_clear()


@pytest.fixture
def bert():
    entry = catalog.load().get("bert")
    return Order(entry, entry.default_class)


def known(make_blueprint, **changed):
    return make_blueprint(model_type="bert", model_class="BertForMaskedLM", **changed)


def test_a_snapshot_that_is_true_is_used_without_building(ship, bert, home, make_blueprint):
    made = known(make_blueprint)
    ship(made)
    built = []
    assert stock.find([bert], home, built.append, fresh=True) == {("bert", "BertForMaskedLM"): made}
    assert not built


@pytest.mark.parametrize("origin", [{"format": 99}, {"data": {"bert": "another override"}}])
def test_what_is_no_longer_true_is_not_used_and_what_is_built_is_remembered(ship, bert, home, make_blueprint, origin):
    ship(known(make_blueprint, parameters=1), **origin)
    built = []
    [made] = stock.find([bert], home, built.append).values()
    assert built == [made]
    assert made.parameters > 1000
    assert "input_ids" in made.inputs
    assert {"bidirectional", "padding", "forward"} <= set(made.questions)
    assert list(stock.find([bert], home, built.append).values()) == [made]
    assert len(built) == 1


def test_a_snapshot_behind_the_code_is_used_and_left_aside_where_that_is_asked(ship, bert, home, make_blueprint):
    made = known(make_blueprint, parameters=1)
    ship(made, code="older")
    assert shipping.current().is_behind
    assert list(stock.find([bert], home).values()) == [made]
    assert list(stock.find([bert], home, fresh=True).values()) != [made]


def test_a_type_that_lacked_a_package_is_tried_again_once_it_is_there(ship, bert, home, make_blueprint):
    gone = known(make_blueprint, reason="x", missing="no_such_package")
    ship(gone)
    assert list(stock.find([bert], home).values()) == [gone]
    ship(msgspec.structs.replace(gone, missing="json"))
    [made] = stock.find([bert], home).values()
    assert not made.reason


def test_a_damaged_snapshot_is_a_message(ship, bert, home, make_blueprint):
    ship(make_blueprint()).write_bytes(b"{}\n")
    with pytest.raises(InfrastructureError, match="cannot read the shipped recipes"):
        stock.find([bert], home)


def test_a_class_that_cannot_be_built_has_a_reason(bert):
    made = survey(bert.architecture, "BertForNothing")
    assert "BertForNothing" in made.reason
    assert not made.questions


def test_a_blueprint_survives_the_snapshot(shipped):
    for entry in shipped.values():
        assert decode(encode(entry)) == entry


def test_infinities_survive_it_too(make_blueprint):
    made = make_blueprint(config={"time_step_limit": [0.0, float("inf")], "nothing": None})
    assert decode(encode(made)) == made


def test_the_shipped_snapshot_is_of_the_overrides_as_they_are(shipped):
    snapshot, types = shipping.current(), catalog.load()
    stale = [name for name, entry in shipped.items() if not snapshot.find(Order(types.get(name), entry.model_class))]
    assert not stale, f"the snapshot is not true of {len(stale)} of {len(shipped)} types any more; type: make snapshots"


@pytest.mark.parametrize("name", ["bert", "llama", "t5", "vit", "wav2vec2", "llava", "time_series_transformer"])
def test_the_shipped_snapshot_tells_the_truth(shipped, name):
    # But for the hash, which covers how weights are drawn and the versions of all that is installed.
    made = survey(catalog.load().get(name), shipped[name].model_class)
    made = msgspec.structs.replace(made, recipe_hash=shipped[name].recipe_hash)
    assert made == shipped[name], "what is made now is not what is shipped; type: make snapshots"
