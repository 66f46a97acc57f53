"""LaTeX: carried by built-in cards, written by SymPy for functions of one's own."""

from __future__ import annotations

import graphc as gx
from graphc.ops import CARDS
from graphc.symbolic.latex import card_latex


def test_a_function_of_ones_own_gets_its_latex_from_its_formula():
    swish = gx.scalar_function("swish", "x / (1 + exp(-beta * x))", beta=1.0)
    latex = card_latex(swish)
    assert r"\beta" in latex
    assert "x" in latex


def test_every_card_has_latex_without_a_hole_left():
    for op in CARDS.values():
        latex = card_latex(op)
        assert latex
        assert latex.count("{") == latex.count("}"), op.name
