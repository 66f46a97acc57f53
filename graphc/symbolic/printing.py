"""SymPy's LaTeX printer with the notation of graphc's own functions: choices, comparisons, bounds."""

from __future__ import annotations

import re
from typing import Any

from sympy.printing.latex import LatexPrinter

_SIGNS = {
    "less": "<",
    "less_equal": r"\leq",
    "greater": ">",
    "greater_equal": r"\geq",
    "equal": "=",
    "not_equal": r"\neq",
}
_BOUNDS = {"less_equal": "min", "greater_equal": "max"}


class _Printer(LatexPrinter):
    """One method per function that SymPy does not know."""

    def _print_where(self, expr: Any, exp: Any = None) -> str:
        if exp is not None:  # SymPy hands the power of a function to the function
            return rf"\left({self._print_where(expr)}\right)^{{{exp}}}"
        condition, x, y = expr.args
        if condition.func.__name__ in _BOUNDS and condition.args == (x, y):
            return rf"\{_BOUNDS[condition.func.__name__]}\left({self._print(x)}, {self._print(y)}\right)"
        rows = []
        while type(expr).__name__ == "where":
            condition, x, y = expr.args
            rows.append(f"{self._print(x)} & {self._print(condition)}")
            expr = y
        rows.append(rf"{self._print(expr)} & \text{{otherwise}}")
        lines = r" \\ ".join(rows)
        return rf"\begin{{cases}} {lines} \end{{cases}}"

    def _print_Function(self, expr: Any, exp: Any = None) -> str:
        name, args = type(expr).__name__, expr.args
        if name in _SIGNS:
            return f"{self._print(args[0])} {_SIGNS[name]} {self._print(args[1])}"
        if name == "floor":
            text = rf"\left\lfloor{{{self._print(args[0])}}}\right\rfloor"
            return text if exp is None else f"{text}^{{{exp}}}"
        return str(super()._print_Function(expr, exp))

    def _print_Symbol(self, expr: Any, style: str = "plain") -> str:
        name = expr.name
        if re.fullmatch(r"[A-Za-z]", name):
            return str(name)
        word, digits = re.fullmatch(r"(.*?)(\d*)", name).groups()  # type: ignore[union-attr]
        word = word.replace("_", r"\_")
        text = rf"\mathrm{{{word}}}"
        return f"{text}_{{{digits}}}" if digits else text


def latex_text(expr: Any) -> str:
    r"""An expression in LaTeX.

    Example:
        >>> import sympy
        >>> latex_text(sympy.Symbol("start") / sympy.sqrt(1 + sympy.Symbol("t")))
        '\\frac{\\mathrm{start}}{\\sqrt{t + 1}}'
    """
    return str(_Printer().doprint(expr))
