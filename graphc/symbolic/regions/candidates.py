"""Candidates: other forms of a region, made by SymPy. ``sympy.simplify`` has no part in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from graphc.symbolic.atoms import expm1 as expm1_
from graphc.symbolic.atoms import sigmoid, softplus
from graphc.symbolic.regions.algebra import Builder, expressions, input_symbols
from graphc.symbolic.regions.form import Form

Exprs = tuple[Any, ...]

LARGE = 80
"""Operations of the outputs together from which on nothing is substituted or rearranged."""

SMALL = 40
"""Operations of an expression up to which it is multiplied out or factored."""

MAX_DEGREE, MAX_DIGITS = 4, 4
"""Powers and digits of rational numbers up to which SymPy factors: it takes minutes where they are high."""

MANY = 16
"""How many starting points the identities may lead to."""


@dataclass(frozen=True)
class Candidate:
    """A form and how it came about, in words."""

    how: str
    form: Form


@dataclass(frozen=True)
class _Region:
    """A region as SymPy sees it.

    Attributes:
        form: as written.
        inputs: a symbol for each input.
        saved: a symbol for each kept step.
        meaning: what each kept step is, over the inputs alone.
    """

    form: Form
    inputs: tuple[Any, ...]
    saved: tuple[Any, ...]
    meaning: tuple[Any, ...]

    def folded(self, expr: Any, all_of_it: bool) -> Any:
        """An expression over inputs with saved values in it, the largest first."""
        pairs = [
            (value, symbol)
            for value, symbol in zip(self.meaning, self.saved, strict=True)
            if not value.is_Atom and (all_of_it or value.is_Function)
        ]
        for value, symbol in sorted(pairs, key=lambda pair: -sympy.count_ops(pair[0])):
            expr = expr.subs(value, symbol)
        return expr


def _region(form: Form) -> _Region:
    inputs = tuple(input_symbols(form))
    saved = tuple(sympy.Symbol(f"s{i}", real=True) for i in range(form.kept))
    meaning = tuple(expressions(form, inputs)[len(inputs) : len(inputs) + form.kept])
    return _Region(form, inputs, saved, meaning)


# -- identities: true equations between functions that SymPy does not use by itself --------------------------------


def _complement(expr: Any, region: _Region) -> Any:
    """σ(-a) = 1 - σ(a)."""
    return expr.replace(
        lambda e: isinstance(e, sigmoid) and e.args[0].could_extract_minus_sign(),
        lambda e: 1 - sigmoid(-e.args[0]),
    )


def _other_side(expr: Any, region: _Region) -> Any:
    """1 - σ(a) = σ(-a)."""
    for found in sorted(expr.atoms(sigmoid), key=str):
        expr = expr.subs(1 - found, sigmoid(-found.args[0]))
    return expr


def _sigmoid_of_softplus(expr: Any, region: _Region) -> Any:
    """σ(a) = -expm1(-u) and σ(-a) = 1 + expm1(-u), where u = softplus(a) is saved."""
    for u in _saved(region, softplus):
        m = expm1_(-u)
        expr = expr.subs({sigmoid(u.args[0]): -m, sigmoid(-u.args[0]): 1 + m})
    return expr


def _tail_of_softplus(expr: Any, region: _Region) -> Any:
    """σ(-a) = exp(-u), where u = softplus(a) is saved."""
    for u in _saved(region, softplus):
        expr = expr.subs(sigmoid(-u.args[0]), sympy.exp(-u))
    return expr


def _tanh_of_softplus(expr: Any, region: _Region) -> Any:
    """1 + σ(-a)² = 2 / (1 + t), where t = tanh(softplus(a)) is saved."""
    for t in _saved(region, sympy.tanh):
        if isinstance(t.args[0], softplus):
            expr = expr.subs(1 + sigmoid(-t.args[0].args[0]) ** 2, 2 / (1 + t))
    return expr


def _difference_of_squares(expr: Any, region: _Region) -> Any:
    """1 - tanh(a)² = (1 - tanh(a)) (1 + tanh(a))."""
    for t in sorted(expr.atoms(sympy.tanh), key=str):
        expr = expr.subs(1 - t**2, (1 - t) * (1 + t))
    return expr


def _square_of_tail(expr: Any, region: _Region) -> Any:
    """1 - tanh(a)² = ((1 + tanh(a)) exp(-a))²."""
    for t in sorted(expr.atoms(sympy.tanh), key=str):
        expr = expr.subs(1 - t**2, ((1 + t) * sympy.exp(-t.args[0])) ** 2)
    return expr


def _saved(region: _Region, function: Any) -> list[Any]:
    return [value for value in region.meaning if isinstance(value, function)]


IDENTITIES: tuple[Callable[[Any, _Region], Any], ...] = (
    _complement,
    _other_side,
    _sigmoid_of_softplus,
    _tail_of_softplus,
    _tanh_of_softplus,
    _difference_of_squares,
    _square_of_tail,
)


def _starts(region: _Region) -> dict[Exprs, str]:
    """The outputs as written over saved values, over inputs alone, and what identities make of the latter."""
    form = region.form
    written = _outputs(form, expressions(form, region.inputs, region.saved))
    starts = {written: "rearranged"}
    if sum(map(sympy.count_ops, written)) > LARGE:
        return starts
    raw = _outputs(form, expressions(form, region.inputs))
    reached: dict[Exprs, str] = {raw: ""}
    for exprs, how in _closure(reached, region):
        for all_of_it in (False, True):
            folded = tuple(region.folded(e, all_of_it) for e in exprs)
            starts.setdefault(folded, ("in saved values" if region.saved else "over the inputs") + how)
    return starts


def _closure(reached: dict[Exprs, str], region: _Region) -> Iterator[tuple[Exprs, str]]:
    queue = list(reached)
    for exprs in queue:
        yield exprs, reached[exprs]
        for identity in IDENTITIES:
            new = tuple(identity(e, region) for e in exprs)
            if new not in reached and len(queue) < MANY:
                reached[new] = f"{reached[exprs]}; {(identity.__doc__ or '').rstrip('.')}"
                queue.append(new)


def _outputs(form: Form, values: Sequence[Any]) -> Exprs:
    return tuple(values[r] if isinstance(r, int) else sympy.Float(r) for r in form.outputs)


# -- transformations: the same expression, arranged in another way -------------------------------------------------


def _factored(expr: Any) -> Any:
    numbers = expr.atoms(sympy.Rational)
    plain = all(max(abs(r.p), r.q) < 10**MAX_DIGITS for r in numbers)
    low = all(abs(p.exp) <= MAX_DEGREE for p in expr.atoms(sympy.Pow) if p.exp.is_number)
    return sympy.factor(expr) if plain and low and sympy.count_ops(expr) <= SMALL else expr


def _collected(expr: Any) -> Any:
    if sympy.count_ops(expr) > SMALL:
        return expr
    symbols = sorted(expr.free_symbols, key=str)
    return sympy.collect(sympy.expand_mul(expr), symbols)


def _horner(expr: Any) -> Any:
    symbols = sorted(expr.free_symbols, key=str)
    if len(symbols) != 1 or not expr.is_polynomial(*symbols):
        return expr
    return sympy.horner(expr)


TRANSFORMATIONS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("", lambda e: e),
    ("factors taken out", sympy.factor_terms),
    ("factored", _factored),
    ("common denominators", sympy.together),
    ("collected", _collected),
    ("Horner's scheme", _horner),
)


def candidates(form: Form, dtype: str, breadth: int = 4) -> list[Candidate]:
    """Forms of the same outputs, the cheapest first; the form as written is not among them.

    Args:
        form: a region as written.
        dtype: float32 or float64, whose prices count.
        breadth: how many starting points are taken apart further.
    """
    region = _region(form)
    supports = form.supports()
    found: dict[Form, str] = {}

    def consider(exprs: Exprs, how: str) -> float:
        best = float("inf")
        for shared in (False, True):
            made = _form(region, exprs, shared)
            if made is not None and _within(made, supports):
                found.setdefault(made, how)
                best = min(best, made.price(dtype))
        return best

    ranked = sorted(
        ((consider(exprs, how), i, exprs, how) for i, (exprs, how) in enumerate(_starts(region).items())),
        key=lambda row: row[:2],
    )
    for _, _, exprs, how in ranked[:breadth]:
        if sum(map(sympy.count_ops, exprs)) > LARGE:
            continue
        for word, transformed in TRANSFORMATIONS[1:]:
            consider(tuple(map(transformed, exprs)), f"{how}; {word}")
    found.pop(form, None)
    order = sorted(found, key=lambda f: (f.price(dtype), f.operations(), repr(f)))
    return [Candidate(found[f], f) for f in order]


def _form(region: _Region, exprs: Exprs, shared: bool) -> Form | None:
    """The form of some expressions, with SymPy's common subexpressions or only those that stand there twice."""
    builder = Builder(region.form, (*region.inputs, *region.saved))
    names = (sympy.Symbol(f"t{i}", real=True) for i in range(1000))
    pairs, outputs = sympy.cse(list(exprs), symbols=names) if shared else ([], list(exprs))
    try:
        return builder.form_of(outputs, pairs)
    except (NotImplementedError, TypeError, OverflowError):
        return None  # SymPy made something that no card computes


def _within(form: Form, supports: tuple[frozenset[int], ...]) -> bool:
    """No output may need what it did not need before: what it needs may itself need that output."""
    return all(new <= old for new, old in zip(form.supports(), supports, strict=True))
