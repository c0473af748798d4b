"""A real browser that is kept for one cell after another: what happens in a page is the outcome of its cell alone."""

import psutil
import pytest

from in_browsers import needed
from modelmuster.records import Outcome

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _needed():
    needed()


@pytest.fixture
def run_in_pages(executor, job):
    """Runs cells one after another; gives the outcome of each, and browser and memory of its page."""

    def run(*names, wall_s=30.0):
        # A starting browser counts as its first cell's, with what its processes share counted for each of them.
        limits = {"wall_s": wall_s, "memory_bytes": 3 << 29, "target": "toy:page"}
        executor.slots = 1
        try:
            records = list(executor.run([job("ok", model_type=name, **limits) for name in names]))
        finally:
            executor.slots = 2
        seen = [record.provenance.evidence for record in records]
        return [record.results[0] for record in records], [one.device_name.split() if one else None for one in seen]

    return run


def test_pages_share_a_browser_and_know_nothing_of_one_another(run_in_pages):
    results, seen = run_in_pages("a", "b")
    assert [result.outcome for result in results] == [Outcome.PASS, Outcome.PASS], results
    assert seen[0] == seen[1]
    assert seen[0][1] == "0"
    assert not psutil.pid_exists(int(seen[0][0]))


@pytest.mark.parametrize(
    ("name", "outcome", "words"),
    [
        ("page-hangs", Outcome.TIMEOUT, "took longer than 8 s"),
        ("page-eats", Outcome.OOM, "more than at its start"),
        ("page-crashes", Outcome.CRASH, "the page crashed"),
    ],
)
def test_a_page_that_goes_wrong_is_one_cells_outcome_and_the_next_has_another_browser(
    run_in_pages, name, outcome, words
):
    results, seen = run_in_pages("a", name, "b", wall_s=8.0)
    assert [result.outcome for result in results] == [Outcome.PASS, outcome, Outcome.PASS]
    assert words in results[1].message
    assert seen[0][0] != seen[2][0]
    assert not psutil.pid_exists(int(seen[0][0]))
