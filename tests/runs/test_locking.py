"""One writer per home."""

import os
import signal
import subprocess
import sys

import pytest

from modelmuster.errors import InfrastructureError, RunInProgress, UsageError
from modelmuster.runs import locking
from modelmuster.settings import Home

HOLDER = """
import sys, time
from pathlib import Path
from modelmuster.runs import locking
from modelmuster.settings import Home
with locking.held(Home(Path(sys.argv[1])), purpose="run 42"):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(home):
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(home.root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_who_holds_the_lock_is_named(home, holder):
    for _ in range(2):
        with pytest.raises(RunInProgress) as caught, locking.held(home, purpose="other"):
            pass
        assert f"process {holder.pid} (run 42)" in caught.value.message
        assert caught.value.exit_code == 2


def test_a_killed_holder_leaves_no_lock_behind(home, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with locking.held(home, purpose="next"):
        pass


def test_the_lock_is_free_again_after_an_error(home):
    with pytest.raises(ZeroDivisionError), locking.held(home, purpose="first"):
        _ = 1 / 0
    with locking.held(home, purpose="second"):
        pass


def test_a_home_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises((UsageError, InfrastructureError), match="cannot"),
        locking.held(Home(tmp_path / "file"), purpose="run"),
    ):
        pass
