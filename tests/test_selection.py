"""The selection language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmuster.errors import UnknownName, UsageError
from modelmuster.records import Architecture, Cell, Family, Trait
from modelmuster.selection import Selection, match_names, representatives, reproduce, shard


def entry(name, family=Family.ENCODER_ONLY, *, top=True, traits=()):
    return Architecture(
        model_type=name, config_class="C", module="m", family=family, top_level=top, traits=tuple(traits)
    )


CATALOG = [
    entry("bert"),
    entry("roberta"),
    entry("llama", Family.DECODER_ONLY),
    entry("mamba", Family.DECODER_ONLY, traits=[Trait.STATE_SPACE]),
    entry("clip", Family.VISION_TEXT),
    entry("clip_text_model", top=False),
]


def names(*terms, **options):
    return [found.model_type for found in Selection(**options).with_terms(terms).architectures(CATALOG)]


def test_without_terms_every_top_level_type_is_taken():
    assert names() == ["bert", "roberta", "llama", "mamba", "clip"]


def test_terms_with_one_key_widen_and_different_keys_narrow():
    assert names("family:decoder-only", "family:vision-text") == ["llama", "mamba", "clip"]
    assert names("family:decoder-only", "trait:state-space") == ["mamba"]


def test_exclusion_and_globs():
    assert names("*a*", "!ll*") == ["roberta", "mamba"]


def test_a_part_is_taken_by_its_name_or_when_asked_for():
    assert names("clip_text_model") == ["clip_text_model"]
    assert names("clip*") == ["clip"]
    assert names("clip*", parts=True) == ["clip", "clip_text_model"]


def test_unknown_names_suggest_near_ones():
    with pytest.raises(UnknownName) as caught:
        names("brt")
    assert "bert" in caught.value.near
    with pytest.raises(UnknownName):
        names("family:vison")


@pytest.mark.parametrize("term", ["size:9", "target:cpu"])
def test_a_term_that_cannot_be_read_is_refused(term):
    with pytest.raises(UsageError, match=term):
        names(term)


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "-1/3"])
def test_a_shard_out_of_range_is_refused(text):
    with pytest.raises(UsageError):
        shard(text)


@given(st.integers(1, 9))
def test_shards_are_a_partition(count):
    parts = [names(shard=(index, count)) for index in range(1, count + 1)]
    assert sorted(name for part in parts for name in part) == sorted(names())


def test_representatives_are_the_first_of_each_family_with_each_trait_and_without_any():
    moe = entry("mixtral", Family.DECODER_ONLY, traits=[Trait.MIXTURE_OF_EXPERTS])
    both = entry("jamba", Family.DECODER_ONLY, traits=[Trait.STATE_SPACE, Trait.MIXTURE_OF_EXPERTS])
    chosen = representatives([*CATALOG[:5], moe, both, entry("t5", Family.ENCODER_DECODER)])
    assert [found.model_type for found in chosen] == ["bert", "llama", "mamba", "clip", "mixtral", "t5"]


def test_match_names_keeps_the_order_of_what_is_known():
    assert match_names("check", ["b", "a*"], ["ab", "aa", "b"], see="x") == ["ab", "aa", "b"]
    with pytest.raises(UnknownName):
        match_names("check", ["q"], ["a"], see="x")


@given(st.text(min_size=1), st.text(min_size=1))
def test_cell_ids_are_unique_whatever_the_names_hold(first, second):
    a = Cell(model_type=first, model_class=second, family=Family.VISION, target="t")
    b = Cell(model_type=second, model_class=first, family=Family.VISION, target="t")
    assert (a.id == b.id) == (first == second)


def test_a_hostile_name_is_quoted_in_the_reproduce_command():
    cell = Cell(model_type="x; rm -rf /", model_class="C", family=Family.VISION, target="torch:cpu")
    assert "'x; rm -rf /'" in reproduce(cell)
