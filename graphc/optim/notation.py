"""How the lines of an optimizer are written for people: as Unicode in a listing, as LaTeX in a document.

Both are derived from the text of the equations by the formula parser; nothing is written twice.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from graphc.ir.formula import parse_formula
from graphc.ops.template import ATOM, Text
from graphc.render.notation import SUBSCRIPTS, SUPERSCRIPTS, greek
from graphc.render.notation import number as numeral

COMPARE, ADD, MULTIPLY, FRACTION, POWER = 4, 10, 20, 30, 40
DIGITS = 12
"""A numeral is written to so many."""

_SHORT = frozenset("0123456789-+tn")
_LETTERS = {"lr": "lambda", "eps": "epsilon"}
_COMPARISONS = {"<=": ("≤", r"\leq"), ">=": ("≥", r"\geq"), "==": ("=", "="), "!=": ("≠", r"\neq")}
_LATEX_CALLS = {
    "sqrt": r"\sqrt{{{0}}}",
    "abs": r"\left|{0}\right|",
    "norm": r"\left\| {0} \right\|",
    "unit_norm": r"\left\| {0} \right\|_{{\text{{unit}}}}",
    "maximum": r"\max({0}, {1})",
    "minimum": r"\min({0}, {1})",
    "where": r"\begin{{cases}} {1} & {0} \\ {2} & \text{{else}} \end{{cases}}",
    "exp": r"e^{{{0}}}",
    "sum": r"\sum\left({0}\right)",
}
_CALLS = {
    "abs": "|{0}|",
    "norm": "‖{0}‖",
    "unit_norm": "‖{0}‖_unit",
    "maximum": "max({0}, {1})",
    "minimum": "min({0}, {1})",
    "where": "({1} if {0} else {2})",
}


class Unicode:
    """The algebra of formulas on one line of text: ``√v̂ + ε``."""

    mod = "mod"

    def number(self, value: int | float) -> Text:
        """A numeral."""
        return numeral(f"{value:.{DIGITS}g}")

    def name(self, name: str) -> Text:
        """A variable: a Greek letter, an index, a hat."""
        if name == "inf":
            return Text("∞")
        base, _, rest = name.partition("_")
        letter = greek(_LETTERS.get(base.rstrip("0123456789"), base.rstrip("0123456789")))
        digits = base[len(base.rstrip("0123456789")) :]
        if rest == "hat":
            return Text(f"{letter or base}\u0302")
        if len(base) > 1 and letter is None:
            return Text(name)
        index = digits.translate(SUBSCRIPTS)
        return Text((letter or base.rstrip("0123456789")) + index + (f"_{rest}" if rest else ""))

    def within(self, text: Text, binds: int) -> str:
        """A part of a line, in parentheses where it needs them."""
        return text.at_least(binds)

    def operate(self, symbol: str, args: list[Any]) -> Text:
        """An operator."""
        if len(args) == 1:
            return Text(f"-{self.within(args[0], MULTIPLY)}", ADD)
        left, right = args
        if symbol in ("+", "-"):
            return Text(f"{self.within(left, ADD)} {symbol} {self.within(right, ADD + (symbol == '-'))}", ADD)
        if symbol == "*":
            sign = " · " if right[:1].isdigit() else " "
            return Text(f"{self.within(left, MULTIPLY)}{sign}{self.within(right, MULTIPLY + 1)}", MULTIPLY)
        if symbol in ("/", self.mod):
            return Text(
                f"{self.within(left, MULTIPLY)} {symbol} {self.within(right, MULTIPLY + 1)}", MULTIPLY
            )
        if symbol == "**":
            raised = right.translate(SUPERSCRIPTS).replace("t", "ᵗ")
            power = (
                raised if _SHORT.issuperset(right) and right.binds == ATOM else f"^{self.within(right, ATOM)}"
            )
            return Text(f"{self.within(left, ATOM)}{power}", POWER)
        return Text(f"{left} {_COMPARISONS.get(symbol, (symbol,))[0]} {right}", COMPARE)

    def call(self, name: str, args: list[Any]) -> Text:
        """A function."""
        if name == "remainder":
            return self.operate(self.mod, args)
        if name == "sqrt":
            return Text(f"√{args[0].atom}", ATOM)
        form = _CALLS.get(name, f"{name}({', '.join(f'{{{i}}}' for i in range(len(args)))})")
        return Text(form.format(*args))


class Latex(Unicode):
    r"""The algebra of formulas as LaTeX: ``\sqrt{\hat{v}} + \epsilon``."""

    mod = r"\bmod"

    def number(self, value: int | float) -> Text:
        """A numeral."""
        mantissa, _, exponent = f"{value:.{DIGITS}g}".partition("e")
        if not exponent:
            return Text(mantissa)
        power = f"10^{{{int(exponent)}}}"
        return Text(power, POWER) if mantissa == "1" else Text(rf"{mantissa} \cdot {power}", MULTIPLY)

    def name(self, name: str) -> Text:
        """A variable."""
        if name == "inf":
            return Text(r"\infty")
        base, _, rest = name.partition("_")
        stem = base.rstrip("0123456789")
        if rest and len(stem) > 1 and not greek(_LETTERS.get(stem, stem)):
            base, stem, rest = name.replace("_", r"\_"), name.replace("_", r"\_"), ""
        word = _LETTERS.get(stem, stem)
        symbol = rf"\{word}" if greek(word) else word if len(word) == 1 else rf"\mathrm{{{word}}}"
        if rest == "hat":
            return Text(rf"\hat{{{symbol}}}")
        index = ", ".join(part for part in (base[len(stem) :], rest.replace("_", r"\_")) if part)
        plain = index if len(index) < 2 or index.isdigit() else rf"\mathrm{{{index}}}"
        return Text(f"{symbol}_{{{plain}}}" if index else symbol)

    def within(self, text: Text, binds: int) -> str:
        """Parentheses as high as what is in them."""
        tall = any(word in text for word in (r"\frac", r"\begin"))
        return rf"\left({text}\right)" if tall and text.binds < binds else text.at_least(binds)

    def operate(self, symbol: str, args: list[Any]) -> Text:
        """An operator."""
        if symbol == "/":
            return Text(rf"\frac{{{args[0]}}}{{{args[1]}}}", FRACTION)
        if symbol == "**":
            return Text(f"{self.within(args[0], ATOM)}^{{{args[1]}}}", POWER)
        if symbol == "*" and args[1][:1].isdigit():
            return Text(
                rf"{self.within(args[0], MULTIPLY)} \cdot {self.within(args[1], MULTIPLY + 1)}", MULTIPLY
            )
        if symbol in _COMPARISONS:
            return Text(f"{args[0]} {_COMPARISONS[symbol][1]} {args[1]}", COMPARE)
        return super().operate(symbol, args)

    def call(self, name: str, args: list[Any]) -> Text:
        """A function."""
        if name == "remainder":
            return self.operate(self.mod, args)
        word = name.replace("_", r"\_")
        plain = rf"\operatorname{{{{{word}}}}}({', '.join(f'{{{i}}}' for i in range(len(args)))})"
        return Text(_LATEX_CALLS.get(name, plain).format(*args))


def unicode_line(target: str, formula: str, carried: Collection[str]) -> str:
    """A line of an update: what is carried becomes a value, what is not has it.

    Example:
        >>> unicode_line("v", "beta2*v + (1 - beta2)*g**2", ["v"])
        'v ← β₂ v + (1 - β₂) g²'
    """
    sign = "←" if target in carried else "="
    return f"{Unicode().name(target)} {sign} {parse_formula(formula, Unicode())}"


def latex_line(target: str, formula: str, carried: Collection[str]) -> str:
    r"""The same in LaTeX, with a mark for alignment.

    Example:
        >>> latex_line("theta", "theta - lr*m_hat/(sqrt(v_hat) + eps)", ["theta"])
        '\\theta &\\leftarrow \\theta - \\frac{\\lambda \\hat{m}}{\\sqrt{\\hat{v}} + \\epsilon}'
    """
    sign = r"\leftarrow" if target in carried else "="
    return f"{Latex().name(target)} &{sign} {parse_formula(formula, Latex())}"
