"""What exporters get wrong and tracing cannot write: the graphs run, and their numbers are the module's."""

import numpy as np
import onnx_ir
import pytest
import torch

import models
from modelmuster.errors import ExportFailed
from modelmuster.targets.export import exported, routes
from modelmuster.targets.export.formulas import PlainFormulas
from modelmuster.targets.export.routes import Route

X = np.arange(6, dtype=np.float32).reshape(2, 3)


class Squeezes(torch.nn.Module):
    """Squeezes an axis that is not of length 1, which does nothing."""

    def forward(self, x):
        return {"y": torch.ops.aten.squeeze.dim(x, 0) * 2}


class Replaces(torch.nn.Module):
    """Puts numbers in chosen places, of which there may be none."""

    def forward(self, x):
        y, chosen = torch.zeros_like(x), x > 100
        y[chosen] = x[chosen]
        return {"y": y + x}


class Differences(torch.nn.Module):
    """Asks a tensor for its value, so that only tracing can follow, and calls what tracing cannot write."""

    def forward(self, x):
        rows = torch.nn.utils.rnn.pad_sequence([x[0], x[1, :2]], batch_first=True, padding_value=7.0)
        y = rows if float(x.sum()) > 0 else x
        chosen = y.clone()
        large = x[:, 0] > 1
        chosen[large, :] = chosen[large, :] + 1
        return {"y": y, "steps": torch.diff(x), "chosen": chosen, "counted": (x > 1).cumsum(-1)}


def returned(module):
    import onnxruntime

    subject = models.subject(module, {"x": X}, seed=None)
    artifact = exported(subject, "float32", lambda _: None)
    session = onnxruntime.InferenceSession(artifact.model, providers=["CPUExecutionProvider"])
    names = [port.name for port in artifact.manifest.outputs]
    outputs = session.run(names, artifact.feed(subject, subject.inputs))
    return artifact, {port.path: array for port, array in zip(artifact.manifest.outputs, outputs, strict=True)}


@pytest.mark.parametrize(
    ("module", "corrected"), [(Squeezes(), "aten.squeeze.dim"), (Replaces(), "aten.index_put")], ids=["squeeze", "put"]
)
def test_a_translation_that_is_wrong_is_put_right_and_the_route_says_so(module, corrected):
    artifact, outputs = returned(module)
    assert np.array_equal(outputs["y"], module(torch.from_numpy(X))["y"].numpy())
    assert artifact.manifest.corrected == (corrected,)
    assert f"with our own {corrected}" in artifact.route


def test_tracing_writes_what_it_has_no_operator_for_in_others():
    artifact, outputs = returned(Differences())
    assert artifact.manifest.route == "torch.onnx.export by tracing"
    expected = Differences()(torch.from_numpy(X))
    assert all(np.array_equal(outputs[name], expected[name].numpy()) for name in expected)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: torch.diff(x, n=2, dim=0),
        lambda x: x.diff(dim=-1, prepend=x[:, :1], append=x[:, :2]),
        lambda x: torch.diff(x > 3),
        lambda x: x.T.as_strided((3, 2, 2), (4, 2, 1)),
        lambda x: torch.as_strided(x[1:], (2, 3), (1, 1), 5),
        lambda x: torch.as_strided(x[:, 1:], (2, 2), (4, 1)),
        lambda x: torch.split(x, [1, 3], dim=1)[1],
        lambda x: x.split(2, -1)[0],
        lambda x: list(x)[2],
        lambda x: x.unbind(1)[3],
        lambda x: torch.cumsum(x > 3, 0),
        lambda x: (x > 3).cumsum(0, dtype=torch.float32),
        lambda x: x[x[:, 0] > 3, :],
        lambda x: torch.nn.utils.rnn.pad_sequence([x, x[:1]]),
        lambda x: torch.nn.utils.rnn.pad_sequence([x[:1], x], batch_first=True, padding_value=2.0, padding_side="left"),
    ],
)
def test_a_formula_gives_the_same_numbers(call):
    x = torch.arange(12, dtype=torch.float32).reshape(3, 4) ** 2
    with PlainFormulas():
        found = call(x)
    assert torch.equal(found, call(x))


def broken(module, inputs, dtype):
    """A graph that no runtime can load, written by an exporter that reports success."""
    graph = routes._by_torch(module, inputs, dtype)
    for node in graph.program.graph:
        node.attributes["no_such_attribute"] = onnx_ir.AttrInt64("no_such_attribute", 1)
    return graph


def test_a_graph_that_does_not_run_is_a_setback_of_its_exporter(monkeypatch):
    monkeypatch.setattr(routes, "ROUTES", (Route("a broken one", broken), routes.ROUTES[1]))
    artifact, outputs = returned(Squeezes())
    assert artifact.manifest.route == "torch.onnx.export"
    assert artifact.manifest.setbacks["a broken one"].startswith("its graph does not run: ")
    assert np.array_equal(outputs["y"], X * 2)


def test_where_none_runs_each_runtime_is_to_say_what_it_makes_of_the_first(monkeypatch):
    def refuses(module, inputs, dtype):
        raise ExportFailed("never")

    monkeypatch.setattr(routes, "ROUTES", (Route("a broken one", broken), Route("a shy one", refuses)))
    artifact = exported(models.subject(Squeezes(), {"x": X}, seed=None), "float32", lambda _: None)
    assert artifact.manifest.route == "a broken one"
    assert artifact.model.exists()
