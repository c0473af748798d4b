"""Which browser a test can drive here; without one the test is skipped, with what is missing."""

from __future__ import annotations

import pytest

from modelmuster import dependencies
from modelmuster.targets.browser import browsers
from modelmuster.targets.browser.packages import INSTALL, RUNTIME


def needed(runtime="wasm", *, brought=None):
    """The browser for this runtime; the test is skipped, with what is missing, where there is none."""
    if not dependencies.is_installed("playwright"):
        pytest.skip("the package playwright is not installed")
    if not RUNTIME.is_kept:
        pytest.skip(f"onnxruntime-web was not brought: type {INSTALL}")
    found = [one for one in browsers.installed("chromium") if brought is None or one.brought is brought]
    if runtime == "webnn" and brought is None:
        found = [one for one in found if one.brought]
    if not found:
        kind = {True: "Chromium with WebNN", False: "Chromium of this system", None: "Chromium"}[brought]
        pytest.skip(f"no {kind} here: type {INSTALL} --chromium, or install Debian's package chromium")
    return found[0]
