"""Every line of the threat model is held by tests that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
LINES = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith("| threat ")]


def test_every_kind_of_stranger_has_a_section():
    sections = re.findall(r"(?m)^## (.+)$", TEXT)
    for word in ("checkpoints", "Plug-ins", "Journals", "Workers", "HTML"):
        assert any(word in section for section in sections), word


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split("|")[1].strip())
def test_each_line_names_tests_that_exist(line):
    named = re.findall(r"`(tests/\S+\.py)::(test_\w+)`", line)
    assert named, "a threat without a test"
    for path, name in named:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{path}::{name}"
