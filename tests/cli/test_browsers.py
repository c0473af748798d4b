"""`muster browsers` shows what is here and says what to type for what is not."""

import json

import pytest
from typer.testing import CliRunner

from in_browsers import needed
from modelmuster.cli.app import app
from modelmuster.records import DeviceKind
from modelmuster.targets.browser import browsers, packages, probing
from modelmuster.targets.browser.devices import WEBGPU


@pytest.fixture
def nothing_here(monkeypatch, tmp_path):
    """No browser, and nothing brought."""
    for name in ("PATH", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv(browsers.VARIABLE, raising=False)


def test_without_any_browser_it_says_what_to_type(nothing_here):
    shown = CliRunner().invoke(app, ["browsers"])
    assert shown.exit_code == 0
    assert "type: muster browsers install --chromium" in shown.stderr
    assert "onnxruntime-web, which computes in a page, is missing" in shown.stderr


def test_what_is_no_browser_is_shown_with_its_problem(nothing_here, monkeypatch, tmp_path):
    pytest.importorskip("playwright", reason="the package playwright is not installed")
    false = tmp_path / "false"
    false.write_text("not a program")
    monkeypatch.setenv(browsers.VARIABLE, str(false))
    [found] = json.loads(CliRunner().invoke(app, ["browsers", "--json"]).stdout)
    assert found["path"] == str(false)
    assert "does not start" in found["problem"]


def test_a_registry_that_cannot_be_reached_is_an_error_without_traceback(nothing_here, monkeypatch):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    failed = CliRunner().invoke(app, ["browsers", "install"])
    assert "cannot be fetched" in str(failed.exception)
    assert not packages.RUNTIME.is_kept


@pytest.mark.browser
def test_a_sample_is_planned_where_software_imitates_the_gpu_unless_architectures_are_named():
    if preferred_adapter() is not DeviceKind.SOFTWARE_EMULATED:
        pytest.skip("WebGPU has hardware here")

    def planned(*words):
        done = CliRunner().invoke(app, ["plan", *words, "-t", "webgpu:chromium", "-c", "forward"])
        assert done.exit_code == 0, done.output
        return done.stdout.splitlines(), done.stderr

    sample, said = planned("--family", "vision")
    assert f"{len(sample)} of " in said
    assert "one of each family and trait" in said
    assert "about" in said
    every, said = planned("*", "--family", "vision")
    assert len(every) > 5 * len(sample)
    assert "one of each" not in said


def preferred_adapter():
    """The kind of adapter of the browser that would be used; the test is skipped where there is none."""
    needed("webgpu")
    return probing.probe(WEBGPU, "chromium").device_kind
