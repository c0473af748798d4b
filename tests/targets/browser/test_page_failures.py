"""What Playwright says of a page becomes the outcome that it means."""

import pytest

from modelmuster.errors import CellFailure
from modelmuster.records import Outcome
from modelmuster.runs.errors_as_data import outcome_of
from modelmuster.targets.browser.failures import not_started, translated


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        ("Page.evaluate: Target crashed", Outcome.CRASH),
        ("Page.evaluate: Error: A valid external Instance reference no longer exists.", Outcome.CRASH),
        ("Page.evaluate: RuntimeError: unreachable\n    at ort.wasm", Outcome.CRASH),
        ("Page.evaluate: RangeError: Array buffer allocation failed\n    at load (http://127.0.0.1/x)", Outcome.OOM),
        ("Page.evaluate: Error: no available backend found. ERR: [webgpu] …", Outcome.UNAVAILABLE),
        ("Page.evaluate: NotSupportedError: WebNN is not supported on this platform.", Outcome.UNAVAILABLE),
        ("Page.evaluate: Error: Could not find an implementation for Det(22) node with name 'd'", Outcome.UNSUPPORTED),
        ("Page.evaluate: Error: something else", Outcome.ERROR),
    ],
)
def test_it_means_an_outcome(message, outcome):
    assert outcome_of(translated(message)) is outcome


def test_the_words_are_kept_without_prefix_and_stack():
    said = translated("Page.evaluate: Error: it is wrong\n    at load (http://127.0.0.1:1/running.js:1:2)")
    assert isinstance(said, CellFailure)
    assert str(said) == "Error: it is wrong"


def test_a_browser_that_cannot_be_driven_is_told_from_one_that_does_not_start():
    lacks = "Protocol error (emulation.setMediaFeaturesOverride): unknown command\nCall log:\n  - <launched>"
    assert str(not_started(f"BrowserType.launch_persistent_context: {lacks}")).startswith(
        "this version of Playwright cannot drive the browser: Protocol error (emulation.setMediaFeaturesOverride)"
    )
    assert "does not start" in str(not_started("BrowserType.launch: Failed to launch\nBrowser logs:\n[err] no library"))
