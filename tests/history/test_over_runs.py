"""Answers and measurements over many runs, from a store: turned answers, flakes, anomalies, comparable series."""

import pytest

from modelmuster import store
from modelmuster.history.anomalies import unusual
from modelmuster.history.machines import dated_runs
from modelmuster.history.questions import wilson
from modelmuster.history.series import comparable
from modelmuster.history.steps import Verdict
from modelmuster.records import Inference, Measurement, Outcome, Package
from modelmuster.settings import Home
from modelmuster.views.trends import measurements, trends
from run_folders import make_cell, make_environment, make_record, make_result, write_run

RUNS = 10
BERT, LLAMA, SWIN, TOY = make_cell("bert"), make_cell("llama"), make_cell("swin"), make_cell("bert", "toy")


def outcome_of(cell, number):
    """bert breaks with run 7; llama was mended in run 3; swin wavers without any reason."""
    if cell is BERT:
        return Outcome.FAIL if number >= 7 else Outcome.PASS
    if cell is LLAMA:
        return Outcome.ERROR if number < 3 else Outcome.PASS
    return Outcome.FAIL if number in {2, 6} else Outcome.PASS


def record(run_id, cell, number):
    took = Measurement(duration_ms=(10.0 if number < 5 else 15.0) * (1 + number % 3 / 100), peak_rss_bytes=10**8)
    results = [
        make_result("forward", measurement=took),
        make_result("reference", outcome_of(cell, number), measurement=took),
    ]
    slow = Measurement(duration_ms=500.0 if number == RUNS - 1 else 50.0 + number % 2, peak_rss_bytes=10**8)
    if cell is TOY:
        return make_record(run_id, cell, [Outcome.SKIPPED] * 2, inference=Inference.MOCK, measurement=slow)
    return make_record(run_id, cell, results=results, measurement=slow)


@pytest.fixture(scope="module")
def long_home(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("history"))
    for number in range(RUNS):
        run_id = f"2026-02-{number + 1:02d}"
        packages = (Package(name="torch", version="2.13.0" if number < 7 else "2.14.0"),)
        records = [record(run_id, cell, number) for cell in (BERT, LLAMA, SWIN, TOY)]
        write_run(
            home,
            run_id,
            (BERT, LLAMA, SWIN, TOY),
            records,
            created_at=f"{run_id}T00:00:00+00:00",
            environment=make_environment(packages=packages),
        )
    elsewhere = make_environment(cpu="another", hostname="other")
    write_run(home, "2026-01-31", [BERT], environment=elsewhere, created_at="2026-01-31T00:00:00+00:00")
    store.ingest(home)
    return home


@pytest.fixture
def reader(long_home):
    with store.reader(long_home) as opened:
        yield opened


def test_what_broke_and_what_was_mended_has_its_range_of_runs(reader):
    found = trends(reader)
    [broken] = found.broken
    assert (broken.cell_id, broken.check) == (BERT.id, "reference")
    good, bad = broken.since
    assert (good.run.run_id, bad.run.run_id) == ("2026-02-07", "2026-02-08")
    assert good.run.software != bad.run.software
    assert {question.cell_id for question in found.mended} == {LLAMA.id, SWIN.id}


def test_only_the_last_days_are_shown_where_these_are_asked_for(reader):
    assert [one.cell_id for one in trends(reader, days=3).broken] == [BERT.id]
    assert trends(reader, days=1).broken == ()


def test_a_flake_is_a_rate_where_nothing_changed_and_an_upgrade_makes_none(reader):
    rates = {flaky.question.cell_id: flaky.rate for flaky in trends(reader).flaky}
    assert BERT.id not in rates
    swin = rates[SWIN.id]
    assert (swin.hits, swin.of) == (2, 10)
    assert 0 < swin.low < 0.2 < swin.high < 1


def test_levels_count_every_run_and_never_mock(reader):
    levels = trends(reader).levels
    assert len(levels) == RUNS + 1
    assert {level.tally.planned for level in levels[1:]} == {6}
    assert (levels[-1].tally.passed, levels[-1].tally.decided) == (5, 6)
    real = levels[-1].realness
    assert (real.hardware, real.planned, real.mock) == (6, 6, 2)


def test_a_run_that_took_ten_times_as_long_is_an_anomaly(reader):
    slow = next(one for one in trends(reader).anomalies if one.what.startswith("time"))
    assert (slow.target, slow.value, slow.usual, slow.runs) == ("torch:cpu", 500.0, 50.0, RUNS - 1)
    assert not any(one.target == "toy" for one in trends(reader).anomalies)


def test_series_hold_comparable_runs_only_and_show_the_step(reader):
    found = measurements(reader)
    assert (found.check, found.metric) == ("forward", "duration_ms")
    assert {trend.series.model_type for trend in found.trends} == {"bert", "llama", "swin"}
    assert {len(trend.series.samples) for trend in found.trends} == {RUNS}
    assert {trend.judgement.verdict for trend in found.trends} == {Verdict.CHANGED}
    assert [step.at for step in found.trends[0].judgement.steps] == [5]
    only = measurements(reader, names=["llama"])
    assert [trend.series.model_type for trend in only.trends] == ["llama"]


def test_a_figure_can_be_followed_as_well(reader):
    found = comparable(reader, dated_runs(reader), check="forward", metric="max_abs")
    assert found[0].values == [1e-6] * RUNS


def test_a_rate_never_leaves_zero_and_one_and_little_is_not_judged():
    assert wilson(0, 4).low == 0.0
    assert wilson(4, 4).high == pytest.approx(1.0)
    assert unusual(10.0, [1.0] * 4, 0.1, absolute=False) is None
    assert unusual(10.0, [1.0] * 5, 0.1, absolute=False) == (1.0, 0.0)
    assert unusual(0.03, [0.02] * 5, 0.02, absolute=True) is None
