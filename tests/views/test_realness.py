"""What of a run was real."""

from stored_run import NEW

from modelmuster.records import DeviceKind, Family
from modelmuster.views.realness import honesty


def test_real_and_mock_results_add_up_to_everything_planned(reader):
    found = honesty(reader)
    assert found.run_id == NEW
    assert (found.total.hardware, found.total.nothing, found.total.mock) == (8, 4, 2)
    assert found.by_target["toy"].planned == 0
    assert found.by_target["toy"].share is None
    assert found.by_family[Family.VIDEO].nothing == 2
    assert sum(one.planned for one in found.by_target.values()) == found.total.planned


def test_the_devices_are_those_that_runtimes_named(reader):
    found = honesty(reader)
    assert {(seen.target, seen.asked, seen.device_name) for seen in found.seen} >= {("torch:cpu", "cpu", "AMD EPYC")}
    assert {seen.device_kind for seen in found.seen} == {DeviceKind.HARDWARE}


def test_foreseen_flaky_and_unanswered_are_named(reader):
    found = honesty(reader)
    assert [(one.reason, one.architectures) for one in found.foreseen] == [("known upstream", ("vit",))]
    assert found.flaky == 1
    assert found.never_answered == ("timesformer",)
