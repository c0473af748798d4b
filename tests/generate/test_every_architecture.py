"""All top-level architectures: each has a file or a reason, and every file compiles and is collected."""

from modelmuster import catalog
from modelmuster.generate.drafts import collected, drawn_up
from modelmuster.generate.names import FileNames
from modelmuster.generate.render import Style

SHORTEST, LONGEST = 60, 210
"""Lines. Two models of several towers go beyond the 200 that all others keep to."""


def test_every_file_is_valid_and_collected(shipped):
    top = [entry for entry in catalog.load() if entry.top_level and entry.model_classes]
    assert {entry.model_type for entry in top} == set(shipped)
    assert all(entry.reason or entry.questions for entry in shipped.values())
    names = FileNames(shipped)
    named = {
        names.name(entry, entry.default_class): shipped[entry.model_type]
        for entry in top
        if not shipped[entry.model_type].reason
    }
    assert len(named) > 0.98 * len(top)
    drafts = collected(drawn_up(named, Style()))
    assert len(drafts) == len(named)
    assert not {draft.name: draft.problem for draft in drafts if draft.problem}
    lengths = [draft.text.count("\n") for draft in drafts]
    assert min(lengths) >= SHORTEST
    assert sum(length > 200 for length in lengths) <= 2
    assert max(lengths) <= LONGEST
    assert sum(draft.tests for draft in drafts) >= 6 * len(drafts)
