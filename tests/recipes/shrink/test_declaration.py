"""Fields of config classes, whether a release writes them as dataclasses or as constructors."""

from transformers import BertConfig, PreTrainedConfig

from modelmuster.recipes.shrink import declaration


class Base(PreTrainedConfig):
    def __init__(self, width=8, parts=None, **kwargs):
        super().__init__(**kwargs)


class Derived(Base):
    def __init__(self, *args, layers=2, named, **kwargs):
        super().__init__(**kwargs)


def test_fields_have_the_defaults_that_the_class_declares():
    fields = declaration.declared(BertConfig)
    assert fields["hidden_size"] == 768
    assert fields["classifier_dropout"] is None


def test_a_plain_class_declares_the_parameters_of_its_constructor_and_of_those_that_it_passes_on_to():
    # `make older` runs this on a release whose configs are such classes.
    assert declaration._parameters(Derived) == {"width": 8, "parts": None, "layers": 2, "named": None}
