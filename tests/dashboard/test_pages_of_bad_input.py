"""Every page, where what it is to show is not as it should be: it says what is the case, and what to type."""

import os
import subprocess
import sys
from urllib.parse import quote

import duckdb
import pytest
from dashboard_words import said

from modelmuster import store
from modelmuster.dashboard.app import Pages
from modelmuster.pages.routes import ROUTES
from modelmuster.records import Inference, Outcome
from modelmuster.settings import Home
from run_folders import make_cell, make_record, write_run

BERT, VIT, MOCK = make_cell("bert"), make_cell("vit"), make_cell("bert", "mock")
NAMES = ("", "matrix", *ROUTES)
OF_ALL_RUNS = {"runs", "history"}


def address(name, cell=BERT):
    """The page of a run named `first`, which has bert."""
    queries = {"model": "?name=bert", "cell": f"?id={quote(cell.id)}", "compare": "?old=first&new=first"}
    return f"/{name}", queries.get(name, "")


def published(folder, cells, records):
    home = Home(folder)
    write_run(home, "first", cells, records)
    store.ingest(home)
    return home


@pytest.fixture(scope="module")
def the_only_run(tmp_path_factory):
    record = make_record("first", BERT, [Outcome.PASS, Outcome.FAIL])
    return Pages(published(tmp_path_factory.mktemp("one"), [BERT], [record]))


@pytest.fixture(scope="module")
def going_on(tmp_path_factory):
    record = make_record("first", BERT, [Outcome.PASS, Outcome.FAIL])
    return Pages(published(tmp_path_factory.mktemp("going"), [BERT, VIT], [record]))


@pytest.fixture(scope="module")
def mock_only(tmp_path_factory):
    record = make_record("first", MOCK, [Outcome.NOT_RUN] * 2, inference=Inference.MOCK)
    return Pages(published(tmp_path_factory.mktemp("mock"), [MOCK], [record]))


@pytest.fixture(scope="module")
def of_another_version(tmp_path_factory):
    """Pages over a store of an older version, and over one of a newer."""
    pages = []
    for change in (
        "DELETE FROM schema_versions WHERE version > 1",
        "INSERT INTO schema_versions VALUES (999, 'later', now())",
    ):
        home = published(tmp_path_factory.mktemp("version"), [BERT], [])
        with duckdb.connect(str(home.snapshot)) as connection:
            connection.execute(change)
        pages.append(Pages(home))
    return pages


@pytest.mark.parametrize("name", NAMES)
def test_a_store_of_another_version_is_told_with_the_cure(of_another_version, name):
    older, newer = of_another_version
    assert "muster db ingest" in said(older, *address(name))
    assert "upgrade modelmuster" in said(newer, *address(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_only_run_is_shown(the_only_run, name):
    shown = said(the_only_run, *address(name))
    assert "What is the case" not in shown
    assert "never reached" not in shown
    assert ("One run is on record" in shown) is (name == "history")


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_goes_on_is_told_with_how_to_finish_it(going_on, name):
    shown = said(going_on, *address(name))
    assert "What is the case" not in shown
    assert ("2 results were planned and never reached" in shown) is (name not in OF_ALL_RUNS)
    assert ("muster run --resume --of first" in shown) is (name not in OF_ALL_RUNS)


@pytest.mark.parametrize("name", NAMES)
def test_a_mock_only_run_is_told_and_holds_no_rate(mock_only, name):
    shown = said(mock_only, *address(name, MOCK))
    assert "What is the case" not in shown
    assert ("says nothing about any model" in shown) is (name not in OF_ALL_RUNS)
    assert "100.0 %" not in shown


def test_history_without_its_package_says_what_to_install(tmp_path):
    """In a process of its own: what was imported before stays."""
    home = Home(tmp_path)
    for day in range(1, 8):
        run_id = f"2026-03-0{day}"
        write_run(home, run_id, [BERT], [make_record(run_id, BERT)], created_at=f"{run_id}T00:00:00+00:00")
    store.ingest(home)
    code = (
        "import sys; from pathlib import Path; from modelmuster.settings import Home; "
        "from modelmuster.dashboard.app import Pages; print(Pages(Home(Path(sys.argv[1]))).show('/history', ''))"
    )
    environment = {**os.environ, "MUSTER_HIDE": "ruptures"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(home.root)], capture_output=True, text=True, check=True, env=environment
    )
    assert "pip install 'modelmuster[dashboard]'" in done.stdout


@pytest.mark.parametrize("package", ["dash", "plotly"])
def test_without_a_package_of_its_own_the_command_says_what_to_install(package):
    done = subprocess.run(
        [sys.executable, "-m", "modelmuster", "dashboard"],
        capture_output=True, text=True, check=False, env={**os.environ, "MUSTER_HIDE": package},
    )  # fmt: skip
    assert done.returncode == 2
    assert f"needs the package {package}" in done.stderr
    assert "pip install 'modelmuster[dashboard]'" in done.stderr
