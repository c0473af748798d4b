"""The shipped catalogue, and a way to write facts by hand."""

import pytest

from modelmuster.catalog import snapshot
from modelmuster.catalog.facts import ClassFacts, TypeFacts


@pytest.fixture(scope="session")
def shipped():
    """The catalogue of transformers 5.23.0."""
    return snapshot.read(snapshot.shipped()["5.23.0"], "shipped snapshot")


@pytest.fixture
def type_facts():
    """Facts about a type with the given classes; the rest as in a small text model."""

    def make(*classes, name="toy", **facts):
        return TypeFacts(
            model_type=name, config_class="ToyConfig", module="transformers.models.toy", classes=classes, **facts
        )

    return make


@pytest.fixture
def class_facts():
    """Facts about a class whose forward takes the given parameters."""

    def make(*parameters, name="ToyModel", **facts):
        return ClassFacts(name=name, parameters=parameters, **facts)

    return make
