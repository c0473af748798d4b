"""What torch.compile did is told: graphs, breaks, and models of which nothing was compiled."""

import numpy as np
import pytest
import torch

import models
from modelmuster.errors import CellFailure, Unavailable
from modelmuster.runs.probes import available_targets, select_targets
from modelmuster.targets.inductor import InductorCpu

pytestmark = pytest.mark.skipif(not InductorCpu().probe().available, reason="no C++ compiler")


class Doubles(torch.nn.Module):
    def forward(self, x):
        return {"y": x * 2}


class Breaks(Doubles):
    def forward(self, x):
        y = x * 2
        torch._dynamo.graph_break()
        return {"y": y + 1}


class Hidden(Doubles):
    @torch.compiler.disable
    def forward(self, x):
        return {"y": x * 2}


def opened(module):
    target = InductorCpu()
    target.cache_dir = models.EXPORTS
    subject = models.subject(module, {"x": np.arange(6, dtype=np.float32)}, seed=None)
    return target.open(subject, "float32", lambda _: None), subject


def test_graphs_and_breaks_are_counted():
    for module, route in ((Doubles(), "1 graph, no breaks"), (Breaks(), "2 graphs, 1 breaks")):
        session, subject = opened(module)
        session.run(subject.inputs)
        assert session.evidence().route == f"torch.compile: {route}"
        assert len(session.evidence().fallbacks) == (1 if isinstance(module, Breaks) else 0)


def test_a_model_of_which_nothing_was_compiled_is_not_credited():
    with pytest.raises(CellFailure, match="compiled nothing"):
        opened(Hidden())


def test_it_runs_only_when_it_is_asked_for():
    assert "inductor:cpu" not in available_targets()
    assert "inductor:cpu" in select_targets(["inductor"])


def test_without_a_compiler_it_says_what_to_install(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    probe = InductorCpu().probe()
    assert not probe.available
    assert "no-such-compiler" in probe.reason
    assert "g++" in probe.remedy
    with pytest.raises(Unavailable, match="no-such-compiler"):
        opened(Doubles())
