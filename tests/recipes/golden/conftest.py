"""A pack with one small model, made once, and copies of it to damage."""

import shutil
import sys
from pathlib import Path

import pytest

from modelmuster import catalog, recipes
from modelmuster.recipes import ignore
from modelmuster.recipes.golden import pack, recording
from modelmuster.recipes.golden.opening import open_golden
from modelmuster.records import GoldenPack

sys.path[:0] = [str(Path(__file__).parents[2])]

VERSIONS = {"transformers": "5.0.0"}


@pytest.fixture(scope="session")
def original(tmp_path_factory):
    root = tmp_path_factory.mktemp("golden") / "pack"
    subject = recipes.prepare(catalog.load().get("bert"), "BertForMaskedLM")
    recording.record(subject, root / "bert", ignore)
    made = pack.Manifest(created_at="2026-03-01", versions=VERSIONS, models={"bert/BertForMaskedLM": "bert"})
    pack.seal(root, made)
    return root


@pytest.fixture
def root(original, tmp_path):
    """A copy of the pack."""
    return Path(shutil.copytree(original, tmp_path / "copy"))


@pytest.fixture
def opened():
    """Open the model of a pack as a cell does."""

    def go(root):
        place = GoldenPack(path=str(root), digest=pack.open_pack(root).digest)
        return open_golden(catalog.load().get("bert"), "BertForMaskedLM", place, ignore)

    return go
