from modelmuster.recipes.routes import Route, Routes, route_key
from modelmuster.records import Scale

ROUTE = Route(rung=1, repaired=True, layout="text", accepted=True)


def test_a_route_is_remembered(tmp_path):
    Routes(tmp_path / "new").remember("k", ROUTE)
    assert Routes(tmp_path / "new").recall("k") == ROUTE
    assert Routes(tmp_path / "new").recall("other") is None


def test_a_damaged_memory_is_no_memory(tmp_path):
    (tmp_path / "k.json").write_text('{"rung": "first"')
    assert Routes(tmp_path).recall("k") is None


def test_without_a_folder_nothing_is_remembered():
    memory = Routes(None)
    memory.remember("k", ROUTE)
    assert memory.recall("k") is None


def test_the_key_depends_on_everything_asked():
    asked = [
        ("bert", "BertModel", Scale.TINY, 0),
        ("bert", "BertModel", Scale.TINY, 1),
        ("bert", "BertModel", Scale.DEFAULT, 0),
        ("bert", "BertForMaskedLM", Scale.TINY, 0),
    ]
    assert len({route_key(*question) for question in asked}) == len(asked)
