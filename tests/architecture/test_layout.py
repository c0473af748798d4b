"""Promises about the tree itself: size of files, names, and what a start-up imports."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
HEAVY = {"torch", "transformers", "duckdb", "numpy", "dash", "ray", "playwright", "jinja2", "timm"}


def test_no_source_file_has_more_than_500_lines():
    long = {str(path.relative_to(ROOT)): n for path in SOURCES if (n := len(path.read_text().splitlines())) > 500}
    assert not long


def test_no_file_name_says_nothing():
    vague = {"utils.py", "util.py", "helpers.py", "helper.py", "common.py", "misc.py"}
    assert not [path for path in SOURCES if path.name in vague or path.stem.endswith("_fixed")]


def test_every_folder_under_src_holds_code():
    folders = {path.parent for path in SOURCES}
    empty = [
        folder
        for folder in (ROOT / "src").rglob("*")
        if folder.is_dir()
        and folder.name != "__pycache__"
        and not any(f == folder or folder in f.parents for f in folders)
        and not any(folder.rglob("*.*"))
    ]
    assert not empty


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_start_up_imports_nothing_heavy(arguments):
    code = (
        f"import sys; sys.argv = ['muster', *{arguments!r}]\n"
        "from modelmuster.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        f"print(sorted(set(sys.modules) & {HEAVY!r}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "Usage" in done.stdout or "modelmuster" in done.stdout
