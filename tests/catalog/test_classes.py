"""The class that is run unless another is asked for."""

from modelmuster.catalog import classes
from modelmuster.catalog.attention import Direction
from modelmuster.catalog.facts import Fit


def chosen(facts, direction=Direction.BOTH_WAYS):
    return classes.default(facts, direction).value


def test_a_head_is_more_telling_than_the_bare_model(type_facts, class_facts):
    bare = class_facts("input_ids", name="Bare", tasks=("MODEL",))
    head = class_facts("input_ids", name="Head", tasks=("TOKEN_CLASSIFICATION",))
    assert chosen(type_facts(bare, head)) == "Head"


def test_the_direction_decides_between_language_models(type_facts, class_facts):
    causal = class_facts("input_ids", name="Causal", tasks=("CAUSAL_LM",))
    masked = class_facts("input_ids", name="Masked", tasks=("MASKED_LM",))
    whole = class_facts("input_ids", name="Whole", tasks=("SEQ_TO_SEQ_CAUSAL_LM",))
    facts = type_facts(causal, masked, whole)
    assert chosen(facts, Direction.CAUSAL) == "Causal"
    assert chosen(facts, Direction.BOTH_WAYS) == "Masked"
    assert chosen(facts, Direction.ENCODER_DECODER) == "Whole"


def test_the_class_that_takes_every_kind_of_data_wins(type_facts, class_facts):
    text = class_facts("input_ids", name="TextOnly", tasks=("CAUSAL_LM",))
    fused = class_facts("input_ids", "pixel_values", name="Fused", tasks=("IMAGE_TEXT_TO_TEXT",))
    assert chosen(type_facts(text, fused), Direction.CAUSAL) == "Fused"


def test_a_class_without_a_forward_is_never_chosen(type_facts, class_facts):
    silent = class_facts(name="Silent", tasks=("CAUSAL_LM",), runs=False)
    assert classes.default(type_facts(silent), Direction.CAUSAL) is None
    running = class_facts("input_ids", name="Running", tasks=("MODEL",))
    assert chosen(type_facts(silent, running)) == "Running"


def test_a_class_made_for_a_part_comes_last(type_facts, class_facts):
    part = class_facts("input_ids", name="OfAPart", tasks=("CAUSAL_LM",), fit=Fit.PART)
    own = class_facts("input_ids", name="Own", tasks=("MODEL",))
    assert chosen(type_facts(part, own), Direction.CAUSAL) == "Own"


def test_of_unlisted_classes_the_one_that_generates_wins_then_the_exported_one(type_facts, class_facts):
    hidden = class_facts("input_ids", name="Hidden", exported=False)
    exported = class_facts("input_ids", name="Exported")
    generating = class_facts("input_ids", name="Generating", exported=False, generates=True)
    assert chosen(type_facts(hidden, exported)) == "Exported"
    assert chosen(type_facts(hidden, exported, generating)) == "Generating"


def test_an_unlisted_class_is_added_if_it_takes_more(class_facts):
    listed = [class_facts("input_ids", tasks=("CAUSAL_LM",), generates=True)]
    more = class_facts("input_ids", "input_values", name="WithSound")
    same = class_facts("input_ids", name="Same")
    other = class_facts("pixel_values", name="Other")
    assert [found.name for found in classes.worth_adding(listed, [same, other, more])] == ["WithSound"]


def test_an_unlisted_class_is_added_if_it_alone_generates(class_facts):
    bare = class_facts("input_ids", tasks=("MODEL",))
    head = class_facts("input_ids", name="Head", generates=True)
    assert [found.name for found in classes.worth_adding([bare], [head])] == ["Head"]
    listed = class_facts("input_ids", tasks=("CAUSAL_LM",), generates=True)
    assert classes.worth_adding([bare, listed], [head]) == []
