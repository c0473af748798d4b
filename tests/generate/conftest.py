"""Blueprints: the shipped ones, whatever the code of recipes is by now, and one made by hand."""

import msgspec
import pytest

from modelmuster.generate import shipped as shipping
from modelmuster.generate.blueprint import Blueprint, Carrier
from modelmuster.records import Family, Modality
from modelmuster.settings import Home


@pytest.fixture(scope="session")
def shipped():
    """Every blueprint of the shipped snapshot, by model type."""
    read = shipping.read(next(shipping.FOLDER.glob("*.jsonl")))
    return {model_type: entry for (model_type, _), entry in read.entries.items()}


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


@pytest.fixture
def make_blueprint():
    """Make a small encoder's blueprint, with changes."""
    return _blueprint


def _blueprint(**changed):
    made = Blueprint(
        model_type="tiny",
        model_class="TinyModel",
        family=Family.ENCODER_ONLY,
        modalities=(Modality.TEXT,),
        config_source="TinyConfig",
        class_source="TinyModel",
        config={"hidden_size": 8},
        inputs={"input_ids": "torch.tensor([[1, 2]])"},
        outputs={"logits": (1, 2, 8)},
        floats=("logits",),
        rows=("logits",),
        reached=("logits",),
        batch=1,
        carriers=(Carrier(name="input_ids", modality=Modality.TEXT, change="flip(-1)"),),
        questions=("forward", "determinism", "influence"),
    )
    return msgspec.structs.replace(made, **changed)
