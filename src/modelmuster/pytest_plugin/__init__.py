"""The pytest plug-in: cells of the catalogue as tests (`pytest --muster`), and fixtures for generated files.

pytest imports this module in every test suite of an environment, so it imports nothing but pytest, and does nothing
until it is asked: what the options and fixtures need is imported where they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from modelmuster.pytest_plugin.recording import Recording
    from modelmuster.pytest_plugin.subjects import Opened

FAMILY_MARKS = (
    "encoder_only", "decoder_only", "encoder_decoder", "vision", "video", "audio", "vision_text", "audio_text",
    "any_to_any", "time_series", "other",
)  # fmt: skip
"""The members of `records.Family` as marks; written out, because importing them costs every suite some time."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of `pytest --help`."""
    group = parser.getgroup("muster", "modelmuster: architectures on runtimes")
    group.addoption("--muster", action="store_true", help="test cells of the catalogue, without any test file")
    group.addoption(
        "--muster-target",
        action="append",
        metavar="TARGET",
        help="name, glob or platform, such as torch:cpu or cuda; repeatable; default: all that are found here",
    )
    group.addoption("--muster-family", action="append", metavar="FAMILY", help="only this family; repeatable")
    group.addoption("--muster-executor", default="local", metavar="NAME", help="who runs the tests: local or ray")
    group.addoption("--muster-address", metavar="ADDRESS", help="of the cluster: HOST:PORT, or local")
    group.addoption("--muster-scale", default="tiny", metavar="tiny|default", help="size of the models; default: tiny")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known, and start the cells where they are asked for."""
    for mark in FAMILY_MARKS:
        config.addinivalue_line("markers", f"{mark}: of the modelmuster family {mark.replace('_', '-')}")
    config.addinivalue_line("markers", "muster(model_type, model_class): a generated file of modelmuster")
    config.pluginmanager.register(FileReports(config), "modelmuster-files")
    if config.getoption("muster_executor") != "local":
        from modelmuster.pytest_plugin import elsewhere

        elsewhere.start(config)
    if config.getoption("muster"):
        from modelmuster.pytest_plugin.cells import CellTests

        config.pluginmanager.register(CellTests.start(config), CellTests.name)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test that runs on a target runs once for each."""
    if "muster_target" in metafunc.fixturenames:
        from modelmuster.pytest_plugin import targets

        targets.parametrize(metafunc)


@pytest.fixture(scope="module")
def muster_target(request: pytest.FixtureRequest) -> str:
    """The name of the target that the test runs on, such as `torch:cpu`."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def _muster_opened(request: pytest.FixtureRequest, muster_target: str) -> Any:
    """The file's model on the target."""
    from modelmuster.pytest_plugin.subjects import opened

    with opened(muster_target, request) as made:
        yield made


@pytest.fixture
def muster_run(_muster_opened: Opened, request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    """Run the file's `model` on the target: takes its inputs, gives the tensors that it returns, by name."""
    request.node.muster_opened = _muster_opened
    return _muster_opened.run


@pytest.fixture
def muster_reference(_muster_opened: Opened) -> Callable[[Any], Any]:
    """Run the file's `model` in exact arithmetic, float64 on the CPU."""
    return _muster_opened.reference


@pytest.fixture
def muster_module(_muster_opened: Opened, request: pytest.FixtureRequest) -> Any:
    """The file's `model` as a live PyTorch module on the target; the test is skipped where the runtime has none."""
    request.node.muster_opened = _muster_opened
    return _muster_opened.module()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """A generated file's known failure is an expected one, and what belongs into the journal is left in the report."""
    report = yield
    target = getattr(getattr(item, "callspec", None), "params", {}).get("muster_target")
    ended = call.when == "call" or (call.when == "setup" and not report.passed)
    if target is not None and ended and item.get_closest_marker("muster"):
        from modelmuster.pytest_plugin import files

        if reason := files.foreseen(item, call, report, target):
            report.outcome, report.wasxfail = "skipped", reason
        report.muster_file = files.result_of(item, call, report, target)
    return report


class FileReports:
    """What generated files left in the reports of their tests; those of other suites leave nothing."""

    def __init__(self, config: pytest.Config) -> None:
        self.command = f"pytest {' '.join(config.invocation_params.args)}"
        self.is_main = not hasattr(config, "workerinput")
        self.left: list[str] = []
        self.recording: Recording | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather it."""
        found = getattr(report, "muster_file", None)
        if found is not None and self.is_main:
            self.left.append(found)

    def pytest_sessionfinish(self) -> None:
        """Record it."""
        if self.left:
            from modelmuster.pytest_plugin.files import record

            self.recording = record(self.left, self.command)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what was recorded."""
        if self.recording is not None:
            self.recording.summarise(terminalreporter)
