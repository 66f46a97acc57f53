"""Forms as SymPy expressions, and SymPy expressions as forms."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sympy

from graphc.ir.formula import parse_formula
from graphc.ops import CARDS
from graphc.symbolic import atoms
from graphc.symbolic.atoms import SympyAlgebra
from graphc.symbolic.regions.form import Form, Ref, Step

SPELLED = ("add", "subtract", "multiply", "divide", "negative", "square")
"""Cards that are their formula to SymPy; its sums and products become these again."""

ATOMS: dict[str, Any] = {
    "exp": sympy.exp,
    "log": sympy.log,
    "sqrt": sympy.sqrt,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tanh": sympy.tanh,
    "sigmoid": atoms.sigmoid,
    "softplus": atoms.softplus,
    "log1p": atoms.log1p,
    "expm1": atoms.expm1,
}
"""Cards that SymPy or graphc has a function for; every other card is a function that SymPy knows nothing about."""

_SPELLING = {"absolute": "abs"}

_CARD_OF = {value: name for name, value in ATOMS.items() if isinstance(value, type)}


@lru_cache(maxsize=256)
def opaque(name: str) -> Any:
    """A function that SymPy leaves alone."""
    return sympy.Function(f"card_{name}", real=True)


def input_symbols(form: Form) -> list[Any]:
    """A real symbol for each input."""
    return [sympy.Symbol(f"x{i}", real=True) for i in range(len(form.kinds))]


def expressions(form: Form, inputs: Sequence[Any], steps: Sequence[Any] = ()) -> list[Any]:
    """What inputs and steps are, over these expressions of the inputs and of the first steps."""
    values = [*inputs, *steps]
    for name, refs in form.steps[len(steps) :]:
        values.append(_expression(name, [values[r] if isinstance(r, int) else number(r) for r in refs]))
    return values


def number(value: float) -> Any:
    """A constant, exactly as it is written."""
    return sympy.Rational(repr(value)) if abs(value) != float("inf") else sympy.oo * (1 if value > 0 else -1)


def _expression(name: str, args: list[Any]) -> Any:
    if name in ATOMS:
        return ATOMS[name](*args)
    if name in SPELLED or (name == "power" and args[1].is_number):
        card = CARDS[name]
        names = dict(zip(card.operands, args, strict=True))
        return parse_formula(str(card.formula), SympyAlgebra(names))
    return opaque(name)(*args)


class Builder:
    """Steps from expressions; what stands twice is computed once."""

    def __init__(self, form: Form, symbols: Sequence[Any]) -> None:
        """The inputs and kept steps of a form; ``symbols`` are what expressions call them."""
        self.form = form
        self.steps: list[Step] = list(form.steps[: form.kept])
        self.base = len(form.kinds)
        self.known: dict[Any, Ref] = {s: i for i, s in enumerate(symbols)}
        self.places: dict[Step, int] = {}
        for place, step in enumerate(self.steps):
            self.places.setdefault(_key(step), self.base + place)

    def form_of(self, outputs: Sequence[Any], shared: Sequence[tuple[Any, Any]] = ()) -> Form:
        """The form of these outputs, after these named subexpressions."""
        for symbol, value in shared:
            self.known[symbol] = self.ref(value)
        refs = tuple(self.ref(x) for x in outputs)
        return Form(self.form.kinds, tuple(self.steps), self.form.kept, refs)

    def ref(self, expr: Any) -> Ref:
        """Where the value of an expression is."""
        if expr not in self.known:
            self.known[expr] = float(expr) if expr.is_number else self._made(expr)
        return self.known[expr]

    def step(self, name: str, *refs: Ref) -> Ref:
        """Where the value of a card on these operands is."""
        step = (name, refs)
        key = _key(step)
        if key not in self.places:
            self.steps.append(step)
            self.places[key] = self.base + len(self.steps) - 1
        return self.places[key]

    def _made(self, expr: Any) -> Ref:
        if expr.is_Add:
            return self._sum(expr)
        if expr.is_Mul:
            return self._product(expr)
        if expr.is_Pow:
            return self._product(sympy.Mul(expr, evaluate=False))
        if expr.func in _CARD_OF:
            return self.step(_CARD_OF[expr.func], *map(self.ref, expr.args))
        name = str(getattr(expr.func, "__name__", expr.func))
        name = _SPELLING.get(name, name.removeprefix("card_"))
        card = CARDS.get(name)
        if card is None or not card.emitted or len(card.operands) != len(expr.args):
            raise NotImplementedError(f"no card computes {name}")
        return self.step(name, *map(self.ref, expr.args))

    def _sum(self, expr: Any) -> Ref:
        """Positive terms first, numbers last among them; then what is taken away."""
        terms = sorted(expr.args, key=lambda t: bool(t.is_number))
        plus = [t for t in terms if not _is_negative(t)]
        minus = [t for t in terms if _is_negative(t)]
        if not plus:
            return self.step("negative", self.ref(-expr))
        total = self.ref(plus[0])
        for term in plus[1:]:
            total = self.step("add", total, self.ref(term))
        for term in minus:
            total = self.step("subtract", total, self.ref(-term))
        return total

    def _product(self, expr: Any) -> Ref:
        """One number, what is multiplied, what is divided by; equal powers are raised together."""
        coefficient, above, below = _split(expr)
        if coefficient < 0:
            return (
                self.step("negative", self.ref(-expr))
                if not coefficient.is_number or coefficient == -1
                else (self._scaled(coefficient, above, below))
            )
        return self._scaled(coefficient, above, below)

    def _scaled(self, coefficient: Any, above: list[tuple[Any, Any]], below: list[tuple[Any, Any]]) -> Ref:
        numerator = self._powers(above)
        denominator = self._powers(below)
        factor = float(coefficient)
        if numerator is None:
            assert denominator is not None
            return self.step("divide", factor, denominator)
        if factor != 1.0:
            numerator = self.step("multiply", factor, numerator)
        return numerator if denominator is None else self.step("divide", numerator, denominator)

    def _powers(self, factors: list[tuple[Any, Any]]) -> Ref | None:
        found: Ref | None = None
        by_exponent: dict[Any, list[Any]] = {}
        for base, exponent in factors:
            by_exponent.setdefault(exponent, []).append(base)
        for exponent, bases in by_exponent.items():
            power = self._power(self._multiplied([self.ref(b) for b in bases]), exponent)
            found = power if found is None else self.step("multiply", found, power)
        return found

    def _multiplied(self, refs: list[Ref]) -> Ref:
        found = refs[0]
        for ref in refs[1:]:
            found = self.step("multiply", found, ref)
        return found

    def _power(self, base: Ref, exponent: Any) -> Ref:
        if exponent == 1:
            return base
        if exponent == sympy.Rational(1, 2):
            return self.step("sqrt", base)
        if exponent.is_Integer and exponent <= 8:
            return self._by_squaring(base, int(exponent))
        return self.step("power", base, self.ref(exponent))

    def _by_squaring(self, base: Ref, exponent: int) -> Ref:
        if exponent == 1:
            return base
        half = self.step("square", self._by_squaring(base, exponent // 2))
        return half if exponent % 2 == 0 else self.step("multiply", half, base)


def _split(expr: Any) -> tuple[Any, list[tuple[Any, Any]], list[tuple[Any, Any]]]:
    """The number of a product, its factors above and below the line, each with a positive exponent."""
    coefficient, above, below = sympy.S.One, [], []
    for factor in expr.args if expr.is_Mul else (expr,):
        base, exponent = (factor.base, factor.exp) if factor.is_Pow else (factor, sympy.S.One)
        if factor.is_number:
            coefficient *= factor
        elif exponent.is_number and exponent < 0:
            below.append((base, -exponent))
        else:
            above.append((base, exponent))
    return coefficient, above, below


def _is_negative(term: Any) -> bool:
    coefficient = term if term.is_number else term.as_coeff_Mul()[0]
    return bool(coefficient < 0)


def _key(step: Step) -> Step:
    """Operands in a fixed order where it does not matter."""
    name, refs = step
    return (name, tuple(sorted(refs, key=repr))) if "commutative" in CARDS[name].properties else step
