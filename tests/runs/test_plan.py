"""Which cells a plan holds."""

from datetime import UTC, datetime, timedelta

import pytest

from modelmuster.errors import UnknownName
from modelmuster.records import Architecture, Family, ModelClass
from modelmuster.runs.plan import NO_CLASS, make_plan, new_run_id, only_cells_with


def architecture(name, *classes, default=None):
    return Architecture(
        model_type=name,
        config_class=f"{name}Config",
        module=f"transformers.models.{name}",
        family=Family.ENCODER_ONLY,
        top_level=True,
        model_classes=tuple(ModelClass(name=entry) for entry in classes),
        default_class=default,
    )


BERT = architecture("bert", "BertModel", "BertForMaskedLM", default="BertForMaskedLM")
VIT = architecture("vit", "ViTModel", default="ViTModel")
BARE = architecture("bare")


def classes_of(plan):
    return [(cell.model_type, cell.model_class) for cell in plan.cells]


def test_every_target_and_dtype_gets_a_cell_for_the_default_class():
    plan = make_plan([BERT, VIT], targets=["a:x", "b:y"], checks=["c", "d"], dtypes=["float32", "float16"], seed=7)
    assert len(plan.cells) == 8
    assert len({cell.id for cell in plan.cells}) == 8
    assert {(cell.target, cell.dtype) for cell in plan.cells if cell.model_type == "bert"} == {
        ("a:x", "float32"),
        ("a:x", "float16"),
        ("b:y", "float32"),
        ("b:y", "float16"),
    }
    assert {cell.model_class for cell in plan.cells if cell.model_type == "bert"} == {"BertForMaskedLM"}
    assert all(cell.checks == ("c", "d") and cell.seed == 7 for cell in plan.cells)


def test_all_classes_are_planned_when_asked_for():
    plan = make_plan([BERT, VIT], targets=["a:x"], checks=[], classes="all")
    assert classes_of(plan) == [("bert", "BertModel"), ("bert", "BertForMaskedLM"), ("vit", "ViTModel")]


def test_an_architecture_without_the_class_asked_for_is_unplanned_with_the_reason():
    plan = make_plan([BERT, VIT], targets=["a:x"], checks=[], classes=("BertModel",))
    assert classes_of(plan) == [("bert", "BertModel")]
    assert plan.unplanned == {"vit": "has none of the classes BertModel"}


def test_a_class_that_nobody_has_is_an_error_with_the_nearest_names():
    with pytest.raises(UnknownName) as caught:
        make_plan([BERT, VIT], targets=["a:x"], checks=[], classes=("BertModell",))
    assert "BertModel" in caught.value.near


@pytest.mark.parametrize("classes", ["default", "all"])
def test_an_architecture_without_any_class_is_planned_all_the_same(classes):
    plan = make_plan([BARE], targets=["a:x", "b:y"], checks=["c"], classes=classes)
    assert classes_of(plan) == [("bare", NO_CLASS)] * 2


def test_naming_an_architecture_twice_plans_it_once():
    assert len(make_plan([BERT, BERT], targets=["a:x"], checks=[]).cells) == 1


def test_run_ids_sort_by_time_and_differ_within_one_millisecond():
    now = datetime(2026, 11, 23, 10, 15, 2, 417_000, UTC)
    ids = [new_run_id(now + timedelta(milliseconds=step)) for step in (0, 1, 583, 60_000)]
    assert ids == sorted(ids)
    assert len({new_run_id(now) for _ in range(50)}) > 40


def test_a_plan_can_be_reduced_to_chosen_cells():
    plan = make_plan([BERT, VIT], targets=["a:x"], checks=[])
    assert only_cells_with(plan, {plan.cells[1].id}).cells == plan.cells[1:]
