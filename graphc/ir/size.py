"""Sizes of axes: ints, names, and canonical integer polynomials of names (with floor division).

Two sizes are equal exactly when their canonical forms are the same, so ``n + n`` is ``2*n`` and
``(n + 1)*n`` is ``n**2 + n``. A polynomial without names is a plain ``int``; ``Size`` is never constant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from keyword import iskeyword
from typing import Any, TypeAlias

from graphc.errors import ParseError, ShapeError
from graphc.ir.formula import parse_formula


@dataclass(frozen=True)
class FloorDiv:
    """``top // bottom`` that does not divide out; an atom of a polynomial."""

    top: Dim
    bottom: Dim

    def __str__(self) -> str:
        return f"{_factor(self.top)}//{_factor(self.bottom)}"


MAX_TERMS = 64
MAX_TEXT = 600
MAX_DEGREE = 64
MAX_COEFFICIENT = 2**63

# what functions of the generated code call their own, where a size stands under its own name
_RESERVED = {
    "np",
    "rng",
    "lr",
    "params",
    "state",
    "slots",
    "grads",
    "saved",
    "next_state",
    "loss_",
    "check",
    "check_labels",
    "check_sizes",
    "forward",
    "backward",
    "update",
    "prepare",
    "step_for",
}

Atom: TypeAlias = "str | FloorDiv"
Monomial: TypeAlias = "tuple[tuple[Atom, int], ...]"


@dataclass(frozen=True)
class Size:
    """A size that depends on at least one name: a sum of ``coefficient * monomial``, in canonical order."""

    terms: tuple[tuple[Monomial, int], ...]

    @cached_property
    def text(self) -> str:
        """The canonical text, such as ``2*n + 1``."""
        return " + ".join(_term_text(m, c) for m, c in self.terms).replace("+ -", "- ")

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def __add__(self, other: Dim) -> Dim:
        return _canonical(_merge(_poly(self), _poly(other), 1))

    __radd__ = __add__

    def __sub__(self, other: Dim) -> Dim:
        return _canonical(_merge(_poly(self), _poly(other), -1))

    def __rsub__(self, other: Dim) -> Dim:
        return _canonical(_merge(_poly(other), _poly(self), -1))

    def __mul__(self, other: Dim) -> Dim:
        return _canonical(_product(_poly(self), _poly(other)))

    __rmul__ = __mul__

    def __floordiv__(self, other: Dim) -> Dim:
        return floor_divide(self, other)

    def __rfloordiv__(self, other: Dim) -> Dim:
        return floor_divide(other, self)


Dim: TypeAlias = "int | Size"


def size(value: int | str | Size) -> Dim:
    """A size from what a user writes: an int of at least 0, a name, or an expression of names.

    Raises:
        ShapeError: a negative int, a bool, or another kind of object.

    Example:
        >>> size(3), str(size("batch")), str(size("n + n"))
        (3, 'batch', '2*n')
    """
    if isinstance(value, Size):
        return value
    if isinstance(value, str):
        dim: Dim = parse_formula(value, SIZES)
        return size(dim)
    if not isinstance(value, bool) and hasattr(value, "__index__"):
        number = value.__index__()
        if number >= 0:
            return int(number)
    raise ShapeError(
        "a size is an int of at least 0, or a name", given=repr(value), fix='for example ("batch", 64)'
    )


def name(text: str) -> Size:
    """The size that is one name."""
    if (
        not text.isidentifier()
        or not text.isascii()
        or iskeyword(text)
        or text.startswith("_")
        or text in _RESERVED
    ):
        raise ShapeError(
            "the name of a size is an identifier",
            given=repr(text),
            expected=f"not one that the listing uses itself: {', '.join(sorted(_RESERVED))}, or with _ in front",
            fix='for example "batch"',
        )
    return Size((((((text, 1),), 1)),))


def floor_divide(top: Dim, bottom: Dim) -> Dim:
    """``top // bottom``, divided out where every coefficient divides."""
    if bottom == 0:
        raise ShapeError("a size is divided by zero", given=f"{top} // 0")
    if isinstance(top, int) and isinstance(bottom, int):
        return top // bottom
    if isinstance(bottom, int):
        return _divide_terms(_poly(top), bottom)
    quotient = _divide_monomial(top, bottom)
    return quotient if quotient is not None else Size((((((FloorDiv(top, bottom), 1),), 1)),))


def _divide_terms(top: dict[Monomial, int], bottom: int) -> Dim:
    """What divides stands outside: ``(3*n - 3)//2`` is ``(3*n + 1)//2 - 2``."""
    whole = {m: c // bottom for m, c in top.items() if c % bottom == 0 or m == ()}
    rest = _canonical({m: c % bottom if m == () else c for m, c in top.items() if c % bottom})
    part: Dim = rest // bottom if isinstance(rest, int) else Size((((((FloorDiv(rest, bottom), 1),), 1)),))
    return _canonical(whole) + part


def at_least_zero(dim: Dim) -> bool:
    """Whether a size cannot be negative, whatever its names stand for."""
    return all(c >= 0 for c in _poly(dim).values())


def product(dims: tuple[Dim, ...]) -> Dim:
    """The number of elements of a shape."""
    total: Dim = 1
    for dim in dims:
        total = total * dim
    return total


def names_of(dim: Dim) -> Iterator[str]:
    """Every name in a size, left to right."""
    stack: list[Any] = [dim]
    while stack:
        part = stack.pop()
        if isinstance(part, Size):
            stack.extend(atom for monomial, _ in reversed(part.terms) for atom, _ in reversed(monomial))
        elif isinstance(part, FloorDiv):
            stack.extend((part.bottom, part.top))
        elif isinstance(part, str):
            yield part


def evaluate(dim: Dim, sizes: Mapping[str, int]) -> int:
    """The int that a size is when its names have values."""
    if isinstance(dim, int):
        return dim
    total = 0
    for monomial, coefficient in dim.terms:
        for atom, power in monomial:
            coefficient *= _atom_value(atom, sizes) ** power
        total += coefficient
    return total


def _atom_value(atom: Atom, sizes: Mapping[str, int]) -> int:
    if isinstance(atom, str):
        return sizes[atom]
    return evaluate(atom.top, sizes) // evaluate(atom.bottom, sizes)


def _poly(dim: Dim) -> dict[Monomial, int]:
    return dict(dim.terms) if isinstance(dim, Size) else {(): int(dim)}


def _merge(a: dict[Monomial, int], b: dict[Monomial, int], sign: int) -> dict[Monomial, int]:
    total = dict(a)
    for monomial, coefficient in b.items():
        total[monomial] = total.get(monomial, 0) + sign * coefficient
    return total


def _product(a: dict[Monomial, int], b: dict[Monomial, int]) -> dict[Monomial, int]:
    total: dict[Monomial, int] = {}
    for m, c in a.items():
        for n, d in b.items():
            total = _merge(total, {_times(m, n): c * d}, 1)
    return total


def _times(m: Monomial, n: Monomial) -> Monomial:
    powers: dict[Atom, int] = {}
    for atom, power in (*m, *n):
        powers[atom] = powers.get(atom, 0) + power
    return tuple(sorted(((a, p) for a, p in powers.items() if p), key=lambda pair: str(pair[0])))


def _canonical(poly: dict[Monomial, int]) -> Dim:
    terms = [(m, c) for m, c in poly.items() if c]
    if not terms:
        return 0
    if len(terms) == 1 and terms[0][0] == ():
        return terms[0][1]
    return Size(tuple(sorted(terms, key=lambda term: (-sum(p for _, p in term[0]), str(term[0])))))


def _divide_monomial(top: Dim, bottom: Dim) -> Dim | None:
    """Exact quotient by one monomial, or None."""
    divisor = _poly(bottom)
    if len(divisor) != 1:
        return 1 if top == bottom else None
    ((monomial, coefficient),) = divisor.items()
    quotient: dict[Monomial, int] = {}
    for m, c in _poly(top).items():
        reduced = _times(m, tuple((a, -p) for a, p in monomial))
        if c % coefficient or any(p < 0 for _, p in reduced):
            return None
        quotient[reduced] = c // coefficient
    return _canonical(quotient)


def _term_text(monomial: Monomial, coefficient: int) -> str:
    factors = [f"{_atom_text(a)}**{p}" if p > 1 else _atom_text(a) for a, p in monomial]
    alone = len(factors) == 1 and monomial[0][1] == 1
    if isinstance(monomial[0][0] if monomial else None, FloorDiv) and alone and coefficient == 1:
        return str(monomial[0][0])
    if coefficient == -1 and factors:
        return "-" + "*".join(factors)
    return "*".join([*([str(coefficient)] if coefficient != 1 or not factors else []), *factors])


def _atom_text(atom: Atom) -> str:
    return atom if isinstance(atom, str) else f"({atom})"


def _factor(dim: Dim) -> str:
    text = str(dim)
    return text if text.isidentifier() or text.isdigit() else f"({text})"


def _power(base: Dim, exponent: int) -> Dim:
    result: Dim = 1
    for _ in range(exponent):
        result = _bounded(result * base)
    return result


def _bounded(dim: Dim) -> Dim:
    """A size from text stays small on the way, so that reading it takes no time to speak of."""
    terms = _poly(dim)
    longest = isinstance(dim, Size) and len(dim.text) > MAX_TEXT
    degree = max((sum(p for _, p in monomial) for monomial in terms), default=0)
    largest = max(map(abs, terms.values()), default=0)
    if longest or len(terms) > MAX_TERMS or degree > MAX_DEGREE or largest >= MAX_COEFFICIENT:
        expected = f"at most {MAX_TERMS} terms, of degree {MAX_DEGREE} and 63 bits"
        raise ParseError("this size is too large", expected=expected)
    return dim


class _Sizes:
    """The algebra in which a formula is a size."""

    def number(self, value: int | float) -> Dim:
        if isinstance(value, float):
            raise ParseError("a size is a whole number", given=str(value))
        return _bounded(value)

    def name(self, text: str) -> Dim:
        return name(text)

    def operate(self, symbol: str, args: list[Dim]) -> Dim:
        if len(args) == 1:
            return args[0] * -1
        a, b = args
        match symbol:
            case "+":
                return _bounded(a + b)
            case "-":
                return _bounded(a - b)
            case "*":
                return _bounded(a * b)
            case "//":
                return _bounded(floor_divide(a, b))
            case "**" if isinstance(b, int) and 0 <= b <= 16:
                return _power(a, b)
        raise ParseError(f"a size cannot use {symbol}", expected="+ - * // and a small power")

    def call(self, name: str, args: list[Dim]) -> Dim:
        raise ParseError("a size has no functions", given=f"{name}(...)")


SIZES = _Sizes()
