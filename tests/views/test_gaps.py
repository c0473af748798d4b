"""What was decided of the plan, and why the rest was not."""

from modelmuster.catalog.priority import Priority
from modelmuster.records import Family, Outcome
from modelmuster.views.gaps import coverage


def test_families_and_targets_add_up_to_the_whole_plan(reader):
    found = coverage(reader)
    assert found.total.planned == 12
    assert sum(tally.planned for tally in found.totals.values()) == 12
    assert found.families[Family.VISION]["torch:cpu"].planned == 4
    assert (found.answered, found.architectures, found.targets) == (4, 6, ("torch:cpu", "toy"))


def test_every_gap_has_its_reason_and_what_it_holds_back(reader):
    found = coverage(reader)
    assert [gap.outcome for gap in found.gaps] == [Outcome.NOT_RUN, Outcome.UNSUPPORTED, Outcome.NOT_APPLICABLE]
    assert found.gaps[0].architectures == ("timesformer",)
    assert found.gaps[0].reason == "planned, but never reached"
    assert found.gaps[1].checks == ("reference",)
    assert found.unplanned == {"odd": "it has no class"}


def test_architectures_are_told_by_how_much_people_use_them_those_not_planned_too(reader):
    found = coverage(reader)
    high, low = found.priorities[Priority.HIGH], found.priorities[Priority.LOW]
    assert list(found.priorities) == sorted(found.priorities, key=list(Priority).index)
    assert sum(share.tally.planned for share in found.priorities.values()) == found.total.planned
    assert sum(share.selected for share in found.priorities.values()) == found.architectures
    assert high.tally.decided > 0
    assert "odd" in low.missing
    assert found.ranking.date
