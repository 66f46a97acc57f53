"""One line of Unicode from the LaTeX of a card, with parentheses where a reader needs them."""

from __future__ import annotations

import pytest

import graphc as gx
from graphc.ops import CARDS
from graphc.ops.template import Text
from graphc.render.formula import formula, shape_label
from graphc.render.notation import ADD, greek, number, written
from graphc.render.titles import pretty, printable

x, y = gx.input("x", ("n",)), gx.input("y", ("n",))
s = gx.input("s", ())
sum_ = Text("a + b", ADD)


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("{x} + {y}", "a + b + a + b"),
        ("{x} - {y}", "a + b − (a + b)"),
        (r"{x} \odot {y}", "(a + b) ⊙ (a + b)"),
        (r"\frac{{{x}}}{{{y}}}", "(a + b) / (a + b)"),
        ("-{x}", "−(a + b)"),
        ("{x}^2", "(a + b)²"),
        (r"{x}^\top", "(a + b)ᵀ"),
        ("e^{{{x}}}", "exp(a + b)"),
        ("e^{{{x}}} - 1", "exp(a + b) − 1"),
        (r"\log {x}", "log(a + b)"),
        (r"\sqrt{{{x}}}", "√(a + b)"),
        (r"\textstyle\sum {x}", "Σ (a + b)"),
        (r"[{x} > {y}]", "[a + b > a + b]"),
        (r"\log\operatorname{{softmax}}({x})", "log softmax(a + b)"),
        (r"\operatorname{{leaky\_relu}}({x})", "leaky_relu(a + b)"),
        (r"\left|{x}\right|", "|a + b|"),
        (r"\sigma({x})", "σ(a + b)"),
        ("{x} {y}", "(a + b) (a + b)"),
    ],
)
def test_notation(latex: str, expected: str) -> None:
    assert written(latex, {"x": sum_, "y": sum_}) == expected


def test_every_card_can_be_written() -> None:
    for op in CARDS.values():
        if op.latex and op.operands:
            fills = {name.removeprefix("*"): sum_ for name in op.operands}
            text = written(op.latex, {**fills, "indices": Text("i"), "index": Text("0:2")})
            assert text
            assert "\\" not in text
            assert text.count("(") == text.count(")")


def test_a_choice_with_zero_is_a_mask() -> None:
    node = gx.where(gx.greater(x, 0), y, 0)
    assert formula(node, [Text("[x > 0]"), Text("y"), Text("0")]) == "y ⊙ [x > 0]"
    assert formula(node, [Text("[x > 0]"), Text("1"), Text("0")]) == "[x > 0]"
    assert formula(node, [Text("[x > 0]"), Text("y"), Text("z")]) == "{y if [x > 0], else z}"


def test_a_scalar_stands_in_front_without_the_sign_of_elementwise() -> None:
    assert formula(x * s, [Text("x"), Text("s")]) == "s · x"
    assert formula(x * 2.0, [Text("x"), Text("2")]) == "2 x"
    assert formula(x * y, [Text("x"), Text("y")]) == "x ⊙ y"
    assert formula(2.0 * s, [Text("2"), Text("3")]) == "2 · 3"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2.0", "2"), ("0.5", "0.5"), ("1e-08", "10⁻⁸"), ("2.5e+20", "2.5·10²⁰"), ("-3.0", "−3")],
)
def test_numbers(text: str, expected: str) -> None:
    assert number(text) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("W1", "W₁"),
        ("hidden_2", "hidden₂"),
        ("theta", "θ"),
        ("Sigma", "Σ"),
        ("lambda", "λ"),
        ("x", "x"),
        ("x_hat", "x\u0302"),
    ],
)
def test_names(name: str, expected: str) -> None:
    assert pretty(name) == expected


def test_no_control_character_and_no_endless_name_reaches_a_picture() -> None:
    assert printable("a\x00b\u202ec") == "a\ufffdb\ufffdc"
    assert len(printable("x" * 500)) == 28
    assert printable("  ") == "(blank)"
    assert greek("") is None


def test_shapes() -> None:
    assert shape_label((gx.input("z", ("batch", 64))).shape) == "batch×64"
    assert shape_label(()) == "scalar"
