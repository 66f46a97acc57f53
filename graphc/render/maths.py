r"""Formulas as trees: the notation of a card over the formulas of its operands, before any markup.

One tree becomes LaTeX (``render.latex``) and MathML (``render.mathml``). Parentheses are decided here, by how tightly
each part binds, and a tree is flat where it can be: a sum of a thousand terms is one row.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphc.ir.node import Node
from graphc.ir.types import Shape
from graphc.ops.card import constant
from graphc.ops.shape import stretched_axes
from graphc.ops.template import ATOM
from graphc.render.formula import (
    attribute_text,
    count_text,
    elided,
    is_bounds,
    is_dot,
    is_outer,
    is_scaling,
    leaf_text,
    notation_of,
    parts_in_one,
    scalars_first,
    size_text,
)
from graphc.render.notation import (
    ACCENTS,
    ADD,
    BESIDE,
    ENDS,
    MULTIPLY,
    OPERANDS,
    POWER,
    STARTS,
    Item,
    binding,
    from_left,
    from_right,
    greek,
    number,
    parsed,
)

PLAIN_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "01234567890123456789−")

_TITLE = re.compile(r"(.*?)([₀-₉][₀-₉,]*)?(′*)", re.DOTALL)
_TOKEN = re.compile(r"10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)|(\d+(?:\.\d+)?)|([²³])|(\w+)|(\S)")


@dataclass(frozen=True)
class Math:
    """A formula.

    Attributes:
        kind: ``row``, ``name``, ``upright`` (a word that names a value), ``word`` (a function), ``number``, ``op``,
            ``comma``, ``space``, ``quad``, ``prefix``, ``big``, ``fence``, ``power``, ``index``, ``fraction``,
            ``root``, ``accent``, ``cases``, ``text`` (between formulas), ``bracket`` (one that does not grow).
        text: of a leaf; of a fence its two brackets; of an accent the mark over its letter.
        parts: what it is made of.
        binds: how tightly it binds; see ``render.notation``.
    """

    kind: str
    text: str = ""
    parts: tuple[Math, ...] = ()
    binds: int = ATOM

    def at_least(self, binds: int) -> Math:
        """The formula, in parentheses if it binds less tightly."""
        return self if self.binds >= binds else fenced(self)


PI, TWO = Math("name", "π"), Math("number", "2")
_TWO_PI = Math("row", "", (TWO, Math("space"), PI), BESIDE)
_NUMBERS: tuple[tuple[float, Math], ...] = (
    (math.pi, PI),
    (2 * math.pi, _TWO_PI),
    (math.sqrt(2), Math("root", "", (TWO,))),
    (math.sqrt(math.pi), Math("root", "", (PI,))),
    (math.sqrt(2 * math.pi), Math("root", "", (_TWO_PI,))),
    (math.sqrt(2 / math.pi), Math("root", "", (Math("fraction", "", (TWO, PI), POWER),))),
)


def row(parts: Sequence[Math], binds: int = ATOM) -> Math:
    """Formulas beside each other; rows inside are opened."""
    flat = [q for p in parts for q in (p.parts if p.kind == "row" else (p,))]
    return flat[0] if len(flat) == 1 else Math("row", "", tuple(flat), binds)


def fenced(inside: Math, brackets: str = "()") -> Math:
    """A formula in brackets."""
    return Math("fence", brackets, (inside,))


def operator(sign: str) -> Math:
    """A sign between two formulas."""
    return Math("op", sign)


def equals(left: Math, right: Math) -> Math:
    """An equation."""
    return row([left, operator("="), right], 0)


def named(title: str) -> Math:
    """A name: one letter is set as a variable, a word upright; digits below the line are an index.

    Example:
        >>> named("W₁").kind, [part.text for part in named("W₁").parts]
        ('index', ['W', '1'])
    """
    found = _TITLE.fullmatch(title)
    assert found is not None
    stem, below, primes = found.groups()
    if not stem:
        return Math("upright", title)
    accent = stem[1:] if stem[1:] in ACCENTS.values() else ""
    stem = stem.removesuffix(accent)
    single = len(stem) == 1 and ((stem.isascii() and stem.isalpha()) or "α" <= stem.lower() <= "ω")
    base = Math("name" if single else "upright", stem)
    if accent:
        base = Math("accent", accent, (base,))
    if below:
        base = Math("index", parts=(base, Math("number", below.translate(PLAIN_DIGITS))))
    return Math("power", parts=(base, operator(primes)), binds=POWER) if primes else base


def titled(title: str) -> Math:
    """The name of a box: ``∂W₁`` is a sign and a name.

    Example:
        >>> [part.kind for part in titled("∂W₁").parts]
        ['op', 'index']
    """
    return row([operator("∂"), named(title[1:])]) if title[:1] == "∂" and title[1:] else named(title)


def partial(of: Math, by: Math) -> Math:
    """∂y/∂x, which stands beside others as it is and in brackets under a power."""
    top, bottom = (row([operator("∂"), x.at_least(ATOM)]) for x in (of, by))
    return Math("fraction", parts=(top, bottom), binds=POWER)


def plain(text: str) -> Math:
    """A numeral or a size, such as ``10⁻⁷``, ``2·10⁻³`` or ``16 batch``."""
    parts: list[Math] = []
    for exponent, digits, square, word, sign in _TOKEN.findall(text):
        if exponent:
            power = Math("number", exponent.translate(PLAIN_DIGITS))
            parts.append(Math("power", parts=(Math("number", "10"), power)))
        elif square:
            parts.append(Math("power", parts=(parts.pop(), Math("number", square.translate(PLAIN_DIGITS)))))
        elif digits or word:
            if parts and parts[-1].kind in ("number", "name", "upright"):
                parts.append(Math("space"))
            parts.append(Math("number", digits) if digits else named(word))
        elif not parts:
            parts.append(Math("prefix", sign))
        else:
            parts.append(Math("comma") if sign == "," else operator(sign))
    return row(parts, getattr(text, "binds", ATOM))


def leaf_math(node: Node) -> Math | None:
    """A constant or size as it stands in a formula; None for a leaf that needs a name.

    An array of one value throughout is that value: it is stretched where it stands.
    """
    if node.op.role == "const" and node.shape:
        array = node.attrs["value"].value
        if array.size and (array == array.flat[0]).all():
            node = constant(array.flat[0], node.dtype)
    text = leaf_text(node)
    return _closed(node) or (None if text is None else plain(text))


def _closed(node: Node) -> Math | None:
    """A number that has a name: √2, π and what is made of them, where the constant is that to the last bit."""
    if node.op.role != "const" or node.shape or not node.type.is_float:
        return None
    value = node.attrs["value"].value[()]
    return next((formula for number, formula in _NUMBERS if value == value.dtype.type(number)), _part(value))


def _part(value: Any) -> Math | None:
    count = parts_in_one(value)
    if count is None:
        return None
    found = Math("fraction", "", (Math("number", "1"), Math("number", str(abs(count)))), POWER)
    return found if count > 0 else Math("row", "", (Math("prefix", "−"), found), ADD)


def node_math(node: Node, operands: Sequence[Math]) -> Math:
    """One operation over the formulas of its operands."""
    if "sizes" in node.op.properties:
        return plain(count_text(node))
    latex, parts = notation_of(node), list(operands)
    if node.op.latex is not None and is_scaling(node):
        parts, latex = _scaled(node, parts)
    elif is_outer(node):
        latex = latex.replace(r"\odot", r"\otimes")
    names = node.op.operand_names(len(parts))
    fills = dict(zip(names, parts, strict=True))
    if node.op.variadic:
        fixed = len(node.op.operands) - 1
        fills[node.op.operands[-1].removeprefix("*")] = _listed(parts[fixed:])
    attributes = {key: _attribute(node, key) for key in node.attrs if key not in fills}
    return _Layout({**attributes, **fills}, _place(node) or _under(node)).line(parsed(latex))


def _attribute(node: Node, key: str) -> Math:
    text = attribute_text(node, key)
    return Math("text", text) if is_bounds(node, key) else plain(text)


def _listed(parts: Sequence[Math]) -> Math:
    parts = elided(parts, operator("…"))
    between = [x for part in parts for x in (Math("comma"), part)]
    return row(between[1:], ADD)


def _scaled(node: Node, parts: list[Math]) -> tuple[list[Math], str]:
    """A product with a scalar needs no sign for element by element; the scalar stands in front."""
    swap = "commutative" in node.op.properties and scalars_first(node.inputs[1]) < scalars_first(
        node.inputs[0]
    )
    first, second = reversed(parts) if swap else parts
    sign = "" if first.kind == "number" and _starts(second) != "number" else r"\cdot"
    return [first, second], (node.op.latex or "").replace(r"\odot", sign)


def _starts(formula: Math) -> str:
    while formula.kind in ("row", "power", "index") and formula.parts:
        formula = formula.parts[0]
    return formula.kind


def _place(node: Node) -> Math | None:
    """How windows lie, and where in zeros an array is put, unless the notation itself says so."""
    if {"window", "stride", "dilation"} <= node.attrs.keys():
        return _windows(node)
    told = node.op.latex is None or "{index}" in node.op.latex
    bounds = {"index", "shape"} <= node.attrs.keys() and is_bounds(node, "index")
    return _attribute(node, "index") if bounds and not told else None


def _windows(node: Node) -> Math:
    """``3×3, stride 2, dilation 2``, where a stride or a dilation is not 1."""
    said = [_times(node.attrs["window"])]
    for key in ("stride", "dilation"):
        steps = node.attrs[key]
        if set(steps) != {1}:
            size = _times(steps if len(set(steps)) > 1 else steps[:1])
            said.append(row([Math("upright", key), Math("space"), size]))
    return _listed(said)


def _times(sizes: Sequence[int]) -> Math:
    return Math("text", "×".join(map(str, sizes)))


def _are_of_a_window(x: Node, axes: tuple[int, ...]) -> bool:
    """Whether these are all axes of a value that count the places in a window, one or several."""
    source = x
    while "rearranges" in source.op.properties and "axes" not in source.attrs:
        source = source.inputs[0]
    window = source.attrs.get("window") if "view" in source.op.properties else None
    if not window:
        return False
    counts = source.shape[: source.ndim - len(window)]
    return x.shape[: len(counts)] == counts and axes == tuple(range(len(counts), x.ndim))


UNSAID = {"axis", "axes", "keepdims", "shape", "index", "window", "stride", "dilation"} | {
    "classes", "over", "length", "result", "dim", "default", "value", "keep"
}  # fmt: skip
"""Attributes that are said in another way, or that the shape below the formula says."""


def _under(node: Node) -> Math | None:
    """What is written below a word or a sum sign: the axes, and the numbers on which the values depend."""
    if is_dot(node):
        *batch, _, last = node.inputs[0].shape
        return axis_math((*batch, last), len(batch))
    axes, latex = _axes(node), node.op.latex or ""
    said = [] if axes is None else [axes]
    for key, default in node.op.attrs.items():
        value = node.attrs.get(key)
        if key in UNSAID or f"{{{key}}}" in latex or not _is_numeric(value) or value == default:
            continue
        values = value if isinstance(value, tuple) else (value,)
        numbers = _listed([plain(number(f"{n:.6g}")) for n in values])
        said.append(numbers if default is ... else row([Math("upright", key), operator("="), numbers]))
    return _listed(said) if said else None


def _is_numeric(value: Any) -> bool:
    numbers = value if isinstance(value, tuple) else (value,)
    return bool(numbers) and all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers)


def _axes(node: Node) -> Math | None:
    """The axes over which a node reduces, in words; None where it reduces over all, or works along the last."""
    if len(node.inputs) != 1 or node.inputs[0].ndim == 0:
        return None
    wide = node.inputs[0].shape
    axes = node.attrs.get("axis", node.attrs.get("axes"))
    if axes is None and "shape" in node.attrs and r"\sum" in (node.op.latex or ""):
        axes = stretched_axes(wide, node.shape)
    axes = (axes,) if isinstance(axes, int) else axes
    if not isinstance(axes, tuple) or not axes or not all(isinstance(a, int) for a in axes):
        return None
    axes = tuple(a % len(wide) for a in axes)
    if _are_of_a_window(node.inputs[0], axes):
        return Math("upright", "window")
    along = node.op.kind == "composite" and node.shape == wide and axes == (len(wide) - 1,)
    return None if along or len(axes) == len(wide) else _axes_math(wide, axes)


def _axes_math(shape: Shape, axes: Sequence[int]) -> Math:
    """``batch``, ``rows``, ``axes 2, 3``: several without names are said to be axes once."""
    bare = [axis for axis in axes if isinstance(shape[axis], int)]
    if len(bare) < 2 or len(shape) == 2:
        return _listed([axis_math(shape, axis) for axis in axes])
    numbers = _listed([Math("number", str(axis)) for axis in bare])
    rest = [axis_math(shape, axis) for axis in axes if axis not in bare]
    return _listed([*rest, row([Math("upright", "axes"), Math("space"), numbers])])


def axis_math(shape: Shape, axis: int) -> Math:
    """An axis by the name of its size; in a matrix without names, its rows or its columns."""
    if not isinstance(shape[axis], int):
        return plain(str(size_text(shape[axis])))
    if len(shape) == 2:
        return Math("upright", ("rows", "columns")[axis])
    return row([Math("upright", "axis"), Math("space"), Math("number", str(axis))])


class _Layout:
    """Lays out the pieces of one notation; ``under`` is written below its sum sign or behind its word."""

    def __init__(self, fills: Mapping[str, Math], under: Math | None) -> None:
        self.fills, self.under = fills, under

    def line(self, items: Sequence[Item]) -> Math:
        """The pieces in a row, with brackets where they are needed."""
        if len(items) == 1 and items[0].kind in OPERANDS:
            return self._piece(items[0])
        stack: list[list[Math]] = [[]]
        opened: list[Item] = []
        binds, bars = ATOM, 0
        named = self._named(items)
        for i, item in enumerate(items):
            before = items[i - 1] if i else None
            after = items[i + 1] if i + 1 < len(items) else None
            closing = item.kind == "close" or (item.kind == "bar" and bars % 2 == 1)
            bars += item.kind == "bar"
            if closing and opened:
                found = fenced(row(stack.pop()), opened.pop().text + item.text)
                under = self.under if item.kind == "bar" and named is None else None  # of a norm
                stack[-1].append(Math("index", parts=(found, under)) if under else found)
            elif item.kind in ("open", "bar"):
                if before is not None and before.kind in ENDS:
                    stack[-1].append(Math("space"))
                opened.append(item)
                stack.append([])
            else:
                if not opened:
                    binds = min(binds, _binding(item, before))
                stack[-1].extend(self._shown(item, before, after, i == named))
        while opened:  # a bracket that is never closed stands as it is
            sign = operator(opened.pop().text)
            rest = stack.pop()
            stack[-1] += [sign, *rest]
        return row(stack[0], binds)

    @staticmethod
    def _named(items: Sequence[Item]) -> int | None:
        """Which piece of a notation says what it does: its sum sign, or else its last word."""
        big = [i for i, item in enumerate(items) if item.kind == "big"]
        words = [i for i, item in enumerate(items) if item.kind == "word"]
        return big[-1] if big else words[-1] if words else None

    def _shown(self, item: Item, before: Item | None, after: Item | None, named: bool) -> list[Math]:
        gap = [Math("space")] if item.kind in STARTS and before is not None and before.kind in ENDS else []
        if item.kind in OPERANDS:
            inside = self._piece(item)
            if before is not None and before.kind == "word":
                return [inside if inside.kind == "fence" else fenced(inside)]
            return [*gap, inside.at_least(max(_from_left(before), from_right(after)))]
        if item.kind == "big":
            return [*gap, Math("big", "∑", () if self.under is None else (self.under,))]
        if item.kind == "word":
            gap = [Math("space")] if before is not None and before.kind in (*ENDS, "word") else []
            word = Math("name" if greek_letter(item.text) else "word", item.text)
            return [*gap, Math("index", parts=(word, self.under)) if named and self.under else word]
        if item.kind == "comma":
            return [Math("comma")]
        return [Math("prefix" if item.kind == "prefix" else "op", item.text)]

    def _piece(self, item: Item) -> Math:
        if item.kind == "hole":
            return self.fills[item.text]
        parts = [self.line(part) for part in item.parts]
        if item.kind == "group":
            return parts[0]
        if item.kind == "cases":
            return _cases(parts)
        if item.kind == "fraction":
            return Math("fraction", parts=tuple(parts), binds=POWER)
        if item.kind == "power":
            return Math("power", parts=(parts[0].at_least(ATOM), parts[1]), binds=POWER)
        if item.kind == "index":
            base = parts[0].at_least(ATOM)
            return Math("index", parts=(fenced(base) if base.kind == "index" else base, parts[1]))
        if item.kind == "root":
            return Math("root", parts=(parts[0],))
        kind = "number" if item.text.isdigit() else "name" if item.text.isalpha() else "op"
        return Math(kind, item.text)


def greek_letter(text: str) -> bool:
    """Whether a word of a notation is a single Greek letter."""
    return (len(text) == 1 and not text.isascii() and text.isalpha()) or greek(text) is not None


def _binding(item: Item, before: Item | None) -> int:
    return MULTIPLY if item.kind == "bar" else binding(item, before)


def _from_left(before: Item | None) -> int:
    """A fraction bar groups, so only signs on the line ask for brackets."""
    return 0 if before is None else from_left(before)


def _cases(cells: Sequence[Math]) -> Math:
    """A choice: a value where a condition holds and 0 elsewhere is a product with the condition."""
    values, conditions = cells[::2], cells[1::2]
    zero = Math("number", "0")
    if len(values) == 2 and replace(values[1], binds=ATOM) == zero:
        if values[0] == Math("number", "1"):
            return conditions[0]
        return row([values[0].at_least(MULTIPLY), operator("⊙"), conditions[0].at_least(MULTIPLY)], MULTIPLY)
    return Math("cases", parts=tuple(cells))


def beside(parts: Sequence[Math]) -> Math:
    """Formulas beside each other with a gap, as a product of matrices is written."""
    gaps: list[Any] = [x for part in parts for x in (Math("space"), part)]
    return row(gaps[1:], BESIDE)
