"""The ranking: shipped with date and source, or counted on the hub."""

import json

import pytest

from modelmuster import catalog
from modelmuster.catalog import priority
from modelmuster.catalog.priority import Priority
from modelmuster.errors import UsageError


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_the_shipped_ranking_says_what_it_is_and_names_architectures():
    ranking = priority.ranking()
    assert ranking.source.startswith("editorial")
    assert len(ranking.date.split("-")) == 3
    known = {entry.model_type for entry in catalog.load() if entry.top_level}
    assert set(ranking.high) | set(ranking.medium) <= known
    assert not set(ranking.high) & set(ranking.medium)
    assert ranking.of("bert") is Priority.HIGH
    assert ranking.of("nobody-uses-this") is Priority.LOW
    assert ranking.place("bert") < ranking.place("clvp") <= ranking.place("nobody-uses-this")


def test_downloads_are_added_up_by_type():
    models = [
        ({"model_type": "a"}, 5),
        ({"model_type": "b"}, 9),
        ({"model_type": "a"}, 6),
        ({}, 99),
        ({"model_type": 3}, 1),
    ]
    made = priority.counted(models)
    assert made.high == ("a", "b")
    assert "most downloaded" in made.source


def test_a_counted_ranking_goes_first():
    path = priority.refreshed_path()
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"date": "2026-01-01", "source": "counted", "high": ["x"], "medium": []}))
    assert priority.ranking().of("x") is Priority.HIGH
    path.write_text("{")
    with pytest.raises(UsageError, match="cannot read the ranking"):
        priority.ranking()


def test_without_the_hub_it_is_a_message_and_nothing_changes(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UsageError, match="the hub cannot be asked"):
        priority.refresh()
    assert not priority.refreshed_path().exists()
