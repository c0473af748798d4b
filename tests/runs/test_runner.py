"""Runs from plan to summary: nothing planned is missing from the journal, and nothing is there twice."""

from collections import Counter
from pathlib import Path

import pytest

from modelmuster import catalog, plugins
from modelmuster.contracts import Limits
from modelmuster.errors import InfrastructureError, RunInProgress, UnknownName, UsageError
from modelmuster.expectations.book import Book, Entry
from modelmuster.expectations.entry import Expectation
from modelmuster.records import Architecture, Family, ModelClass, Outcome
from modelmuster.runs import folders, journal, locking, runner
from modelmuster.runs.executors.local import LocalExecutor
from modelmuster.runs.plan import make_plan

TOYS = ("toy:cpu", "toy:absent")
LIMITS = Limits(wall_s=30.0, cpu_s=30.0, memory_bytes=512 << 20)


@pytest.fixture
def plan():
    def make(*checks, names=("one",), targets=("toy:cpu",), dtypes=("float32",)):
        toys = [
            Architecture(
                model_type=name,
                config_class="ToyConfig",
                module="muster_toy",
                family=Family.OTHER,
                top_level=True,
                model_classes=(ModelClass(name="Toy"),),
                default_class="Toy",
            )
            for name in names
        ]
        return make_plan(toys, targets=targets, checks=checks, dtypes=dtypes)

    return make


@pytest.fixture
def run(home, toy_folder):
    def go(plan, **options):
        # Looked up here and not in processes of their own, which take a second each; one test does without.
        options.setdefault("found", {name: plugins.targets().get(name).probe() for name in TOYS})
        return runner.run(plan, LocalExecutor(slots=2), home, limits=LIMITS, **options)

    return go


def recorded(home, plan):
    return list(journal.read(folders.open_run(home, plan.run_id).journal))


def finals(records):
    return Counter(record.cell.id for record in records if record.final)


def test_every_planned_cell_is_recorded_once_and_counted(plan, run, home):
    made = plan("ok", "declines", names=[f"m{number}" for number in range(8)])
    told = []
    summary = run(made, on_record=told.append, found=None)
    records = recorded(home, made)
    assert finals(records) == Counter(cell.id for cell in made.cells)
    assert told == records
    assert summary.counts == {Outcome.PASS: 8, Outcome.NOT_APPLICABLE: 8}
    assert (summary.planned, summary.recorded, summary.flaky, summary.interrupted) == (8, 8, 0, False)
    assert folders.latest_run(home).read_plan() == made
    assert folders.latest_run(home).read_environment().devices == {"toy:cpu": "toy abacus"}


def test_a_finding_is_repeated_alone_and_both_attempts_are_kept(plan, run, home):
    made = plan("ok", "fails", names=["a", "b"])
    summary = run(made)
    attempts = [(record.cell.model_type, record.attempt, record.final) for record in recorded(home, made)]
    assert sorted(attempts) == [("a", 1, False), ("a", 2, True), ("b", 1, False), ("b", 2, True)]
    assert {attempt for _, attempt, _ in attempts[:2]} == {1}, "repetitions come last"
    assert summary.counts == {Outcome.PASS: 2, Outcome.FAIL: 2}
    assert summary.flaky == 0


def test_a_result_that_changes_when_repeated_is_flaky(plan, run, home):
    made = plan("ok", "flaky_once", names=["flaky-in-runner"])
    summary = run(made)
    first, second = recorded(home, made)
    assert [result.outcome for result in first.results] == [Outcome.PASS, Outcome.FAIL]
    assert [(result.outcome, result.flaky) for result in second.results] == [
        (Outcome.PASS, False),
        (Outcome.PASS, True),
    ]
    assert summary.flaky == 1


def test_failures_are_not_repeated_when_that_is_not_wanted(plan, run, home):
    made = plan("fails")
    run(made, repeat_failures=False)
    [record] = recorded(home, made)
    assert record.final


def test_a_target_that_is_not_there_is_recorded_with_its_remedy(plan, run, home):
    made = plan("ok", targets=["toy:cpu", "toy:absent"])
    summary = run(made)
    absent = next(record for record in recorded(home, made) if record.cell.target == "toy:absent")
    assert absent.results[0].outcome is Outcome.UNAVAILABLE
    assert absent.results[0].message == "no abacus found; buy an abacus"
    assert absent.provenance.evidence is None
    assert summary.counts == {Outcome.PASS: 1, Outcome.UNAVAILABLE: 1}


def test_a_dtype_that_a_target_does_not_offer_is_unsupported(plan, run, home):
    made = plan("ok", dtypes=["float32", "float8"])
    assert run(made).counts == {Outcome.PASS: 1, Outcome.UNSUPPORTED: 1}


def test_an_architecture_without_a_class_is_recorded_with_the_reason(run, home):
    bare = next(entry for entry in catalog.load().architectures if entry.default_class is None)
    made = make_plan([bare], targets=["toy:cpu"], checks=["ok"])
    assert run(made).counts == {Outcome.NOT_APPLICABLE: 1}
    [record] = recorded(home, made)
    assert record.results[0].message == (bare.note or "the installed transformers has no model class for this type")


def test_an_unknown_target_stops_the_run_before_it_begins(plan, run, home):
    with pytest.raises(UnknownName):
        run(plan("ok", targets=["toy:nowhere"]))
    assert folders.run_ids(home) == []


def test_resuming_does_exactly_what_was_missing(plan, run, home):
    made = plan("ok", "fails", names=["a", "b", "c", "d"])
    run(made)
    path = folders.latest_run(home).journal
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 8
    # Two cells lack their repetition, one of them in the middle of a line.
    path.write_bytes(b"".join(lines[:6]) + lines[6][:100])
    again = []
    summary = run(made, resume=True, on_record=again.append)
    assert [(record.attempt, record.final) for record in again] == [(2, True), (2, True)]
    records = recorded(home, made)
    assert finals(records) == Counter(cell.id for cell in made.cells)
    assert len(records) == 8
    assert (summary.recorded, summary.counts) == (4, {Outcome.PASS: 4, Outcome.FAIL: 4})


def test_resuming_a_finished_run_runs_nothing(plan, run, home):
    made = plan("ok")
    run(made)
    again = []
    summary = run(made, resume=True, on_record=again.append)
    assert again == []
    assert summary.recorded == 1


def test_a_run_is_not_resumed_in_another_environment(plan, run, home):
    made = plan("ok")
    run(made)
    environment = folders.latest_run(home).environment
    environment.write_text(
        environment.read_text().replace('"name":"numpy","version":"', '"name":"numpy","version":"0.')
    )
    with pytest.raises(UsageError, match=r"environment has changed .* numpy 0\."):
        run(made, resume=True)


def test_a_run_is_not_started_twice(plan, run):
    made = plan("ok")
    run(made)
    with pytest.raises(UsageError, match="exists already"):
        run(made)


def test_a_damaged_journal_is_named_and_left_alone(plan, run, home):
    made = plan("ok", names=["a", "b"])
    run(made)
    path = folders.latest_run(home).journal
    damaged = b"{}\n" + path.read_bytes()
    path.write_bytes(damaged)
    with pytest.raises(InfrastructureError, match="line 1"):
        run(made, resume=True)
    assert path.read_bytes() == damaged


def test_two_runs_in_one_home_do_not_mix(plan, run, home):
    with locking.held(home, purpose="run number-one"), pytest.raises(RunInProgress, match="run number-one"):
        run(plan("ok"))
    assert run(plan("ok")).recorded == 1


def test_what_is_running_is_told_while_it_runs(plan, run, monkeypatch):
    monkeypatch.setattr(runner, "PROGRESS_SECONDS", 0.02)
    seen = []
    run(plan("nap"), on_progress=lambda progress: seen.extend(progress.running))
    assert any(cell.startswith("one|") for cell in seen)


@pytest.mark.parametrize("name", ["../../../etc/passwd", "a/b", '"; DROP TABLE cells; --', "<b>bold</b>", "naïve 模型"])
def test_a_model_may_be_called_anything(plan, run, home, name):
    made = plan("prints", names=[name])
    assert run(made).counts == {Outcome.PASS: 1}
    assert recorded(home, made)[0].cell.model_type == name
    assert {path.name for path in home.root.parent.iterdir()} == {"home"}


@pytest.fixture
def foreseen():
    def make(check, outcome):
        reason = "The toy always fails at this check."
        known = Expectation(architecture="one", check=check, outcome=outcome, reason=reason)
        return Book((Entry(known, Path("known.toml")),))

    return make


def test_a_foreseen_finding_is_marked_and_not_repeated(plan, run, home, foreseen):
    made = plan("ok", "fails")
    summary = run(made, expectations=foreseen("fails", Outcome.FAIL))
    (record,) = recorded(home, made)
    assert [result.expected for result in record.results] == [None, "The toy always fails at this check."]
    assert (summary.unexpected, summary.stale) == (0, [])
    assert summary.counts == {Outcome.PASS: 1, Outcome.FAIL: 1}


def test_a_finding_beside_a_foreseen_one_is_repeated_and_counted(plan, run, home, foreseen):
    made = plan("fails", "raises")
    summary = run(made, expectations=foreseen("fails", Outcome.FAIL))
    first, second = recorded(home, made)
    for record in (first, second):
        assert [result.expected is None for result in record.results] == [False, True]
    assert summary.unexpected == 1


def test_an_expected_failure_that_passes_is_kept_as_stale_also_on_resumption(plan, run, foreseen):
    made = plan("ok")
    known = foreseen("ok", Outcome.FAIL)
    for resume in (False, True):
        summary = run(made, expectations=known, resume=resume)
        (stale,) = summary.stale
        assert "muster expect remove one --check ok" in str(stale)
