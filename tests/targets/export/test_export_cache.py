"""Exports are made once, whole or not at all, and never taken for those of another model."""

import errno
import json
import multiprocessing
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

import models
from modelmuster.errors import ExportFailed, Unavailable, Unsupported
from modelmuster.records import Stage
from modelmuster.targets.export import exported, onnx_file
from modelmuster.targets.export.artifact import MANIFEST, MODEL


class Refuses(torch.nn.Module):
    """Calls an operator that no exporter knows."""

    def forward(self, x):
        return {"y": torch.linalg.eigvals(x @ x.T)}


class Branches(torch.nn.Module):
    """Asks a tensor for its value, which only tracing can follow."""

    def forward(self, x):
        return {"y": x * 2 if float(x.sum()) > 0 else x}


class Doubles(torch.nn.Module):
    """As small as a model can be."""

    def __init__(self, by: float = 2.0) -> None:
        super().__init__()
        self.by = torch.nn.Parameter(torch.tensor([by]))

    def forward(self, x):
        return {"y": x * self.by, "x": x}


def subject(module, **inputs):
    return models.subject(module, inputs or {"x": np.arange(6, dtype=np.float32).reshape(2, 3)}, seed=None)


def made(of, folder, entering=lambda _: None):
    return exported(of, "float32", entering, folder)


def entries(cache_dir: Path) -> list[Path]:
    return [path for path in (cache_dir / "exports").iterdir() if path.suffix != ".lock"]


def test_an_export_is_made_once_and_then_read(tmp_path):
    seen = []
    first = made(subject(Doubles()), tmp_path, seen.append)
    written = first.model.stat().st_mtime_ns
    again = made(subject(Doubles()), tmp_path, seen.append)
    assert seen == [Stage.EXPORT, Stage.EXPORT]
    assert again.manifest == first.manifest
    assert again.model.stat().st_mtime_ns == written
    assert entries(tmp_path) == [first.folder]


@pytest.mark.parametrize(
    "other",
    [
        subject(Doubles(3.0)),
        subject(Doubles(), x=np.ones((2, 3), np.float32)),
        subject(Doubles(), x=np.arange(8, dtype=np.float32).reshape(2, 4)),
    ],
    ids=["weights", "values", "shapes"],
)
def test_another_model_is_another_entry(tmp_path, other):
    first = made(subject(Doubles()), tmp_path)
    assert made(other, tmp_path).folder != first.folder


def test_a_corrupt_entry_is_made_anew(tmp_path):
    artifact = made(subject(Doubles()), tmp_path)
    whole = artifact.model.read_bytes()
    artifact.model.write_bytes(whole[: len(whole) // 2])
    assert made(subject(Doubles()), tmp_path).model.read_bytes() == whole
    (artifact.folder / MANIFEST).write_text('{"route": ')
    assert made(subject(Doubles()), tmp_path).model.read_bytes() == whole
    artifact.model.unlink()
    assert made(subject(Doubles()), tmp_path).model.read_bytes() == whole


def test_a_full_disk_is_named_and_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(program, folder):
        (folder / MODEL).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(onnx_file, "save", full)
    with pytest.raises(Unavailable, match="No space left on device"):
        made(subject(Doubles()), tmp_path)
    assert entries(tmp_path) == []
    monkeypatch.undo()
    assert made(subject(Doubles()), tmp_path).model.exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "exports").write_text("in the way")
    with pytest.raises(Unavailable, match="cannot be kept"):
        made(subject(Doubles()), tmp_path)


def test_a_failure_is_believed_when_it_was_met_twice(tmp_path):
    for _ in range(2):
        with pytest.raises(ExportFailed) as raised:
            made(subject(Refuses()), tmp_path)
        assert raised.value.__cause__ is not None
    with pytest.raises(ExportFailed, match="seen in 2 processes") as raised:
        made(subject(Refuses()), tmp_path)
    assert raised.value.__cause__ is None
    assert "torch.onnx.export" in raised.value.message
    [note] = entries(tmp_path)
    assert json.loads(note.read_bytes())["versions"]["torch"] == torch.__version__


def _export(folder: str, answers) -> None:
    torch.set_num_threads(1)
    answers.put(str(made(subject(Doubles()), Path(folder)).folder))


def test_a_branch_on_a_value_is_traced_and_the_route_says_so(tmp_path):
    artifact = made(subject(Branches()), tmp_path)
    assert artifact.manifest.route == "torch.onnx.export by tracing"
    assert artifact.manifest.setbacks.keys() == {"transformers' OnnxExporter", "torch.onnx.export"}
    assert artifact.route.startswith("ONNX by torch.onnx.export by tracing; transformers' OnnxExporter failed: ")


def test_two_processes_at_once_share_one_entry(tmp_path):
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    children = [context.Process(target=_export, args=(str(tmp_path), answers)) for _ in range(2)]
    for child in children:
        child.start()
    folders = {answers.get() for _ in children}
    for child in children:
        child.join()
    assert len(folders) == 1
    assert entries(tmp_path) == [Path(*folders)]


def test_without_a_cache_it_is_made_in_passing():
    assert made(subject(Doubles()), None).model.exists()


def test_the_file_is_whole_and_names_nothing_of_this_machine(tmp_path):
    artifact = made(subject(Doubles()), tmp_path)
    onnx.checker.check_model(onnx.load(artifact.model), full_check=True)
    assert b".py" not in artifact.model.read_bytes()
    assert artifact.manifest.files.keys() == {MODEL}


def test_an_argument_that_is_returned_has_two_names(tmp_path):
    artifact = made(subject(Doubles()), tmp_path)
    assert [(port.name, port.path) for port in artifact.manifest.inputs] == [("input.x", "x")]
    assert {port.path: port.name for port in artifact.manifest.outputs} == {"y": "y", "x": "output.x"}


def test_other_shapes_and_other_constants_are_refused(tmp_path):
    class Scales(torch.nn.Module):
        def forward(self, x, by=1):
            return {"y": x * by}

    x = np.ones((2, 3), np.float32)
    of = subject(Scales(), x=x, by=3)
    artifact = made(of, tmp_path)
    assert list(artifact.feed(of, {"x": x, "by": 3})) == ["x"]
    with pytest.raises(Unsupported, match="other values of by"):
        artifact.feed(of, {"x": x, "by": 4})
    with pytest.raises(Unsupported, match="shape"):
        artifact.feed(of, {"x": x[:1], "by": 3})
