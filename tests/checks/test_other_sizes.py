"""Other sizes: asked of exported graphs only, passed by a run alone, and a pinned axis is found."""

import numpy as np
import pytest

import models
from modelmuster.checks.other_sizes import OtherSizes, larger
from modelmuster.contracts import Capability, Output
from modelmuster.errors import Unsupported
from modelmuster.records import Outcome
from modelmuster.targets.export import exported
from modelmuster.targets.export.artifact import Artifact
from modelmuster.targets.onnxruntime.targets import OnnxRuntimeCpuOpen


def ignore(_stage):
    pass


@pytest.fixture
def subject():
    return models.bert()


@pytest.fixture
def session(subject):
    target = OnnxRuntimeCpuOpen()
    target.cache_dir = models.EXPORTS
    return target.open(subject, "float32", ignore)


def test_a_graph_with_open_axes_runs_right_at_another_size(subject, session):
    finding = OtherSizes().run(models.trial(subject, session=session))
    assert finding.outcome is Outcome.PASS, finding.message
    assert finding.figures["outputs"] == 2


def test_wrong_numbers_at_another_size_are_found(subject, session):
    """As a graph gives them in which the length was pinned where no shape shows it."""
    right = session.run

    def wrong(inputs):
        outputs = right(inputs)
        if inputs["input_ids"].shape == subject.inputs["input_ids"].shape:
            return outputs
        return {name: Output(np.roll(output.array, 1, axis=-1), output.dtype) for name, output in outputs.items()}

    session.run = wrong
    finding = OtherSizes().run(models.trial(subject, session=session))
    assert finding.outcome is Outcome.FAIL


def test_an_axis_that_was_pinned_is_said_and_not_passed(subject):
    open_axes = exported(subject, "float32", ignore, models.EXPORTS, open_axes=True)
    static = exported(subject, "float32", ignore, models.EXPORTS)
    assert open_axes.is_open
    assert not static.is_open
    fed = larger(subject.inputs)
    assert open_axes.feed(subject, fed)
    with pytest.raises(Unsupported, match=r"of shape \(2, 12\), not \(3, 16\)"):
        Artifact(static.folder, static.manifest).feed(subject, fed)


def test_modules_are_not_asked_and_inputs_without_rows_neither(subject, session):
    assert "exported graphs" in OtherSizes().applies(models.trial(subject))
    assert OtherSizes().applies(models.trial(subject, session=session)) is None
    assert Capability.RESHAPE in session.capabilities
    assert larger({"scale": 1.0}) is None


def test_images_get_more_rows_only():
    assert larger(models.vit().inputs)["pixel_values"].shape == (3, 3, 32, 32)
