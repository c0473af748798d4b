"""Browsers never outlive the run that started them, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from in_browsers import needed

pytestmark = pytest.mark.browser

PATIENCE_SECONDS = 120


@pytest.fixture(autouse=True)
def _needed():
    needed()


def browsers_below(process):
    """The main processes of browsers that a run has started."""
    found = []
    for child in process.children(recursive=True):
        try:
            words = " ".join(child.cmdline())
        except psutil.NoSuchProcess:
            continue
        if "--user-data-dir=" in words and "muster-browser-" in words and "--type=" not in words:
            found.append(child)
    return found


def waited_for(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := condition()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return answer


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_a_run_that_is_ended_takes_its_browser_along(number):
    command = [sys.executable, "-m", "modelmuster", "run", "bert", "-c", "forward", "--target", "wasm:chromium", "-j1"]
    with subprocess.Popen([*command, "--no-progress"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        started = waited_for(lambda: browsers_below(psutil.Process(run.pid)))
        os.kill(run.pid, number)
        run.wait(timeout=PATIENCE_SECONDS)
    assert started
    assert waited_for(lambda: not any(browser.is_running() for browser in started))
