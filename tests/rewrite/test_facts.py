"""Facts: ranges hold the values that NumPy gives, claims are checked in a debug run, and rules need them."""

import numpy as np
import pytest

import graphc as gx
from graphc.errors import ArgumentError, DTypeError, FactError
from graphc.ops import CARDS
from graphc.rewrite.facts import facts_of
from graphc.rewrite.intervals import Interval, formula_range

POINTWISE = [n for n, card in CARDS.items() if card.kind == "pointwise"]
RANGES = ((-3.0, 2.0), (0.25, 0.75), (0.0, 1.0), (-1e-3, 1e-3), (-900.0, 900.0), (5.0, 60.0), (-60.0, -5.0))


def sampled(random, low, high, count=400):
    inner = random.uniform(low, high, count)
    return np.concatenate([[low, high, 0.0 if low <= 0 <= high else low], inner])


def violations(name, dtype, ranges):
    """Values of a card that are outside of the range inferred for it."""
    card = CARDS[name]
    random = np.random.default_rng(len(name))
    leaves, arrays = [], {}
    for i, (low, high) in enumerate(ranges):
        arrays[f"x{i}"] = np.clip(sampled(random, low, high), low, high).astype(dtype)
        least, most = float(arrays[f"x{i}"].min()), float(arrays[f"x{i}"].max())
        leaves.append(gx.assume(gx.input(f"x{i}", ("n",), dtype), low=least, high=most))
    node = card(*leaves)
    found = facts_of(node).range
    with np.errstate(all="ignore"):
        values = np.asarray(gx.compile(node, level="exact")(**arrays), float)
    nan = np.isnan(values)
    outside = (values < found.low) | (values > found.high)
    return (nan & (not found.nan)) | outside, found


@pytest.mark.parametrize("name", POINTWISE)
@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.full)])
def test_every_value_of_a_card_is_in_its_range(name, dtype):
    card = CARDS[name]
    if not all(kind.startswith("x") or kind in ("y", "t", "slope") for kind in card.operands):
        pytest.skip("its operands are not all floats")
    try:
        card(*(gx.input(n, ("n",), dtype) for n in card.operands))
    except DTypeError:
        pytest.skip("its operands are not floats")
    for first in RANGES:
        for second in RANGES[:4]:
            bad, found = violations(name, dtype, (first, second)[: len(card.operands)])
            assert not bad.any(), (name, first, second, found)


def test_a_wrong_range_is_caught(monkeypatch):
    from graphc.rewrite import intervals

    wrong = {**intervals.FUNCTIONS, "tanh": lambda x: Interval(-0.5, 0.5, False)}
    monkeypatch.setattr("graphc.rewrite.facts.FUNCTIONS", wrong)
    bad, _ = violations("tanh", "float64", ((-3.0, 2.5),))
    assert bad.any()


def test_what_is_carried_along_a_graph():
    x = gx.assume(gx.input("x", ("n", 4)), low=-2, high=3)
    assert facts_of(gx.reshape(x.T, (-1,))).range == facts_of(x).range
    assert facts_of(gx.concat([x, x + 10])).range.high == pytest.approx(13)
    assert facts_of(gx.max(x, axis=1)).range.low == -2
    assert facts_of(gx.sum(x, axis=1)).range.high == pytest.approx(12, rel=1e-4)
    assert facts_of(gx.sum(gx.exp(x))).range.low == 0
    assert facts_of(gx.sum(gx.input("none", (0, 4)), axis=0)).range == Interval(0.0, 0.0, False)
    assert facts_of(gx.softmax(x)).labels == {"row_stochastic"}
    assert facts_of(gx.softmax(gx.input("z", ("n", 4)))).range.nan
    labels = gx.one_hot(gx.input("t", ("n",), dtype="int64"), 4)
    assert "one_hot" in facts_of(labels).labels
    assert facts_of(labels).finite
    assert not facts_of(gx.input("z", (3,))).finite
    assert facts_of(gx.const([1.0, 2.0])).nonzero


def test_float32_underflows_and_overflows():
    tiny = {"x": Interval(1e-30, 1e-20, False)}
    assert formula_range("x * x", tiny, "float32").low == 0
    assert formula_range("1 / x", {"x": Interval(1e-40, 1.0, False)}, "float32").high == np.inf
    assert formula_range("x - x", {"x": Interval(0.0, np.inf, False)}, "float64").nan


RANGES_BEYOND = {
    "a bound is a number of the dtype": (lambda x: x, "float32", (0.0, 0.1), np.float32(0.1)),
    "a formula overflows and its code does not": (
        lambda x: gx.logaddexp(x, x),
        "float64",
        (1e30, 1e30),
        1e30,
    ),
    "a formula loses what its code keeps": (gx.log_cosh, "float64", (0.0, 1e-30), 1e-30),
    "a negative zero has an inverse below 0": (lambda x: gx.power(x, -1.0), "float64", (0.0, 1.0), -0.0),
}


@pytest.mark.parametrize("name", RANGES_BEYOND)
def test_a_range_holds_the_value_where(name):
    build, dtype, (low, high), value = RANGES_BEYOND[name]
    x = gx.input("x", (), dtype)
    node = build(gx.assume(x, low=low, high=high))
    found = facts_of(node).range
    with np.errstate(all="ignore"):
        assert found.low <= gx.compile(node, level="exact")(value) <= found.high


def test_finite_terms_may_add_up_to_nan():
    x = gx.assume(gx.input("x", (16,)), finite=True)
    lanes = np.zeros(16, "float32")
    lanes[[0, 8]], lanes[[1, 9]] = 3e38, -3e38
    with np.errstate(all="ignore"):
        assert np.isnan(gx.compile(gx.sum(x))(lanes))
    assert facts_of(gx.sum(x)).range.nan


def test_bounds_of_functions_stay_exact():
    x = gx.assume(gx.input("x", ("n",)), low=-1e30, high=1e30)
    assert facts_of(gx.tanh(x)).range == Interval(-1.0, 1.0, False)
    assert facts_of(gx.sigmoid(x)).range == Interval(0.0, 1.0, False)
    assert facts_of(gx.log(gx.sigmoid(x))).range.high == 0
    assert facts_of(gx.exp(gx.assume(x, high=0))).range.high == 1
    assert facts_of(1 + gx.square(x)).range.low == 1


# -- claims ---------------------------------------------------------------------------------------------------------


def test_a_claim_costs_nothing_and_passes_gradients_on():
    x = gx.input("x", ("n",))
    y = gx.assume(x, positive=True) * 2
    program = gx.compile([y, gx.grad(gx.sum(y * y), x)])
    assert "assume" not in program.source
    np.testing.assert_array_equal(program([1.0, 2.0])[1], [8.0, 16.0])
    text = str(gx.graph_of(y))
    assert str(gx.parse(text)) == text


CLAIMS = {
    "positive": ({"positive": True}, [1.0, 2.0], [1.0, 0.0]),
    "nonnegative": ({"nonnegative": True}, [0.0, 2.0], [1.0, -1.0]),
    "range": ({"low": 0, "high": 1}, [0.0, 1.0], [0.0, 1.5]),
    "nan": ({"low": 0, "high": 1}, [0.0, 1.0], [0.0, np.nan]),
    "nonzero": ({"nonzero": True}, [-1.0, 2.0], [0.0, 1.0]),
    "finite": ({"finite": True}, [-1.0, 2.0], [np.inf, 1.0]),
    "integer": ({"integer": True}, [-1.0, 2.0], [0.5, 1.0]),
    "one_hot": ({"one_hot": True}, [0.0, 1.0], [1.0, 1.0]),
    "row_stochastic": ({"row_stochastic": True}, [0.25, 0.75], [0.5, 0.75]),
    "symmetric": ({"symmetric": True}, [[1.0, 2.0], [2.0, 3.0]], [[1.0, 2.0], [0.0, 3.0]]),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_debug_run_checks_what_is_claimed(name):
    facts, good, bad = CLAIMS[name]
    x = gx.input("x", np.shape(good))
    y = gx.assume(x, **facts) + 1
    checked = gx.compile(y, debug=True)
    np.testing.assert_array_equal(checked(good), np.float32(good) + 1)
    with pytest.raises(FactError, match=r"x does not have the fact") as error:
        checked(bad)
    assert "gx.assume(x, **facts)" in str(error.value)
    gx.compile(y)(bad)  # and only a debug run does


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({}, ArgumentError),
        ({"odd": True}, ArgumentError),
        ({"low": 2, "high": 1}, ArgumentError),
        ({"low": float("nan")}, ArgumentError),
        ({"low": True}, ArgumentError),
    ],
)
def test_claims_that_say_nothing_or_nonsense_are_refused(facts, kind):
    with pytest.raises(kind):
        gx.assume(gx.input("x", (3,)), **facts)


def test_a_bool_has_no_facts():
    with pytest.raises(DTypeError):
        gx.assume(gx.input("x", (3,), "bool"), low=0)


# -- what they are for ----------------------------------------------------------------------------------------------


def test_stabilisation_that_a_range_makes_needless_is_skipped_and_recorded():
    z = gx.assume(gx.input("z", ("n", 10)), low=-5, high=5)
    t = gx.input("t", ("n",), dtype="int64")
    loss = gx.nn.cross_entropy(z, t)
    program = gx.compile([loss, gx.grad(loss, z)])
    assert ".max(" not in program.source
    assert program.trace.fired()["plain-softmax"] == 1
    random = np.random.default_rng(0)
    data = {"z": random.uniform(-5, 5, (7, 10)), "t": random.integers(0, 10, 7)}
    plain = gx.input("z", ("n", 10))
    other = gx.nn.cross_entropy(plain, t)
    for got, want in zip(program(**data), gx.compile([other, gx.grad(other, plain)])(**data), strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-6, atol=1e-7)


def test_without_the_range_the_stable_form_stays():
    z = gx.input("z", ("n", 10))
    assert ".max(" in gx.compile(gx.softmax(z)).source
