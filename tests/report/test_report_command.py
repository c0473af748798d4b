import json
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from modelmuster.cli.report import report
from modelmuster.errors import UsageError

app = typer.Typer()
app.command()(report)


def invoke(*arguments):
    return CliRunner().invoke(app, arguments)


def test_a_page_is_written_and_named_on_standard_error(home, run, tmp_path):
    done = invoke("--output", "pages/run.html")
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    assert "wrote pages/run.html" in done.stderr
    assert run[0].run_id in (tmp_path / "pages" / "run.html").read_text(encoding="utf-8")


def test_the_page_is_report_html_where_nothing_else_is_said(home, tmp_path):
    report()
    assert (tmp_path / "report.html").stat().st_size > 10_000


def test_markdown_and_json_go_to_standard_output(home, run):
    assert invoke("--format", "markdown").stdout.startswith("### modelmuster")
    assert json.loads(invoke("--format", "json", "--run", "2026").stdout)["run_id"] == run[0].run_id


def test_a_format_that_does_not_exist_is_a_usage_error(home):
    error = invoke("--format", "pdf").exception
    assert isinstance(error, UsageError)
    assert "html, markdown, json" in str(error)


def test_without_a_run_the_command_says_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSTER_HOME", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="muster run"):
        report(output=tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("arguments", [["--site", "site"], ["--output", "report.html"], ["--format", "junit"]])
def test_a_report_tells_what_checks_ask_without_importing_what_they_run_on(home, arguments):
    code = (
        "import sys\n"
        "from modelmuster.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "print(sorted({'torch', 'transformers', 'dash'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "report", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_built_in_check_states_its_question_where_it_can_be_read():
    from modelmuster import plugins

    registry = plugins.checks()
    stated = {name: registry.written(name, "question") for name in registry.names() if registry.is_ours(name)}
    assert all(stated.values())
    assert stated["forward"] == registry.get("forward").question
