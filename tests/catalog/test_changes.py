"""What two versions of transformers differ in, between the snapshots that this package ships."""

import msgspec
import pytest

from modelmuster import catalog
from modelmuster.catalog import snapshot
from modelmuster.catalog.contents import Catalog
from modelmuster.errors import UsageError
from modelmuster.records import Trait


@pytest.fixture(scope="module")
def older():
    """The catalogue of transformers 5.0.0."""
    return catalog.open_catalog("5.0.0")


def test_types_come_and_go_between_two_releases(older, shipped):
    changes = catalog.diff(older, shipped)
    assert (changes.old, changes.new) == ("5.0.0", "5.23.0")
    assert {entry.model_type for entry in changes.removed} == {"code_llama", "granitevision"}
    assert len(changes.added) == len(shipped) - len(older) + 2
    assert {"gemma4", "qwen3_5"} <= {entry.model_type for entry in changes.added}
    renamed = next(change for change in changes.changed if change.model_type == "ernie4_5_vl_moe")
    assert renamed.fields["config_class"] == ("Ernie4_5_VL_MoeConfig", "Ernie4_5_VLMoeConfig")


def test_nothing_differs_from_itself(shipped):
    assert not catalog.diff(shipped, shipped)


def test_of_lists_only_what_came_and_went_is_shown(shipped):
    before = shipped.get("bert")
    after = msgspec.structs.replace(before, traits=(*before.traits, Trait.STATE_SPACE), note="new")
    (change,) = catalog.diff(Catalog("1", "file", (before,)), Catalog("2", "file", (after,))).changed
    assert change.fields == {"traits": ([], ["state-space"]), "note": (None, "new")}


def test_the_order_of_a_list_is_no_change(shipped):
    before = shipped.get("bert")
    after = msgspec.structs.replace(before, model_classes=before.model_classes[::-1])
    assert not catalog.diff(Catalog("1", "file", (before,)), Catalog("2", "file", (after,)))


def test_a_catalogue_is_found_by_its_version_or_its_file(shipped, tmp_path):
    path = tmp_path / "kept.jsonl"
    snapshot.write(shipped, path)
    assert catalog.open_catalog(str(path)).architectures == shipped.architectures
    assert path.read_bytes() == snapshot.shipped()["5.23.0"].read_bytes()
    assert catalog.open_catalog("5.23.0").architectures == shipped.architectures


@pytest.mark.parametrize("content", [b"", b"{", b"[]\n", b'{"format": 99, "transformers": "5"}\n', b"\xff\xfe"])
def test_a_file_that_is_no_catalogue_is_refused_with_what_to_type(content, tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    with pytest.raises(UsageError) as error:
        catalog.open_catalog(str(path))
    assert "muster catalog snapshot" in error.value.hint


def test_a_version_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(UsageError) as error:
        catalog.open_catalog("4.0.0")
    assert "5.23.0, 5.0.0, installed" in error.value.hint
