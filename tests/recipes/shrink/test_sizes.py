from hypothesis import given
from hypothesis import strategies as st

from modelmuster.recipes.shrink.sizes import HIDDEN, heads, width


@given(st.integers(0, 100_000))
def test_a_width_depends_on_its_value_alone_and_never_grows(value):
    assert width(value) == width(value) <= min(value, HIDDEN)


@given(st.integers(1, 100_000), st.integers(1, 100_000))
def test_the_order_of_widths_is_kept(one, other):
    assert (width(one) <= width(other)) or one > other


@given(st.integers(4, 1000))
def test_heads_divide_the_hidden_width(value):
    assert HIDDEN % heads(value) == 0


def test_a_single_head_stays_single():
    assert heads(1) == 1
