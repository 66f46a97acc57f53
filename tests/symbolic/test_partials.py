"""The shipped partial derivatives are what SymPy derives now, and the hand-written ones equal SymPy's."""

from __future__ import annotations

import math

import mpmath as mp
import pytest
import sympy

from graphc.errors import MissingRule
from graphc.ops import CARDS
from graphc.ops.card import pointwise
from graphc.symbolic.derive import derived_partial, formula_expression, partials
from graphc.symbolic.partials_table import PARTIALS
from graphc.symbolic.table import partial_formula, table_text
from tests.support import REPO

POINTWISE = {name: card for name, card in CARDS.items() if card.kind == "pointwise"}
HAND_WRITTEN = [(name, i) for name, c in POINTWISE.items() for i, text in enumerate(c.partials or ()) if text]


def test_the_table_is_what_sympy_derives_now():
    shipped = (REPO / "graphc/symbolic/partials_table.py").read_text(encoding="utf-8")
    assert shipped == table_text()


def test_the_table_holds_every_pointwise_card():
    assert list(PARTIALS) == list(POINTWISE)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tanh", ("1 - out**2",)),
        ("sigmoid", ("out*(1 - out)",)),
        ("exp", ("out",)),
        ("sqrt", ("1/(2*out)",)),
        ("divide", ("1/y", "-out/y")),
        ("multiply", ("y", "x")),
        ("log", ("1/x",)),
    ],
)
def test_derivatives_by_the_output(name, expected):
    assert partials(CARDS[name]) == expected


def test_a_card_of_the_same_name_is_derived_anew():
    other = pointwise("tanh", "3 * x", "3 * {x}")
    assert partial_formula(other, 0) == "3"


VALUES = {"less": lambda x, y: x < y, "less_equal": lambda x, y: x <= y}
VALUES |= {"equal": lambda x, y: x == y}
VALUES |= {"greater": lambda x, y: x > y, "greater_equal": lambda x, y: x >= y}
FUNCTIONS = {
    **VALUES,
    "where": lambda c, x, y: x if c else y,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "absolute": abs,
    "sign": mp.sign,
}


def numbers(text, names, point):
    """A formula at a point, with 30 digits."""
    function = sympy.lambdify(names, formula_expression(text, names), modules=[FUNCTIONS, "mpmath"])
    return function(*(point[n] for n in names))


@pytest.mark.parametrize(("name", "operand"), HAND_WRITTEN)
def test_hand_written_partials_equal_the_derived(name, operand):
    card = CARDS[name]
    names = (*card.operands, *card.attrs, "out")
    with mp.workdps(30):
        for step in range(1, 12):
            point = {
                n: mp.mpf(low) + (mp.mpf(high) - low) * ((step * (i + 3)) % 12) / 12
                for i, (n, (low, high)) in enumerate(zip(card.operands, card.domain, strict=True))
            } | dict(card.attrs)
            point["out"] = numbers(card.formula, names, point | {"out": 0})
            by_hand = numbers(card.partials[operand], names, point)
            derived = numbers(derived_partial(card, operand), names, point)
            assert abs(by_hand - derived) <= mp.mpf(10) ** -25 * max(1, abs(derived))


def test_no_hand_written_partial_goes_unproved():
    assert {name for name, _ in HAND_WRITTEN} == {n for n, c in POINTWISE.items() if c.partials}


def test_no_derivative_contains_what_overflows():
    # simplify would turn 1 - tanh(x)**2 into cosh(x)**-2
    others = {n: str(texts) for n, texts in PARTIALS.items() if n not in ("sinh", "cosh")}
    assert not [n for n, texts in others.items() if "cosh(" in texts or "sinh(" in texts]


def test_a_kink_gets_the_declared_slope_not_one_half():
    assert partials(pointwise("ramp", "maximum(x, 0)")) == ("where(greater_equal(x, 0), 1, 0)",)
    assert "1/2" not in str(partials(pointwise("half", "abs(x)")))


def test_a_swish_derivative_stays_finite_far_out():
    import numpy as np

    import graphc as gx

    x = gx.input("x", (), dtype="float64")
    for swish in (gx.silu(x), x * gx.sigmoid(x), x / (1 + gx.exp(-x))):
        with np.errstate(over="ignore"):
            slope = gx.compile(gx.grad(swish, x))(x=-1000.0)
        assert abs(slope) <= math.exp(-700)


def test_no_closed_form_is_said_and_never_zero():
    from graphc.symbolic import atoms

    unknown = sympy.Function("unknown")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(atoms.FUNCTIONS, "unknown", unknown)
        with pytest.raises(MissingRule, match="closed form"):
            derived_partial(pointwise("odd", "unknown(x)"), 0)
