"""LaTeX: carried by built-in cards, written by SymPy for functions of one's own."""

from __future__ import annotations

import graphc as gx
from graphc.ops import CARDS
from graphc.symbolic.latex import card_latex, node_latex


def test_a_function_of_ones_own_gets_its_latex_from_its_formula():
    swish = gx.scalar_function("swish", "x / (1 + exp(-beta * x))", beta=1.0)
    latex = card_latex(swish)
    assert r"\beta" in latex
    assert "x" in latex


def test_a_choice_to_a_power_stands_in_brackets():
    x = gx.input("x", ())
    text = node_latex(gx.where(x > 0, x, 2 * x) ** 3.0, {x: "x"})
    assert text == r"\left(\begin{cases} x & x > 0 \\ 2 x & \text{otherwise} \end{cases}\right)^{3}"


def test_every_card_has_latex_without_a_hole_left():
    for op in CARDS.values():
        latex = card_latex(op)
        assert latex
        assert latex.count("{") == latex.count("}"), op.name
