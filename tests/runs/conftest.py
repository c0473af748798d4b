"""The toy plug-in package as an installed distribution, and short ways to run its checks in real processes."""

import os
import subprocess
import sys
from pathlib import Path

import filelock
import pytest

from modelmuster import plugins
from modelmuster.contracts import Job, Limits
from modelmuster.records import Cell, Family
from modelmuster.runs.executors.local import LocalExecutor
from modelmuster.runs.forkserver import server
from modelmuster.settings import Home

PACKAGE = Path(__file__).parents[1] / "plugin_package"
INSTALLED = Path(sys.prefix) / "muster-toy"


@pytest.fixture(scope="session", autouse=True)
def toy():
    """Install the toy in a folder of its own, so that nobody else's runs find it, and show it to this session."""
    newest = max(path.stat().st_mtime for path in PACKAGE.rglob("*.*"))
    stamp = INSTALLED / "stamp"
    with filelock.FileLock(f"{INSTALLED}.lock"):
        if not stamp.exists() or stamp.stat().st_mtime < newest:
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]
            subprocess.run([*command, "--target", str(INSTALLED), str(PACKAGE)], check=True)
            stamp.touch()
    _show_toy()
    yield
    _hide_toy()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    """Leave the toy behind with this folder: what other tests start must not find it. Called for tests in here only."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        _hide_toy()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Show it again, should tests of this folder follow others."""
    if INSTALLED.exists():
        _show_toy()


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory):
    """Where the toy's checks leave their marks; set before the fork server starts, which hands it on."""
    folder = tmp_path_factory.mktemp("toy")
    os.environ["TOY_FOLDER"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def executor(toy, toy_folder):
    """A local executor with two slots; its fork server serves the whole session."""
    made = LocalExecutor(slots=2)
    yield made
    made.close()


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


@pytest.fixture
def make_cell():
    """Make a cell of toy checks."""
    return _cell


@pytest.fixture
def job(tmp_path):
    """Make a job of toy checks."""

    def make(*checks, model_type="toy", target="toy:cpu", attempt=1, **limits):
        return Job(
            run_id="r",
            cell=_cell(*checks, model_type=model_type, target=target),
            limits=Limits(**{"wall_s": 30.0, "cpu_s": 30.0, "memory_bytes": 512 << 20, **limits}),
            log_dir=str(tmp_path / "logs"),
            attempt=attempt,
        )

    return make


@pytest.fixture
def run_one(executor, job):
    """The record of one cell with these checks."""

    def run(*checks, **options):
        [record] = executor.run([job(*checks, **options)])
        return record

    return run


def _cell(*checks, model_type="toy", target="toy:cpu", dtype="float32", seed=0):
    return Cell(
        model_type=model_type,
        model_class="Toy",
        family=Family.OTHER,
        target=target,
        dtype=dtype,
        seed=seed,
        checks=checks,
    )


def _show_toy():
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if str(INSTALLED) not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([str(INSTALLED), *paths])
    if str(INSTALLED) not in sys.path:
        sys.path.insert(0, str(INSTALLED))
        _forget_plugins()


def _hide_toy():
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != str(INSTALLED)]
    if paths:
        os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    else:
        os.environ.pop("PYTHONPATH", None)
    if str(INSTALLED) in sys.path:
        sys.path.remove(str(INSTALLED))
        _forget_plugins()


def _forget_plugins():
    plugins.targets.cache_clear()
    plugins.checks.cache_clear()
    # A fork server knows the plug-ins of the time when it was started, here perhaps by another folder's test.
    server.stop()
