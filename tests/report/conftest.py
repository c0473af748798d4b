"""A made-up run, its report and its home: records only, so that nothing needs to be run to lay them out."""

from __future__ import annotations

import pytest

from modelmuster.report import html
from modelmuster.report.assemble import assemble
from modelmuster.settings import Home
from synthetic_run import TARGETS, synthetic_run, write_folder


@pytest.fixture(scope="session")
def run():
    """60 architectures on 4 targets, with all outcomes, a mock target and hostile names."""
    return synthetic_run(60, targets=TARGETS)


@pytest.fixture(scope="session")
def data(run):
    plan, records, environment = run
    return assemble(plan, records, environment, version="0.1.0", questions={"forward": "Does it run?"})


@pytest.fixture(scope="session")
def page(data):
    return html.render(data)


@pytest.fixture
def home(run, tmp_path, monkeypatch):
    """A home that holds the run, in force for commands."""
    home = Home(tmp_path / "muster")
    write_folder(home, *run)
    monkeypatch.setenv("MUSTER_HOME", str(home.root))
    monkeypatch.chdir(tmp_path)
    return home
