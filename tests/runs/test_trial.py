"""What a trial promises to checks: shared forward passes, and nothing that one check can spoil for another."""

import numpy as np
import pytest

from modelmuster.contracts import Capability, Output
from modelmuster.errors import ModuleUnavailable, ReferenceUnstable
from modelmuster.records import Stage
from modelmuster.runs.trial import CellTrial, content_key


class Subject:
    def __init__(self, reference_error=None):
        self.inputs = {"x": np.arange(4.0), "sizes": [np.array([2, 2])], "flag": True}
        self.reference_error = reference_error
        self.references = 0
        self.roundings = 0

    def reference(self, inputs):
        self.references += 1
        if self.reference_error:
            raise self.reference_error
        inputs["x"][0] = 99
        return {"y": Output(array=np.ones(1), dtype="float64")}

    def rounding(self, inputs, dtype):
        self.roundings += 1
        return {"y": 1e-7}


class Session:
    """Adds one, spoils its inputs, and writes every output into the same buffer."""

    def __init__(self, *capabilities):
        self.capabilities = frozenset(capabilities)
        self.buffer = np.zeros(4)
        self.module = "the live module"
        self.count = 0

    def run(self, inputs):
        self.count += 1
        np.add(inputs["x"], 1, out=self.buffer)
        inputs["x"][:] = -1
        inputs["sizes"][0][:] = -1
        return {"y": Output(array=self.buffer, dtype="float64")}


@pytest.fixture
def entered():
    return []


@pytest.fixture
def trial(entered):
    return CellTrial(Subject(), Session(), target="toy:cpu", dtype="float32", entering=entered.append)


def test_the_same_inputs_are_run_once(trial):
    first = trial.baseline()
    assert trial.run(trial.inputs) is first
    assert trial.baseline() is first
    assert trial.runs == 1


def test_other_inputs_do_not_change_what_was_returned_before(trial):
    first = trial.baseline()
    other = {**trial.inputs, "x": np.full(4, 7.0)}
    assert trial.run(other)["y"].array.tolist() == [8, 8, 8, 8]
    assert first["y"].array.tolist() == [1, 2, 3, 4]
    assert trial.runs == 2


def test_a_runtime_that_spoils_its_inputs_spoils_only_a_copy(trial):
    mine = trial.inputs
    trial.run(mine)
    assert mine["x"].tolist() == [0, 1, 2, 3]
    assert mine["sizes"][0].tolist() == [2, 2]
    assert trial.inputs["x"].tolist() == [0, 1, 2, 3]


def test_inputs_are_a_copy_to_change(trial):
    trial.inputs["x"][:] = 5
    trial.inputs["sizes"][0][:] = 5
    assert trial.baseline()["y"].array.tolist() == [1, 2, 3, 4]


def test_outputs_are_read_only(trial):
    with pytest.raises(ValueError, match="read-only"):
        trial.baseline()["y"].array[0] = 0


def test_the_reference_and_the_rounding_are_computed_once_from_unspoilt_inputs(trial):
    assert trial.reference() is trial.reference()
    assert trial.rounding() is trial.rounding()
    assert (trial._subject.references, trial._subject.roundings) == (1, 1)
    assert trial.inputs["x"][0] == 0


def test_an_unstable_reference_is_said_to_each_check_but_computed_once():
    subject = Subject(ReferenceUnstable("differs"))
    trial = CellTrial(subject, Session(), target="toy:cpu", dtype="float32", entering=lambda _: None)
    for _ in range(2):
        with pytest.raises(ReferenceUnstable):
            trial.reference()
    assert subject.references == 1


def test_stages_are_entered_before_they_begin_and_left_for_comparing(trial, entered):
    trial.baseline()
    trial.baseline()
    trial.reference()
    assert entered == [Stage.RUN, Stage.COMPARE, Stage.REFERENCE, Stage.COMPARE]


def test_the_live_module_is_lent_only_by_sessions_that_offer_it(trial):
    with pytest.raises(ModuleUnavailable):
        _ = trial.module
    open_session = Session(Capability.MODULE)
    lent = CellTrial(Subject(), open_session, target="torch:cpu", dtype="float32", entering=lambda _: None)
    assert lent.module == "the live module"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"x": np.zeros(4)}, {"x": np.zeros((2, 2))}),
        ({"x": np.zeros(4, np.float32)}, {"x": np.zeros(4, np.int32)}),
        ({"x": np.zeros(4)}, {"y": np.zeros(4)}),
        ({"x": 1}, {"x": True}),
        ({"x": 1}, {"x": 1.0}),
        ({"x": None}, {"x": "None"}),
        ({"x": ["a", "b"]}, {"x": ["ab"]}),
        ({"x": [1], "y": [2, 3]}, {"x": [1, 2], "y": [3]}),
        ({"a": "b", "c": "d"}, {"a": "bc", "d": ""}),
        ({"x": np.zeros(2)}, {"x": [0.0, 0.0]}),
        ({"x": {"a": 1}}, {"x": {"b": 1}}),
        ({"x": {"a": np.zeros(2)}}, {"x": {"a": np.ones(2)}}),
    ],
)
def test_inputs_that_differ_have_different_keys(one, other):
    assert content_key(one) != content_key(other)


def test_equal_inputs_have_equal_keys_whatever_their_order_and_layout():
    array = np.arange(6).reshape(2, 3)
    assert content_key({"a": 1, "b": array}) == content_key({"b": np.asfortranarray(array), "a": 1})


def test_inputs_of_an_unknown_kind_are_refused():
    with pytest.raises(TypeError, match="set"):
        content_key({"x": {1, 2}})
