"""The tolerance rule on arrays made by hand: what passes, what fails, and why it says so."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmuster.contracts import Output
from modelmuster.numerics.rule import TOLERANCES, Verdict, judge, saturated

EXACT = np.random.default_rng(0).standard_normal((4, 50))
OWN = 2e-7


def outputs(array, dtype="float32"):
    return {"logits": Output(np.asarray(array), dtype)}


def compare(got, *, exact=EXACT, own=OWN, dtype="float32"):
    return judge(outputs(exact, "float64"), {"logits": own}, outputs(got), dtype)


def noisy(relative):
    return EXACT + relative * np.random.default_rng(1).standard_normal(EXACT.shape)


def test_an_error_like_the_dtypes_own_is_tight():
    compared = compare(noisy(2e-7))
    assert (compared.verdict, compared.tier) == (Verdict.PASS, "tight")
    assert compared.outputs["logits"].ratio == pytest.approx(1, rel=0.2)


def test_an_error_of_five_times_the_own_passes_but_is_not_tight():
    assert compare(noisy(1e-6)).tier == "ok"


def test_the_floor_rules_small_own_errors_and_the_factor_large_ones():
    assert "32 ×" in compare(noisy(3e-6)).outputs["logits"].rule
    assert compare(noisy(3e-6)).verdict is Verdict.PASS
    assert compare(noisy(6e-5), own=1e-5).verdict is Verdict.PASS
    assert "8 ×" in compare(noisy(6e-5), own=1e-5).outputs["logits"].rule
    assert compare(noisy(2e-4), own=1e-5).verdict is not Verdict.PASS


@pytest.mark.parametrize(("error", "named"), [(2e-4, "float16"), (6e-3, "bfloat16")])
def test_reduced_precision_is_told_from_a_wrong_result(error, named):
    compared = compare(noisy(error))
    assert compared.verdict is Verdict.REDUCED_PRECISION
    assert named in compared.outputs["logits"].rule
    assert compare(noisy(0.1)).verdict is Verdict.FAIL


def test_what_float32_may_not_bfloat16_may():
    assert compare(noisy(6e-3), own=5e-3, dtype="bfloat16").verdict is Verdict.PASS
    assert compare(noisy(0.1), own=5e-3, dtype="bfloat16").verdict is Verdict.FAIL


def test_one_wrong_element_among_many_fails():
    exact = np.random.default_rng(0).standard_normal(1_000_000)
    got = exact.copy()
    got[7] += 1e-3
    compared = compare(got, exact=exact)
    assert compared.outputs["logits"].rmse < compared.outputs["logits"].bound
    assert compared.verdict is not Verdict.PASS
    assert "single element" in compared.outputs["logits"].rule


@pytest.mark.parametrize(
    ("exact", "got", "verdict"),
    [
        (1.0, np.nan, Verdict.FAIL),
        (np.nan, 1.0, Verdict.FAIL),
        (np.nan, np.nan, Verdict.PASS),
        (np.inf, np.inf, Verdict.PASS),
        (np.inf, -np.inf, Verdict.FAIL),
        (np.inf, np.nan, Verdict.FAIL),
        (np.finfo(np.float64).min, np.finfo(np.float32).min, Verdict.PASS),
        (np.finfo(np.float64).min, -np.inf, Verdict.PASS),
        (1.0, np.finfo(np.float32).min, Verdict.FAIL),
    ],
)
def test_values_that_are_not_finite_must_agree(exact, got, verdict):
    reference, observed = EXACT.copy(), EXACT.copy()
    reference[1, 2], observed[1, 2] = exact, got
    assert compare(observed, exact=reference).verdict is verdict


def test_all_nan_never_passes_for_numbers():
    assert compare(np.full_like(EXACT, np.nan)).verdict is Verdict.FAIL


def test_shapes_differ():
    compared = compare(EXACT[:, :49])
    assert compared.verdict is Verdict.SHAPE_DIFFERS
    assert "4×49 instead of 4×50" in compared.outputs["logits"].rule
    assert compare(EXACT[:, :49], own=math.nan).verdict is Verdict.UNJUDGED


def test_a_broadcastable_shape_is_another_shape():
    assert compare(EXACT[:1], exact=np.repeat(EXACT[:1], 4, 0)).verdict is Verdict.SHAPE_DIFFERS


def test_a_missing_output_fails_and_an_extra_one_is_ignored():
    assert judge(outputs(EXACT), {}, {}, "float32").verdict is Verdict.FAIL
    observed = {**outputs(EXACT), "past.0": Output(np.zeros(3), "float32")}
    assert judge(outputs(EXACT), {}, observed, "float32").verdict is Verdict.PASS


def test_no_outputs_at_all_is_no_pass():
    assert judge({}, {}, {}, "float32").verdict is Verdict.FAIL


def test_integers_are_equal_unless_rounding_alone_changes_them():
    labels = np.arange(100)
    wrong = labels.copy()
    wrong[:2] += 1
    assert compare(labels, exact=labels, own=0.0).verdict is Verdict.PASS
    assert compare(wrong, exact=labels, own=0.0).verdict is Verdict.FAIL
    assert compare(wrong, exact=labels, own=0.01).verdict is Verdict.PASS
    assert compare(labels[::-1].copy(), exact=labels, own=0.01).verdict is Verdict.FAIL


def test_booleans_are_not_numbers():
    assert compare(EXACT > 0).verdict is Verdict.FAIL


def test_overflow_of_the_dtype_itself_is_not_judged():
    assert compare(np.full_like(EXACT, np.inf), own=math.inf, dtype="float16").verdict is Verdict.UNJUDGED


@pytest.mark.parametrize(("exact", "said"), [(EXACT * 1e-7, "size"), (0.5 + EXACT * 1e-5, "constant"), (EXACT, "")])
def test_degenerate_outputs_are_flagged(exact, said):
    degenerate = compare(exact, exact=exact).outputs["logits"].degenerate
    assert said in degenerate
    assert bool(said) == bool(degenerate)


def test_all_zeros_do_not_pass_for_a_tiny_output():
    tiny = EXACT * 1e-9
    assert compare(np.zeros_like(tiny), exact=tiny, own=1e-16).verdict is Verdict.FAIL


def test_the_worst_output_is_named_with_its_figures():
    reference = {"a": Output(EXACT, "float64"), "b": Output(EXACT, "float64")}
    observed = {"a": Output(noisy(1e-7), "float32"), "b": Output(noisy(0.5), "float32")}
    figures = judge(reference, {"a": OWN, "b": OWN}, observed, "float32").figures()
    assert figures["worst_output"] == "b"
    assert figures["verdict"] == "fail"
    assert figures["relative_rmse"] == figures["b.relative_rmse"] == pytest.approx(0.5, rel=0.1)
    assert figures["one_minus_cosine"] == pytest.approx(1 - 1 / math.sqrt(1.25), rel=0.1)
    assert figures["a.ratio"] < 1


def test_the_cosine_keeps_its_digits():
    assert compare(noisy(1e-9)).outputs["logits"].one_minus_cosine == pytest.approx(5e-19, rel=0.3)


@given(st.sampled_from(sorted(TOLERANCES)), st.floats(1e-30, 1e4))
def test_the_verdict_does_not_depend_on_the_scale(dtype, scale):
    for error in (1e-7, 1e-4, 1e-1):
        plain = judge(outputs(EXACT), {"logits": OWN}, outputs(noisy(error)), dtype)
        scaled = judge(outputs(EXACT * scale), {"logits": OWN * scale}, outputs(noisy(error) * scale), dtype)
        assert plain.verdict is scaled.verdict


@pytest.mark.parametrize("dtype", sorted(TOLERANCES))
def test_saturated_leaves_ordinary_numbers_alone(dtype):
    assert saturated(EXACT, dtype) is EXACT
    assert np.isneginf(saturated(np.array([-1e300, 1.0]), dtype)).tolist() == [True, False]
