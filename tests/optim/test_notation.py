"""How equations are written: parentheses exactly where they are needed, in Unicode and in LaTeX."""

from __future__ import annotations

import pytest

from graphc.optim.notation import latex_line, unicode_line

WRITTEN = {
    "a - (b - c)": ("a - (b - c)", "a - (b - c)"),
    "(a - b) - c": ("a - b - c", "a - b - c"),
    "a*(b + c)": ("a (b + c)", "a (b + c)"),
    "a/(b*c)": ("a / (b c)", r"\frac{a}{b c}"),
    "a/b/c": ("a / b / c", r"\frac{\frac{a}{b}}{c}"),
    "a/(b/c)": ("a / (b / c)", r"\frac{a}{\frac{b}{c}}"),
    "(a*b)**2": ("(a b)²", "(a b)^{2}"),
    "(a/b)**2": ("(a / b)²", r"\left(\frac{a}{b}\right)^{2}"),
    "(a**b)**c": ("(a^b)^c", "(a^{b})^{c}"),
    "a**(b + 1)": ("a^(b + 1)", "a^{b + 1}"),
    "-(a + b)": ("-(a + b)", "-(a + b)"),
    "-a*b": ("(-a) b", "(-a) b"),
    "a - -b": ("a - (-b)", "a - (-b)"),
    "2*3*a": ("2 · 3 a", r"2 \cdot 3 a"),
    "beta1**t": ("β₁ᵗ", r"\beta_{1}^{t}"),
    "lr*m_hat/(sqrt(v_hat) + eps)": ("λ m̂ / (√v̂ + ε)", r"\frac{\lambda \hat{m}}{\sqrt{\hat{v}} + \epsilon}"),
    "sqrt(a + b)*1e-8": ("√(a + b) · 10⁻⁸", r"\sqrt{a + b} \cdot 10^{-8}"),
    "where(a > 0, b, -c)": (
        "(b if a > 0 else -c)",
        r"\begin{cases} b & a > 0 \\ -c & \text{else} \end{cases}",
    ),
    "v_max + weight_sum": ("v_max + weight_sum", r"v_{\mathrm{max}} + \mathrm{weight\_sum}"),
    "norm(theta)*abs(g)": ("‖θ‖ |g|", r"\left\| \theta \right\| \left|g\right|"),
    "2*remainder(t, k)": ("2 (t mod k)", r"2 (t \bmod k)"),
    "remainder(t - 1, k) == 0": ("(t - 1) mod k = 0", r"(t - 1) \bmod k = 0"),
}


@pytest.mark.parametrize("formula", WRITTEN)
def test_a_formula_is_written_with_the_parentheses_it_needs(formula):
    line, latex = WRITTEN[formula]
    assert unicode_line("u", formula, ()) == f"u = {line}"
    assert latex_line("u", formula, ()) == f"u &= {latex}"


def test_what_is_carried_has_an_arrow():
    assert unicode_line("theta", "theta - lr*g", ("theta",)) == "θ ← θ - λ g"
    assert latex_line("mu_product", "mu_product*mu", ("mu_product",)) == (
        r"\mu_{\mathrm{product}} &\leftarrow \mu_{\mathrm{product}} \mu"
    )
