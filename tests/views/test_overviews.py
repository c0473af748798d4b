"""Views of whole runs: matrix, failures, list of runs, summary."""

from stored_run import BERT, NEW, OLD

from modelmuster.records import DeviceKind, Family, Inference, Outcome
from modelmuster.views.failures import failures
from modelmuster.views.matrix import matrix
from modelmuster.views.narrowing import narrow
from modelmuster.views.runs import runs
from modelmuster.views.summary import summary

REAL = {
    Outcome.PASS: 5,
    Outcome.FAIL: 1,
    Outcome.ERROR: 2,
    Outcome.UNSUPPORTED: 1,
    Outcome.NOT_APPLICABLE: 1,
    Outcome.NOT_RUN: 2,
}


def marks(found):
    return {
        row.model_type: [cell and (cell.outcome.letter, cell.counts[cell.outcome]) for cell in row.cells]
        for family in found.families
        for row in family.rows
    }


def test_the_matrix_shows_the_worst_of_all_checks(reader):
    found = matrix(reader, narrow(reader))
    assert [column.label for column in found.columns] == ["torch:cpu float32", "torch:cpu bfloat16", "toy"]
    assert marks(found) == {
        "bert": [("O", 2), ("X", 1), ("E", 1)],
        "llama": [("E", 1), None, None],
        "vit": [("E", 1), None, None],
        "swin": [("O", 2), None, None],
        "timesformer": [(".", 2), None, None],
    }


def test_the_matrix_counts_what_it_shows(reader):
    found = matrix(reader, narrow(reader))
    assert found.total.counts == REAL
    assert found.total.mock == 2
    assert found.unplanned == {"odd": "it has no class"}
    for family in found.families:
        assert family.total.planned == sum(tally.planned for tally in family.tallies)
    assert sum(column.tally.planned for column in found.columns) == found.total.planned


def test_the_matrix_says_what_was_real(reader):
    torch, half, toy = matrix(reader, narrow(reader)).columns
    assert (torch.inference, torch.device_kind, torch.devices) == (Inference.REAL, DeviceKind.HARDWARE, ("AMD EPYC",))
    assert (half.dtype, toy.inference, toy.tally.pass_rate) == ("bfloat16", Inference.MOCK, None)


def test_the_matrix_keeps_scales_apart_and_claims_nothing_for_what_never_ran(reader):
    tiny, default = matrix(reader, narrow(reader, run=OLD)).columns
    assert (tiny.label, default.label) == ("torch:cpu tiny", "torch:cpu default")
    assert (default.inference, default.device_kind, default.devices) == (None, None, ())


def test_only_rows_with_nothing_to_look_at_are_quiet(reader):
    found = matrix(reader, narrow(reader, targets=["torch:cpu"]))
    quiet = {row.model_type: row.quiet for family in found.families for row in family.rows}
    assert quiet == {"bert": False, "llama": False, "vit": False, "swin": False, "timesformer": False}
    old = matrix(reader, narrow(reader, run=OLD, checks=["forward"], outcomes=["pass"]))
    assert [row.quiet for family in old.families for row in family.rows] == [True]


def test_a_cell_of_the_matrix_is_expected_when_all_its_findings_are(reader):
    found = matrix(reader, narrow(reader, targets=["torch:cpu"]))
    cells = {row.model_type: row.cells[0] for family in found.families for row in family.rows}
    assert {name for name, cell in cells.items() if cell and cell.expected} == {"vit"}
    assert {name for name, cell in cells.items() if cell and cell.flaky} == {"swin"}


def test_failures_with_one_cause_are_one_group_and_mock_ones_none(reader):
    groups = failures(reader, narrow(reader))
    assert [(group.outcome, group.results, group.architectures) for group in groups] == [
        (Outcome.ERROR, 2, ("llama", "vit")),
        (Outcome.FAIL, 1, ("bert",)),
    ]
    error = groups[0]
    assert (error.error_type, error.expected, error.targets) == ("ValueError", 1, ("torch:cpu",))
    assert error.reproduce == "muster run llama --class LlamaModel --target torch:cpu --check forward"


def test_the_list_of_runs_has_the_youngest_first(reader):
    new, old = runs(reader)
    assert (new.run_id, old.run_id) == (NEW, OLD)
    assert (new.cells, new.cells_reached, new.unplanned, new.damages) == (7, 6, 1, 0)
    assert (old.cells, old.cells_reached, old.tally.counts) == (2, 1, {Outcome.PASS: 2, Outcome.NOT_RUN: 2})
    assert (new.tally.counts, new.targets, new.hostname) == (REAL, ("torch:cpu", "toy"), "box")
    assert [run.run_id for run in runs(reader, limit=1)] == [NEW]


def test_the_summary_agrees_with_the_results_however_they_are_grouped(reader):
    found = summary(reader)
    assert found.total.counts == REAL
    assert (found.total.expected, found.total.flaky, found.total.mock) == (1, 1, 2)
    for groups in (found.by_family, found.by_target, found.by_check):
        assert sum(tally.planned for tally in groups.values()) == found.total.planned
        assert sum(tally.mock for tally in groups.values()) == found.total.mock
    assert list(found.by_family) == [Family.ENCODER_ONLY, Family.DECODER_ONLY, Family.VISION, Family.VIDEO]
    assert found.unplanned == {"odd": "it has no class"}


def test_a_narrowed_matrix_counts_what_is_left(reader):
    found = matrix(reader, narrow(reader, names=["bert"], targets=["torch:cpu"], checks=["forward"]))
    assert found.total.counts == {Outcome.PASS: 2}
    assert found.families[0].rows[0].model_type == BERT.model_type
