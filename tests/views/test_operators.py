"""Missing operators, out of the words of those that lack them."""

import json

import msgspec
import pytest
from typer.testing import CliRunner

from modelmuster import store
from modelmuster.cli.app import app
from modelmuster.history.operators import named
from modelmuster.records import Outcome
from modelmuster.settings import Home
from modelmuster.views.cell import cell
from modelmuster.views.matrix import matrix
from modelmuster.views.narrowing import narrow
from modelmuster.views.operators import missing_operators
from modelmuster.views.realness import honesty
from run_folders import make_cell, make_record, make_result, write_run

HISTC = (
    "torch.onnx.export: DispatchError: No ONNX function found for <OpOverload(op='aten.histc', overload='default')>."
)
FFT = "UnsupportedOperatorError: Exporting the operator 'aten::fft_rfft' to ONNX opset version 18 is not supported"


@pytest.mark.parametrize(
    ("words", "operators"),
    [
        (HISTC, ["aten.histc"]),
        (f"{HISTC}\n{FFT}\n{FFT}", ["aten.histc", "aten.fft_rfft"]),
        ("[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : Could not find an implementation for Add(14) node", ["Add"]),
        ("Fatal error: com.microsoft:Fancy(-1) is not a registered function/op", ["com.microsoft:Fancy"]),
        ("OpenVINO does not support the following ONNX operations: ai.onnx.Det, Unique", ["ai.onnx.Det", "Unique"]),
        ("The operator 'aten::unique' is not currently implemented for the MPS device", ["aten.unique"]),
        ("RuntimeError: \"addmm_impl_cpu_\" not implemented for 'Half'", ["addmm_impl_cpu_"]),
        ("asked of WebNN, but only 3 of 9 nodes are on it; elsewhere: Det on CPU ×2, TopK on CPU ×1", ["Det", "TopK"]),
        ("shape '[2, 2]' is invalid for input of size 5", []),
    ],
)
def test_the_words_of_each_runtime_are_understood(words, operators):
    assert list(named(words)) == operators


@pytest.fixture
def home(tmp_path, monkeypatch) -> Home:
    made = Home(tmp_path / "operators")
    monkeypatch.setenv("MUSTER_HOME", str(made.root))
    said = {"mixtral": HISTC, "deepseek": HISTC, "autoformer": FFT, "bert": ""}
    cells = [make_cell(name, "onnxruntime:cpu") for name in said]
    records = [
        make_record("run", cell, results=[make_result(check, outcome, message=said[cell.model_type])])
        for cell in cells
        for check, outcome in [("forward", Outcome.UNSUPPORTED if "fft" in said[cell.model_type] else Outcome.ERROR)]
    ]
    write_run(made, "run", cells, records, created_at="2026-03-01T09:00:00+00:00")
    store.ingest(made)
    return made


def test_those_that_hold_back_most_architectures_come_first(home):
    with store.reader(home) as reader:
        found = missing_operators(reader, narrow(reader))
    assert [(entry.operator, entry.architectures) for entry in found] == [
        ("aten.histc", ("deepseek", "mixtral")),
        ("aten.fft_rfft", ("autoformer",)),
    ]
    assert found[0].reproduce.startswith("muster run ")


def test_the_command_shows_them(home):
    shown = CliRunner().invoke(app, ["results", "--operators"])
    assert "aten.histc on onnxruntime:cpu: 2 architectures" in shown.stdout
    listed = json.loads(CliRunner().invoke(app, ["results", "--operators", "--json"]).stdout)
    assert [entry["operator"] for entry in listed] == ["aten.histc", "aten.fft_rfft"]


@pytest.fixture
def strays(tmp_path, monkeypatch) -> Home:
    """Three models on WebGPU, of which two left something to the processor."""
    made = Home(tmp_path / "strays")
    monkeypatch.setenv("MUSTER_HOME", str(made.root))
    left = {"bert": ("Gather on CPU ×3", "Cast on CPU ×1"), "llama": ("Gather on CPU ×1",), "vit": ()}
    cells = [make_cell(name, "webgpu:chromium") for name in left]
    records = []
    for record in (make_record("run", planned) for planned in cells):
        seen = msgspec.structs.replace(
            record.provenance.evidence, fallbacks=left[record.cell.model_type], counts={"compute dispatches": 46}
        )
        records.append(
            msgspec.structs.replace(record, provenance=msgspec.structs.replace(record.provenance, evidence=seen))
        )
    write_run(made, "run", cells, records)
    store.ingest(made)
    return made


def test_what_ran_elsewhere_is_counted_by_operator_and_architecture(strays):
    with store.reader(strays) as reader:
        [column] = matrix(reader, narrow(reader)).columns
        [bert] = matrix(reader, narrow(reader, names=["bert"])).columns
        assert column.fallbacks == {"Gather on CPU": 2, "Cast on CPU": 1}
        assert bert.fallbacks == {"Gather on CPU": 1, "Cast on CPU": 1}
        [seen] = [one for one in honesty(reader).seen if one.target == "webgpu:chromium" and one.cells == 3]
        assert seen.fallbacks == ("Cast on CPU", "Gather on CPU")
        cell_id = make_cell("bert", "webgpu:chromium").id
        assert cell(reader, "run", cell_id).deciding.counts == {"compute dispatches": 46}


def test_the_matrix_names_them(strays):
    shown = CliRunner().invoke(app, ["matrix"])
    assert "webgpu:chromium: elsewhere, in so many architectures: Gather on CPU (2), Cast on CPU (1)" in shown.stdout
