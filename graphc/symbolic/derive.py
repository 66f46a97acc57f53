"""Partial derivatives of pointwise cards, derived by SymPy from their formulas, as formulas again.

A derivative is written in terms of the output (``out``) where that is shorter: the forward pass has it already, so
tanh' is ``1 - out**2`` and sigmoid' is ``out*(1 - out)``. ``sympy.simplify`` is never called: it turns 1 - tanh² into
cosh⁻², which overflows.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sympy
from sympy.printing.str import StrPrinter

from graphc.errors import MissingRule
from graphc.ir.formula import parse_formula
from graphc.ir.op import Op
from graphc.symbolic.atoms import SympyAlgebra

OUT = "out"


class _FormulaPrinter(StrPrinter):
    """SymPy expressions as text that the formula parser reads."""

    def _print_absolute(self, expr: Any) -> str:
        return f"abs({self._print(expr.args[0])})"

    def _print_Float(self, expr: Any) -> str:
        return repr(float(expr))

    def _print_Infinity(self, expr: Any) -> str:
        return "inf"


def formula_text(expr: Any) -> str:
    """The text of a SymPy expression, in the language of formulas."""
    return str(_FormulaPrinter().doprint(expr))


def formula_expression(text: str, names: tuple[str, ...]) -> Any:
    """A formula as a SymPy expression over real symbols of these names."""
    return parse_formula(text, SympyAlgebra({n: sympy.Symbol(n, real=True) for n in names}))


@lru_cache(maxsize=1024)
def partials(op: Op) -> tuple[str, ...]:
    """The partial derivative of a pointwise card in each operand, as formulas in operands, attributes and ``out``.

    Raises:
        MissingRule: SymPy finds no closed form.

    Example:
        >>> from graphc.ops import CARDS
        >>> partials(CARDS["tanh"]), partials(CARDS["divide"])
        (('1 - out**2',), ('1/y', '-out/y'))
    """
    declared = op.partials or (None,) * len(op.operands)
    return tuple(text or derived_partial(op, i) for i, text in enumerate(declared))


def derived_partial(op: Op, operand: int) -> str:
    """What SymPy derives, whatever the card declares by hand."""
    names = (*op.operands, *op.attrs)
    value = formula_expression(str(op.formula), names)
    derivative = value.diff(sympy.Symbol(op.operands[operand], real=True))
    if derivative.has(sympy.Derivative, sympy.Subs):
        raise MissingRule(f"SymPy has no closed form for the derivative of {op.name}", given=str(op.formula))
    return formula_text(_shorter(derivative, _by_output(value, derivative, names)))


def _shorter(raw: Any, by_output: Any) -> Any:
    if by_output is None:
        return raw
    return by_output if sympy.count_ops(by_output) <= sympy.count_ops(raw) else raw


def _by_output(value: Any, derivative: Any, names: tuple[str, ...]) -> Any:
    """The shortest form of the derivative over the output, or None where there is none."""
    out = sympy.Symbol(OUT, real=True)
    if value.is_Atom:
        return None
    forms = [form for form in (derivative.subs(value, out),) if form != derivative]
    exponentials = sorted(value.atoms(sympy.exp), key=str)
    if len(exponentials) == 1 and len(value.free_symbols) == 1:
        forms.append(_through_exponential(value, derivative, exponentials[0], out))
    return min((f for f in forms if f is not None), key=sympy.count_ops, default=None)


def _through_exponential(value: Any, derivative: Any, exponential: Any, out: Any) -> Any:
    """Solve ``value = out`` for its exponential and substitute: 1/(1 + E) = out gives E = 1/out - 1."""
    unknown = sympy.Symbol("unknown")
    equation, rational = value.subs(exponential, unknown), derivative.subs(exponential, unknown)
    if equation.free_symbols != {unknown} or rational.free_symbols != {unknown}:
        return None
    if not (equation.is_rational_function(unknown) and rational.is_rational_function(unknown)):
        return None
    solutions = sympy.solve(equation - out, unknown)
    if len(solutions) != 1:
        return None
    return _factored(sympy.cancel(rational.subs(unknown, solutions[0])), out)


def _factored(expr: Any, out: Any) -> Any:
    """out - out**2 as out*(1 - out), which is 0 at both ends without cancellation."""
    factored = sympy.factor(expr)
    constant, factors = factored.as_coeff_mul()
    if constant == -1:  # SymPy prefers -out*(out - 1)
        sums = [f for f in factors if f.is_Add]
        if sums:
            return sympy.Mul(*[f for f in factors if f is not sums[0]], -sums[0])
    return factored
