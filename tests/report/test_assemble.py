from modelmuster.records import (
    Cell,
    CellError,
    CellRecord,
    DeviceKind,
    Evidence,
    Family,
    Inference,
    Measurement,
    Outcome,
    Plan,
    Provenance,
    Result,
    Stage,
    Weights,
)
from modelmuster.report.assemble import assemble, cell_outcome

RUN = "20260101-000000-abcd"


def cell(name="bert", target="torch:cpu", **changes):
    values = {"model_class": "BertModel", "family": Family.ENCODER_ONLY, "checks": ("forward", "reference")} | changes
    return Cell(model_type=name, target=target, **values)


def result(check, outcome, message="", **changes):
    return Result(check=check, outcome=outcome, message=message, **changes)


def record(of, *results, inference=Inference.REAL, kind=DeviceKind.HARDWARE, ran=True, **changes):
    seen = Evidence(device_name="a device", device_kind=kind, precision="float32") if ran else None
    values = {
        "run_id": RUN,
        "cell": of,
        "attempt": 1,
        "final": True,
        "worker": "w",
        "started_at": "2026-01-01T00:00:00Z",
        "results": tuple(results) or tuple(result(check, Outcome.PASS) for check in of.checks),
        "provenance": Provenance(inference=inference, weights=Weights.RANDOM, device="cpu", evidence=seen),
        "measurement": Measurement(),
    } | changes
    return CellRecord(**values)


def report(cells, records, **changes):
    plan = Plan(run_id=RUN, created_at="2026-01-01T00:00:00Z", command="muster run", cells=tuple(cells), **changes)
    return assemble(plan, records, None, version="0")


def only_cell(data):
    return data.rows[0].cells[0]


def test_every_planned_cell_has_a_place_in_the_matrix(run, data):
    plan, records, _ = run
    placed = {cell.cell.id for row in data.rows for cell in row.cells if cell}
    assert placed == {cell.id for cell in plan.cells}
    reached = {record.cell.id for record in records}
    assert len(reached) < len(placed)
    for row in data.rows:
        for one in row.cells:
            if one and one.cell.id not in reached:
                assert one.outcome is Outcome.NOT_RUN


def test_counts_of_cells_add_up_to_the_plan(run, data):
    plan, _, _ = run
    assert data.cells.planned + data.cells.mock == len(plan.cells)
    assert sum(group.total.planned for group in data.groups) == data.cells.planned
    assert sum(target.tally.decided for target in data.targets) == data.cells.decided
    assert data.realness.total == data.cells.planned
    assert data.realness.mock == data.cells.mock


def test_mock_cells_enter_no_count_but_their_own(data):
    mocks = [cell for row in data.rows for cell in row.cells if cell and cell.cell.target == "mock"]
    assert mocks
    assert all(cell.mock for cell in mocks)
    assert data.cells.mock == len(mocks)
    column = next(target for target in data.targets if target.column.target == "mock")
    assert (column.tally.planned, column.tally.mock) == (0, len(mocks))
    places = [place for group in (*data.failures, *data.gaps) for place in group.places]
    assert not [place for place in places if place.column.target == "mock"]


def test_a_mock_cell_that_claims_a_pass_is_not_counted_as_one():
    one = cell(target="mock")
    data = report([one], [record(one, inference=Inference.MOCK)])
    assert data.cells.passed == data.results.passed == data.answered == 0
    assert data.cells.pass_rate is None


def test_unreached_cells_of_a_mock_target_are_mock_too():
    first, second = cell("bert", "mock"), cell("t5", "mock")
    data = report([first, second], [record(first, inference=Inference.MOCK)])
    assert data.cells.mock == 2
    assert data.cells.planned == 0


def test_the_deciding_attempt_decides_and_the_others_are_kept():
    one = cell()
    crashed = record(one, *(result(check, Outcome.CRASH) for check in one.checks), final=False)
    passed = record(one, *(result(check, Outcome.PASS, flaky=True) for check in one.checks), attempt=2)
    found = only_cell(report([one], [crashed, passed]))
    assert found.outcome is Outcome.PASS
    assert found.flaky
    assert found.attempts == (crashed, passed)


def test_a_cell_whose_repetition_was_never_reached_is_not_run():
    one = cell()
    crashed = record(one, *(result(check, Outcome.CRASH) for check in one.checks), final=False)
    data = report([one], [crashed])
    assert only_cell(data).outcome is Outcome.NOT_RUN
    assert data.cells.decided == 0
    assert data.gaps[0].reason == "planned, but the repetition that was to decide was never reached"


def test_a_check_that_the_record_forgot_is_not_run():
    one = cell()
    found = only_cell(report([one], [record(one, result("forward", Outcome.PASS))]))
    assert [each.outcome for each in found.results] == [Outcome.PASS, Outcome.NOT_RUN]
    assert found.outcome is Outcome.NOT_RUN


def test_the_worst_check_marks_the_cell_and_an_inapplicable_one_does_not():
    outcomes = [Outcome.PASS, Outcome.NOT_APPLICABLE]
    assert cell_outcome([result("a", outcome) for outcome in outcomes]) is Outcome.PASS
    outcomes += [Outcome.UNSUPPORTED]
    assert cell_outcome([result("a", outcome) for outcome in outcomes]) is Outcome.UNSUPPORTED
    outcomes += [Outcome.FAIL, Outcome.TIMEOUT]
    assert cell_outcome([result("a", outcome) for outcome in outcomes]) is Outcome.TIMEOUT
    assert cell_outcome([]) is Outcome.NOT_RUN


def test_a_cell_is_expected_only_when_all_its_findings_are():
    one = cell()
    foreseen = result("forward", Outcome.FAIL, expected="known upstream")
    assert only_cell(report([one], [record(one, foreseen, result("reference", Outcome.PASS))])).expected
    assert not only_cell(report([one], [record(one, foreseen, result("reference", Outcome.FAIL))])).expected
    assert not only_cell(report([one], [record(one)])).expected


def test_rows_of_one_architecture_are_told_apart_by_class():
    data = report([cell(), cell(model_class="BertForMaskedLM"), cell("t5", model_class="T5Model")], [])
    assert [row.key for row in data.rows] == ["bert BertForMaskedLM", "bert BertModel", "t5"]


def test_rows_are_told_apart_by_checkpoint_and_seed_too():
    data = report([cell(), cell(seed=1), cell(checkpoint="org/bert"), cell(checkpoint="org/other")], [])
    assert len({row.key for row in data.rows}) == 4


def test_columns_keep_dtypes_and_targets_apart():
    data = report([cell(), cell(dtype="bfloat16"), cell(target="openvino:cpu")], [])
    assert [column.key for column in data.columns] == [
        "torch:cpu/float32/tiny",
        "torch:cpu/bfloat16/tiny",
        "openvino:cpu/float32/tiny",
    ]
    assert len(data.rows) == 1


def test_what_ends_the_process_is_one_cause_for_all_its_checks():
    one, two = cell(), cell("t5")
    crashes = [
        record(each, *(result(check, Outcome.CRASH, "signal 11") for check in each.checks)) for each in (one, two)
    ]
    (group,) = report([one, two], crashes).failures
    assert group.checks == ("forward", "reference")
    assert [place.row for place in group.places] == ["bert", "t5"]
    assert group.reproduce == "muster run bert --class BertModel --target torch:cpu"


def test_wrong_numbers_are_grouped_by_check_whatever_the_numbers_are():
    cells = [cell(), cell("t5"), cell("vit")]
    records = [
        record(cells[0], result("forward", Outcome.PASS), result("reference", Outcome.FAIL, "41.5 times rounding")),
        record(cells[1], result("forward", Outcome.PASS), result("reference", Outcome.FAIL, "7e+3 times rounding")),
        record(cells[2], result("forward", Outcome.FAIL, "9 times rounding"), result("reference", Outcome.PASS)),
    ]
    groups = report(cells, records).failures
    assert [(group.checks, len(group.places)) for group in groups] == [(("reference",), 2), (("forward",), 1)]


def test_errors_are_grouped_by_their_fingerprint_and_expected_ones_come_last():
    cells = [cell(), cell("t5"), cell("vit")]

    def failed(mark, **changes):
        error = CellError(type="ValueError", message=f"of {mark}", fingerprint=mark)
        return [
            result("forward", Outcome.ERROR, error=error, stage=Stage.RUN, **changes),
            result("reference", Outcome.NOT_RUN),
        ]

    records = [
        record(cells[0], *failed("known", expected="a reason"), ran=False),
        record(cells[1], *failed("known", expected="a reason"), ran=False),
        record(cells[2], *failed("new"), ran=False),
    ]
    data = report(cells, records)
    assert [(group.fingerprint, group.expected) for group in data.failures] == [("new", False), ("known", True)]
    assert data.failures[0].message == "of new"
    assert data.realness.unproven == 3


def test_software_that_imitates_a_device_is_not_hardware():
    one = cell(target="webgpu:chromium")
    data = report([one], [record(one, kind=DeviceKind.SOFTWARE_EMULATED)])
    assert (data.realness.hardware, data.realness.emulated) == (0, 1)
    assert data.targets[0].emulated


def test_what_gave_no_answer_is_listed_with_its_reason():
    cells = [cell(), cell("t5")]
    records = [
        record(each, *(result(check, Outcome.UNSUPPORTED, "no such operator") for check in each.checks))
        for each in cells
    ]
    (gap,) = report(cells, records).gaps
    assert (gap.reason, gap.checks, gap.targets, gap.results) == (
        "no such operator",
        ("forward", "reference"),
        ("torch:cpu",),
        4,
    )


def test_architectures_that_could_not_be_planned_stay_in_the_denominator():
    one = cell()
    data = report([one], [record(one)], unplanned={"odd": "no class"})
    assert (data.answered, data.architectures) == (1, 2)
