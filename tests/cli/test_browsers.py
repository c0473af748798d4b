"""`muster browsers` shows what is here and says what to type for what is not."""

import json

import pytest
from typer.testing import CliRunner

from modelmuster.cli.app import app
from modelmuster.targets.browser import browsers, packages


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
