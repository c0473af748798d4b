"""Seeded faults: many, in the code of whoever uses the edited function; one that no longer fits is an error."""

import pytest
import torch
from benchmarks.power import editing, fault, run, table
from benchmarks.power.fault import Edit, Fault
from transformers.models.bert import modeling_bert
from transformers.models.llama import modeling_llama

from modelmuster.records import Family

MODULE = modeling_llama.__name__


@pytest.fixture
def untouched():
    """Put the code of these functions back after the test."""
    functions = [modeling_llama.rotate_half, modeling_bert.BertPooler.__init__, modeling_llama.repeat_kv]
    before = [(function.__code__, function.__defaults__) for function in functions]
    yield
    for function, (code, defaults) in zip(functions, before, strict=True):
        function.__code__, function.__defaults__ = code, defaults


def test_there_are_enough_faults_of_every_family_each_with_a_name_of_its_own():
    faults = fault.load()
    assert len(faults) >= 60
    assert len({made.architecture for made in faults}) >= 25
    assert {made.seen_by for made in faults} == {"property", "golden"}


@pytest.mark.usefixtures("untouched")
def test_an_edit_reaches_those_who_imported_the_function_before():
    imported = modeling_llama.rotate_half
    states = torch.arange(4.0)
    before = imported(states)
    editing.apply(Edit(at="rotate_half", old="-x2", new="x2"), MODULE)
    assert imported is modeling_llama.rotate_half
    assert torch.equal(imported(states).abs(), before.abs())
    assert not torch.equal(imported(states), before)


@pytest.mark.usefixtures("untouched")
def test_a_method_that_calls_super_can_be_edited():
    edit = Edit(at="BertPooler.__init__", old="nn.Tanh()", new="nn.Identity()")
    editing.apply(edit, modeling_bert.__name__)
    config = modeling_bert.BertConfig(hidden_size=8, num_attention_heads=2)
    assert isinstance(modeling_bert.BertPooler(config).activation, torch.nn.Identity)


def test_a_text_that_the_library_no_longer_has_is_an_error():
    with pytest.raises(ValueError, match="holds 'no such text' 0 times, not 1"):
        editing.apply(Edit(at="rotate_half", old="no such text", new=""), MODULE)


def test_the_table_keeps_both_kinds_apart_and_names_what_was_missed():
    def verdict(name, seen_by, *caught):
        made = Fault(name=name, kind="mask", architecture="bert", edits=(), seen_by=seen_by)
        return run.Verdict(made, Family.ENCODER_ONLY, ("forward",), caught, "", 1.0)

    measured = run.Measured(
        (verdict("seen", "property", "padding"), verdict("missed", "property"), verdict("drift", "golden", "golden")),
        (),
        healthy=1,
    )
    text = "\n".join(table.lines(measured))
    assert "that a property can see: 1 of 2 caught (50.0%)" in text
    assert "that only remembered outputs can tell: 1 of 1 caught (100.0%)" in text
    assert "    missed " in text
    assert table.exit_code(measured) == 0
