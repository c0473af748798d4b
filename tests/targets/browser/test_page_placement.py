"""The log of onnxruntime-web 1.30.0, as it was read in a page, tells where the nodes are."""

import pytest

from modelmuster.errors import CellFailure
from modelmuster.targets.browser.placement import read

VERIFY = "2026-11-25 00:36:10.5 [V:onnxruntime:, session_state.cc:1383 VerifyEachNodeIsAssignedToAnEp] "
FOUND = "webnn_execution_provider.cc:158 GetCapability] WebNNExecutionProvider::GetCapability,"


def test_all_nodes_on_one_provider():
    placed = read(
        [f"{VERIFY}Node placements", f"{VERIFY} All nodes placed on [CPUExecutionProvider]. Number of nodes: 84"], "CPU"
    )
    assert (placed.total, placed.on_target, placed.elsewhere, placed.share) == (84, 84, (), 1.0)


def test_operators_elsewhere_are_named_and_copies_are_not_counted():
    log = [
        f"{VERIFY} Node(s) placed on [CPUExecutionProvider]. Number of nodes: 3",
        f"{VERIFY}  Cast (node__to_copy)",
        f"{VERIFY}  Cast (node (with a bracket))",
        f"{VERIFY}  Gather ()",
        f"{VERIFY} Node(s) placed on [WebGpuExecutionProvider]. Number of nodes: 3",
        f"{VERIFY}  MatMul (node_linear)",
        f"{VERIFY}  Softmax (node_softmax)",
        f"{VERIFY}  MemcpyFromHost (Memcpy)",
    ]
    placed = read(log, "WebGpu")
    assert (placed.total, placed.on_target) == (5, 2)
    assert placed.elsewhere == ("Cast on CPU ×2", "Gather on CPU ×1")


def test_webnn_takes_many_nodes_as_one():
    log = [
        f"{FOUND} number of nodes in the graph: 119 number of nodes supported by WebNN: 16",
        f"{VERIFY} Node(s) placed on [CPUExecutionProvider]. Number of nodes: 1",
        f"{VERIFY}  MatMul (a)",
        f"{VERIFY} Node(s) placed on [WebNNExecutionProvider]. Number of nodes: 1",
        f"{VERIFY}  WebNN_1 (WebNNExecutionProvider_WebNN_1_0)",
    ]
    placed = read(log, "WebNN")
    assert (placed.total, placed.on_target, placed.elsewhere) == (119, 16, ("MatMul on CPU ×1",))


def test_a_log_that_does_not_say_is_no_evidence():
    with pytest.raises(CellFailure, match="did not say"):
        read(["something else"], "CPU")
