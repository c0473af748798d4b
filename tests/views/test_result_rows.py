"""Results one by one, and how a selection narrows them."""

import pytest
from stored_run import BERT_HALF, NEW, OLD

from modelmuster.errors import UnknownName, UsageError
from modelmuster.records import DeviceKind, Inference, Outcome, Stage, Weights
from modelmuster.views import results
from modelmuster.views.narrowing import narrow


def found(reader, **narrowing):
    return results.rows(reader, narrow(reader, **narrowing))


def test_the_latest_run_is_meant_unless_another_is_named(reader):
    assert {row.run_id for row in found(reader)} == {NEW}
    assert {row.run_id for row in found(reader, run=OLD)} == {OLD}
    assert {row.run_id for row in found(reader, run="2026-03-01")} == {OLD}


def test_every_planned_check_is_a_row_in_the_order_of_the_plan(reader):
    rows = found(reader)
    assert [row.check for row in rows] == ["forward", "reference"] * 7
    assert [row.model_type for row in rows[::2]] == ["bert", "bert", "bert", "llama", "vit", "swin", "timesformer"]
    assert results.count(reader, narrow(reader)) == 14


def test_a_row_holds_what_was_recorded(reader):
    row = found(reader, names=["llama"], checks=["forward"])[0]
    assert (row.outcome, row.stage, row.message) == (Outcome.ERROR, Stage.RUN, "forward gave error")
    assert (row.inference, row.weights, row.device) == (Inference.REAL, Weights.RANDOM, "cpu")
    assert (row.device_name, row.device_kind, row.precision) == ("AMD EPYC", DeviceKind.HARDWARE, "float32")
    assert (row.duration_ms, row.cpu_ms, row.peak_rss_bytes) == (12.5, 11.0, 100_000_000)
    assert (row.error_type, row.fingerprint, row.figures) == ("ValueError", "ValueError-bad", {"max_abs": 1e-6})
    assert (row.attempt, row.attempts, row.recipe_hash) == (1, 1, "hash of llama")
    assert row.reproduce == "muster run llama --class LlamaModel --target torch:cpu --check forward"


def test_what_was_not_run_claims_nothing(reader):
    row = found(reader, names=["timesformer"])[0]
    assert (row.outcome, row.message) == (Outcome.NOT_RUN, "planned, but never reached")
    claimed = (row.inference, row.weights, row.device, row.device_name, row.duration_ms, row.attempt, row.stage)
    assert set(claimed) == {None}


def test_the_reproduce_command_names_the_dtype(reader):
    row = found(reader, targets=["torch:*"], outcomes=["fail"])[0]
    assert row.cell_id == BERT_HALF.id
    assert "--dtype bfloat16 --check reference" in row.reproduce


def test_different_options_narrow_and_equal_ones_widen(reader):
    assert {row.model_type for row in found(reader, names=["b*", "vit"])} == {"bert", "vit"}
    assert {row.model_type for row in found(reader, families=["vision"])} == {"vit", "swin"}
    assert {row.target for row in found(reader, targets=["toy"])} == {"toy"}
    assert len(found(reader, families=["vision"], checks=["forward"])) == 2
    assert {row.outcome for row in found(reader, outcomes=["error", "fail"])} == {Outcome.ERROR, Outcome.FAIL}


def test_pages_follow_one_another(reader):
    chosen = narrow(reader)
    pages = [results.rows(reader, chosen, limit=5, offset=offset) for offset in (0, 5, 10)]
    assert [row for page in pages for row in page] == results.rows(reader, chosen)


@pytest.mark.parametrize(
    ("narrowing", "named"),
    [
        ({"names": ["brt"]}, "bert"),
        ({"families": ["visoin"]}, "vision"),
        ({"targets": ["torch:cpuu"]}, "torch:cpu"),
        ({"checks": ["foward"]}, "forward"),
        ({"run": "2026-03-02-nex"}, NEW),
        ({"outcomes": ["failed"]}, "fail"),
    ],
)
def test_an_unknown_name_is_refused_with_what_was_meant(reader, narrowing, named):
    with pytest.raises(UsageError) as caught:
        narrow(reader, **narrowing)
    assert named in caught.value.hint


def test_an_ambiguous_run_is_refused(reader):
    with pytest.raises(UsageError, match="2 runs begin with"):
        narrow(reader, run="2026")
    with pytest.raises(UnknownName):
        narrow(reader, run="2027")
