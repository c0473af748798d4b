"""What a change of the library's source touches, in a small library with the same layout."""

import subprocess

import pytest

from modelmuster.catalog.impact import affected
from modelmuster.errors import UsageError
from modelmuster.records import Architecture, Family

FILES = {
    "__init__.py": "",
    "core.py": "def f():\n    from .models.alone import modeling_alone",
    "models/__init__.py": "",
    "models/bert/__init__.py": "",
    "models/bert/modeling_bert.py": "from ...core import *",
    "models/roberta/__init__.py": "",
    "models/roberta/modeling_roberta.py": "from ..bert.modeling_bert import *",
    "models/vit/__init__.py": "",
    "models/vit/modeling_vit.py": "from ... import core",
    "models/alone/__init__.py": "",
    "models/alone/modeling_alone.py": "",
}
TYPES = ("bert", "roberta", "vit", "alone")


@pytest.fixture
def checkout(tmp_path):
    root = tmp_path / "src" / "transformers"
    for name, content in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    git(tmp_path, "init", "--initial-branch", "main")
    commit(tmp_path)
    return tmp_path


def git(folder, *arguments):
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *author, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder):
    git(folder, "add", "--all")
    git(folder, "commit", "--message", "some")


def change(checkout, name):
    with (checkout / "src" / "transformers" / name).open("a") as file:
        file.write("x = 1\n")


def touched(checkout, reference="HEAD"):
    entries = [
        Architecture(
            model_type=name, config_class="C", module=f"transformers.models.{name}", family=Family.OTHER, top_level=True
        )
        for name in TYPES
    ]
    return affected(entries, checkout, reference)


def test_nothing_changed_touches_nothing(checkout):
    assert touched(checkout) == {}


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("models/alone/modeling_alone.py", {"alone"}),
        ("models/bert/modeling_bert.py", {"bert", "roberta"}),
        ("core.py", {"bert", "roberta", "vit"}),
        ("models/roberta/tokenization_roberta.py", {"roberta"}),
    ],
)
def test_a_change_touches_its_own_architecture_and_all_that_import_it(checkout, name, types):
    change(checkout, name)
    found = touched(checkout)
    assert set(found) == types
    assert set(found.values()) == {f"src/transformers/{name}"}


def test_committed_changes_count_from_where_the_branch_parted(checkout):
    git(checkout, "checkout", "-b", "topic")
    change(checkout, "models/vit/modeling_vit.py")
    commit(checkout)
    git(checkout, "checkout", "main")
    change(checkout, "models/alone/modeling_alone.py")
    commit(checkout)
    git(checkout, "checkout", "topic")
    assert set(touched(checkout, "main")) == {"vit"}


def test_a_file_outside_the_library_touches_nothing(checkout):
    (checkout / "setup.py").write_text("")
    assert touched(checkout) == {}


def test_an_unknown_commit_and_a_folder_that_is_no_checkout_are_refused(checkout, tmp_path_factory):
    with pytest.raises(UsageError, match="git merge-base fails"):
        touched(checkout, "nowhere")
    with pytest.raises(UsageError, match="no checkout of transformers"):
        touched(tmp_path_factory.mktemp("empty"))
