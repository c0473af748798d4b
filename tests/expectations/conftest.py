"""Folders with expectation files."""

import sys
from pathlib import Path

import pytest

from modelmuster.expectations import book

sys.path[:0] = [str(Path(__file__).parent.parent)]

ENTRY = """
[[expected]]
architecture = "bert"
check = "reference"
target = "torch:cpu"
outcome = "fail"
transformers = ">=5.23.0"
reason = "A reason made up for this test."
link = "https://example.org/1"
"""


@pytest.fixture(autouse=True)
def _without_the_packages_own(tmp_path, monkeypatch):
    monkeypatch.setattr(book, "OURS", tmp_path / "ours")


@pytest.fixture
def folder(tmp_path):
    """A folder with one file; its text can be given."""

    def make(text=ENTRY, name="known.toml"):
        made = tmp_path / "expectations"
        made.mkdir(exist_ok=True)
        (made / name).write_text(text)
        return made

    return make


@pytest.fixture
def entry_text():
    return ENTRY
