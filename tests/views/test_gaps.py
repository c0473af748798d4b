"""What was decided of the plan, and why the rest was not."""

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
