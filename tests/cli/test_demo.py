"""What the demonstration picks."""

from collections import Counter

from modelmuster import catalog
from modelmuster.cli.demo import pick


def test_the_demonstration_has_at_least_40_architectures_of_every_family():
    chosen = pick(catalog.load().architectures)
    families = Counter(entry.family for entry in chosen)
    assert len(chosen) >= 40
    assert len({entry.model_type for entry in chosen}) == len(chosen)
    assert set(families) == {entry.family for entry in catalog.load().architectures if entry.top_level}
