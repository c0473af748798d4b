"""The application without a browser: what it answers, what it refuses, and that it writes nothing."""

import csv
from urllib.parse import parse_qsl

import msgspec
import pytest
from dashboard_words import said

from modelmuster import store
from modelmuster.dashboard import guard, layout
from modelmuster.dashboard.app import Pages, make
from modelmuster.dashboard.serving import listen
from modelmuster.errors import UsageError
from modelmuster.pages.blocks import Table
from modelmuster.pages.routes import ROUTES
from modelmuster.records import Outcome
from modelmuster.runs.status import RunStatus
from modelmuster.settings import Home
from run_folders import append, make_cell, make_record, write_run


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "muster")


def test_without_runs_every_page_says_what_to_type(home):
    pages = Pages(home)
    for name in ("", "matrix", *ROUTES):
        assert "muster run bert llama vit" in said(pages, f"/{name}")
    assert "Nothing runs at this moment" in said(pages, "/live")
    assert not home.root.exists()


def test_runs_that_were_not_published_are_told_from_none(home):
    write_run(home, "first", [make_cell()])
    assert "muster db ingest" in said(Pages(home), "/")


def test_nothing_is_written_and_newer_results_are_pointed_at(home):
    folder = write_run(home, "first", [make_cell("bert"), make_cell("vit")], [])
    store.ingest(home)
    before = {path: path.stat().st_mtime_ns for path in home.root.rglob("*")}
    pages = Pages(home)
    for name in ("", "matrix", *ROUTES):
        said(pages, f"/{name}", "?name=bert&old=first&id=x")
    assert {path: path.stat().st_mtime_ns for path in home.root.rglob("*")} == before
    append(folder, [make_record("first", make_cell("bert"))])
    assert "not published yet" in said(pages, "/matrix")


def test_a_running_sweep_is_shown_while_it_goes_on(home):
    cells = [make_cell("bert"), make_cell("vit")]
    folder = write_run(home, "going", cells, [make_record("going", cells[0], [Outcome.PASS, Outcome.FAIL])])
    look = RunStatus(
        run_id="going",
        host="box",
        pid=1,
        updated_at="2026-03-01T10:00:00+00:00",
        planned=2,
        recorded=1,
        ended=False,
        running={cells[1].id: 12.0},
    )
    (folder / "status.json").write_bytes(msgspec.json.encode(look))
    shown = said(Pages(home), "/live")
    assert "reference gave fail" in shown
    assert "1 / 2" in shown
    assert "it may have been killed" in shown
    (folder / "status.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(look, ended=True)))
    assert "Nothing runs at this moment" in said(Pages(home), "/live")


@pytest.mark.parametrize(
    ("path", "search", "what"),
    [
        ("/cell", "", "the address lacks id"),
        ("/cell", "?id=nonsense", "unknown cell"),
        ("/model", "?name=brt", "did you mean: bert"),
        ("/matrix", "?run=1999", "unknown run"),
        ("/matrix", "?outcome=%3Cscript%3E", "0 of 1 architectures"),
        ("/matrix", "?q=trait:generative", "does not keep the traits"),
        ("/history", "?days=soon", "days=soon is no number"),
        ("/no-such-page", "", "unknown page"),
    ],
)
def test_an_address_that_makes_no_sense_is_answered_in_words(home, path, search, what):
    write_run(home, "first", [make_cell("bert")])
    store.ingest(home)
    assert what in said(Pages(home), path, search)


def test_a_head_sorts_upwards_then_downwards_then_not_at_all(home):
    write_run(home, "first", [make_cell("bert"), make_cell("vit")])
    store.ingest(home)
    asked = {"name": "first"}
    with store.reader(home) as reader:
        page = ROUTES["coverage"].make(reader, {})
    [table] = [block for block in page.blocks if isinstance(block, Table) and block.name == "missing"]
    for present, sort, following in (("", None, "2"), ("2", "ascending", "-2"), ("-2", "descending", None)):
        head = layout.head(table, 2, "coverage", asked | ({"sort-missing": present} if present else {}))
        assert getattr(head, "aria-sort", None) == sort
        address = dict(parse_qsl(head.children.href.partition("?")[2]))
        assert address == asked | ({"sort-missing": following} if following else {})


def test_a_table_and_all_results_can_be_taken_away_as_files(home):
    cells = [make_cell("bert"), make_cell("vit")]
    write_run(home, "first", cells, [make_record("first", cells[0], [Outcome.PASS, Outcome.FAIL])])
    store.ingest(home)
    client = make(home).server.test_client()
    table = client.get("/download/coverage?table=missing&run=first")
    assert table.mimetype == "text/csv"
    [heads, *rows] = csv.reader(table.text.splitlines())
    assert heads[:3] == ["outcome", "reason", "results"]
    assert [row[2] for row in rows] == ["2"]
    assert client.get("/download/coverage?table=missing&find=nothing").text.count("\n") == 1
    assert client.get("/download/?table=targets").text.startswith("target,")
    results = client.get("/data/first/results.csv").text
    assert results.count("\n") == 5
    assert client.get("/data/first/results.parquet").data[:4] == b"PAR1"
    assert {path.name for path in home.root.iterdir()} <= {
        "runs",
        "store.duckdb",
        "snapshot.duckdb",
        "store.lock",
        ".gitignore",
    }


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("/download/coverage?table=mising", "did you mean: missing"),
        ("/download/coverage", "unknown table"),
        ("/download/nowhere?table=x", "unknown page"),
        ("/download/coverage?table=missing&run=1999", "unknown run"),
        ("/data/first/store.duckdb", "unknown file"),
        ("/data/1999/results.csv", "unknown run"),
    ],
)
def test_a_file_that_is_not_there_is_refused_in_words(home, address, what):
    write_run(home, "first", [make_cell("bert")])
    store.ingest(home)
    answer = make(home).server.test_client().get(address)
    assert answer.status_code == 404
    assert what in answer.text


def test_only_names_of_this_machine_are_answered_on_loopback(home):
    client = make(home).server.test_client()
    assert client.get("/", headers={"Host": "127.0.0.1:8050"}).status_code == 200
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
    answer = client.get("/style.css", headers={"Host": "localhost"})
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.mimetype == "text/css"


def test_elsewhere_a_token_is_made_and_a_short_one_refused():
    assert guard.token_for("127.0.0.1", None) is None
    assert len(guard.token_for("0.0.0.0", None)) >= 32
    with pytest.raises(UsageError, match="fewer than 16"):
        guard.token_for("0.0.0.0", "secret")


def test_a_port_that_is_taken_is_a_message(home):
    first = listen(home, host="127.0.0.1", port=0, token=None)
    with pytest.raises(UsageError, match="cannot listen"):
        listen(home, host="127.0.0.1", port=first.port, token=None)
    first.server_close()
