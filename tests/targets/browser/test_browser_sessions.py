"""A real headless Chromium may not fall back unseen, and what dies in it is one cell's outcome: each way is staged."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from onnx.helper import make_node

import models
from in_browsers import needed
from modelmuster.errors import CellFailure, Crashed, Misplaced, Unavailable
from modelmuster.numerics.rule import Verdict, judge
from modelmuster.records import DeviceKind
from modelmuster.targets.browser import driver
from modelmuster.targets.browser.devices import WASM, WEBGPU, WEBNN
from modelmuster.targets.browser.session import BrowserSession
from modelmuster.targets.export import exported

pytestmark = pytest.mark.browser

RELU = make_node("Relu", ["x"], ["positive"])


@pytest.fixture
def opened():
    """Opens sessions; they are closed afterwards."""
    sessions = []

    def make(*arguments):
        sessions.append(BrowserSession(*arguments))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()


@pytest.mark.parametrize("provider", [WEBGPU, WEBNN], ids=["webgpu", "webnn"])
def test_a_model_runs_right_with_evidence_of_where(opened, provider):
    subject = models.bert()
    artifact = exported(subject, "float32", lambda _: None, models.EXPORTS)
    session = opened(artifact, subject, provider, needed(provider.runtime))
    with pytest.raises(CellFailure, match="nothing has run"):
        session.evidence()
    outputs = session.run(subject.inputs)
    own = subject.rounding(subject.inputs, "float32")
    assert judge(subject.reference(subject.inputs), own, outputs, "float32").verdict is Verdict.PASS
    evidence = session.evidence()
    assert evidence.nodes_on_target >= provider.least_share * evidence.nodes_total
    assert bool(evidence.fallbacks) is (evidence.nodes_on_target < evidence.nodes_total)
    # No machine that runs these tests has been seen to have a GPU; one that has one says so.
    assert evidence.device_kind in DeviceKind
    assert bool(evidence.counts["compute dispatches"]) is (provider is WEBGPU)
    assert bool(evidence.counts["WebNN dispatches"]) is (provider is WEBNN)


def test_an_operator_without_a_shader_is_not_credited_to_webgpu(opened, by_hand, nothing, x):
    determinant = make_node("Det", ["positive"], ["y"])
    session = opened(by_hand(RELU, determinant, given=[4, 4], returned=[]), nothing, WEBGPU, needed("webgpu"))
    with pytest.raises(Misplaced, match=r"only 1 of 2 nodes are on it; elsewhere: Det on CPU ×1"):
        session.run({"x": x})
    assert session.evidence().fallbacks == ("Det on CPU ×1",)


def test_shapes_that_are_left_open_are_not_credited_to_webnn(opened, by_hand, nothing, x):
    twice = make_node("Add", ["positive", "positive"], ["y"])
    session = opened(by_hand(RELU, twice, given=["rows", 4], returned=["rows", 4]), nothing, WEBNN, needed("webnn"))
    with pytest.raises(Misplaced, match="only 0 of 2 nodes"):
        session.run({"x": x})


def test_a_browser_without_a_backend_for_webnn_does_not_compute_it_otherwise(opened, by_hand, nothing):
    artifact = by_hand(make_node("Relu", ["x"], ["y"]), given=[4, 4], returned=[4, 4])
    with pytest.raises(Unavailable, match="WebNN"):
        opened(artifact, nothing, WEBNN, needed(brought=False))


def test_a_page_computes_holds_one_session_and_reaches_nothing_but_its_server(opened, by_hand, nothing, x):
    artifact = by_hand(make_node("Relu", ["x"], ["y"]), given=[4, 4], returned=[4, 4])
    session = opened(artifact, nothing, WASM, needed())
    np.testing.assert_array_equal(session.run({"x": x})["y"].array, np.maximum(x, 0))
    assert session.page.evaluate("window.crossOriginIsolated") is True
    # Sessions that overlap on one device gave wrong numbers: a page never holds two.
    with pytest.raises(CellFailure, match="holds a session already"):
        driver.call(session.page, "load", {})
    for address in ("http://192.0.2.1/", "http://example.org/"):
        reached = f"fetch('{address}', {{mode: 'no-cors'}}).then(() => 'reached', () => 'refused')"
        assert session.page.evaluate(reached) == "refused"


def test_a_tab_that_crashes_is_the_outcome_of_its_cell(opened, by_hand, nothing, x):
    artifact = by_hand(make_node("Relu", ["x"], ["y"]), given=[4, 4], returned=[4, 4])
    session = opened(artifact, nothing, WASM, needed())
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # among them what ended with an earlier test and is still to be waited for
            if "--type=renderer" in process.cmdline():
                process.kill()
    with pytest.raises(Crashed, match="crashed"):
        session.run({"x": x})


def test_a_device_that_is_lost_is_the_outcome_of_its_cell(opened, by_hand, nothing, x):
    artifact = by_hand(make_node("Relu", ["x"], ["y"]), given=[4, 4], returned=[4, 4])
    session = opened(artifact, nothing, WEBGPU, needed("webgpu"))
    session.run({"x": x})
    session.page.evaluate("window.devices.forEach((device) => device.destroy())")
    with pytest.raises(Crashed, match="lost"):
        session.run({"x": x})


def test_a_browser_leaves_no_profile_behind(monkeypatch, tmp_path):
    monkeypatch.setattr(driver.tempfile, "tempdir", str(tmp_path))
    forsaken = tmp_path / "muster-browser-999999999-x"
    forsaken.mkdir()
    (tmp_path / "page.html").write_text("<script>window.ready = true</script>")
    browser = driver.Browser(needed())
    page = browser.visit((tmp_path / "page.html").as_uri())
    assert "Chromium" in page.version
    kept = [path.name for path in tmp_path.glob("muster-browser-*")]
    for one in (page, page, browser, browser):
        one.close()
    assert len(kept) == 1
    assert kept[0] != forsaken.name
    assert list(tmp_path.glob("muster-browser-*")) == []


def test_what_is_no_browser_is_unavailable(tmp_path):
    installed = needed()
    path = tmp_path / "chromium"
    path.write_text("#!/bin/sh\nexit 1\n")
    path.chmod(0o755)
    with pytest.raises(Unavailable, match="does not start"):
        driver.Browser(type(installed)("chromium", Path(path)))
