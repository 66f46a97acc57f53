r"""The notation of a card, which is LaTeX with holes, as one line of Unicode: ``\frac{x}{y}`` becomes ``x / y``.

Cards say how they are written; here that is laid out on one line, with parentheses exactly where a reader needs
them. Only the notation is read, never the name of an operation.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from re import compile as pattern
from string import Formatter

from graphc.ops.template import ATOM, Text

COMPARE, ADD, BIG, MULTIPLY, BESIDE, POWER = 4, 10, 15, 20, 25, 40
"""How tightly a line binds: ``x > y``, ``x + y``, ``Σ x``, ``x ⊙ y``, ``x W``, ``x²``; an ``ATOM`` stands alone."""

SUPERSCRIPTS = str.maketrans("0123456789+-−n⊤", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿᵀ")
_RAISED = frozenset("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿᵀ")
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303"}
"""The mark over a letter, by the word at the end of a name."""


_TOKEN = pattern(r"\\[A-Za-z]+|\\.|[A-Za-z]+|\d+(?:\.\d+)?|\S")
_OPERATORS = {
    "+": ADD, "-": ADD, "=": COMPARE, "<": COMPARE, ">": COMPARE, "==": COMPARE,
    r"\odot": MULTIPLY, r"\otimes": MULTIPLY, r"\cdot": MULTIPLY, r"\times": MULTIPLY, r"\leq": COMPARE,
    r"\geq": COMPARE, r"\neq": COMPARE, r"\bmod": MULTIPLY, r"\wedge": 8, r"\vee": 6,
}  # fmt: skip
_SHOWN = {
    "-": "−", "==": "=", r"\odot": "⊙", r"\otimes": "⊗", r"\cdot": "·", r"\times": "×", r"\leq": "≤", r"\geq": "≥",
    r"\neq": "≠", r"\wedge": "∧", r"\vee": "∨", r"\top": "⊤", r"\ldots": "…", r"\neg": "¬", r"\infty": "∞",
    r"\bmod": "mod",
}  # fmt: skip
_BRACKETS = {
    r"\lfloor": ("open", "⌊"), r"\rfloor": ("close", "⌋"), r"\lceil": ("open", "⌈"), r"\rceil": ("close", "⌉"),
    r"\lvert": ("open", "|"), r"\rvert": ("close", "|"), r"\{": ("open", "{"), r"\}": ("close", "}"),
    r"\|": ("bar", "‖"), r"\#": ("text", "#"),
}  # fmt: skip
_SILENT = {r"\left", r"\right", r"\textstyle", r"\displaystyle", r"\,", r"\;", r"\!", r"\ "}

OPERANDS = frozenset({"hole", "group", "text", "power", "index", "root", "cases", "fraction"})
ENDS = OPERANDS | {"close"}
STARTS = OPERANDS | {"word", "big"}


@dataclass(frozen=True)
class Item:
    """One piece of a notation: a hole, an operator, a bracket, a word, or a group of pieces."""

    kind: str
    text: str = ""
    level: int = 0
    parts: tuple[tuple[Item, ...], ...] = ()


def number(text: str) -> Text:
    """A numeral as people write it: ``1e-07`` is ``10⁻⁷``, ``2.0`` is ``2``."""
    mantissa, _, exponent = text.partition("e")
    mantissa = (mantissa[:-2] if mantissa.endswith(".0") else mantissa.rstrip(".")).replace("-", "−")
    if not exponent:
        return Text(mantissa, ADD if mantissa.startswith("−") else ATOM)
    power = "10" + str(int(exponent)).translate(SUPERSCRIPTS)
    if mantissa == "1":
        return Text(power, POWER)
    return Text(f"{mantissa}·{power}", ADD if mantissa.startswith("−") else BESIDE)


def written(latex: str, fills: Mapping[str, Text]) -> Text:
    r"""A notation with its holes filled.

    Example:
        >>> str(written(r"\frac{{{x}}}{{{y}}}", {"x": Text("a − b", ADD), "y": Text("n")}))
        '(a − b) / n'
        >>> str(written(r"{x}^\top", {"x": Text("h₁")}))
        'h₁ᵀ'
    """
    return _line(items_of(latex), fills)


@lru_cache(maxsize=512)
def parsed(latex: str) -> tuple[Item, ...]:
    """The pieces of a notation."""
    return _Parser(latex).sequence(())


@lru_cache(maxsize=512)
def items_of(latex: str) -> tuple[Item, ...]:
    """The pieces of a notation on one line, where a fraction is a quotient."""
    return _flat(parsed(latex))


def _flat(items: Sequence[Item]) -> tuple[Item, ...]:
    found: list[Item] = []
    for item in items:
        parts = tuple(_flat(part) for part in item.parts)
        if item.kind == "fraction":
            top, bottom = (Item("group", parts=(part,)) for part in parts)
            found += [top, Item("operator", "/", MULTIPLY), bottom]
        else:
            found.append(replace(item, parts=parts))
    return tuple(found)


class _Parser:
    """Reads the notation of one card; it is as deep as its braces are, which is a few levels."""

    def __init__(self, latex: str) -> None:
        self.tokens = list(_tokens(latex))
        self.at = 0

    def sequence(self, ends: tuple[str, ...]) -> tuple[Item, ...]:
        items: list[Item] = []
        while self.at < len(self.tokens) and self.tokens[self.at] not in ends:
            token = self._next()
            if token in ("^", "_"):
                base = (items.pop(),) if items else ()
                items.append(Item("power" if token == "^" else "index", parts=(base, self._argument())))
            elif token in _OPERATORS and (not items or items[-1].kind not in ENDS):
                items.append(Item("prefix", _SHOWN.get(token, token), ADD))
            else:
                items.extend(self._items(token))
        return tuple(items)

    def _next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def _argument(self) -> tuple[Item, ...]:
        if self.at >= len(self.tokens):
            return ()
        token = self._next()
        if token != "{":
            return tuple(self._items(token))
        items = self.sequence(("}",))
        self.at += 1
        return items

    def _words(self) -> str:
        """The text between braces."""
        self.at += 1
        end = self.tokens.index("}", self.at)
        text = "".join(t.removeprefix("\\") for t in self.tokens[self.at : end])
        self.at = end + 1
        return text

    def _items(self, token: str) -> list[Item]:
        if token.startswith("\0"):
            return [Item("hole", token[1:])]
        if token in _OPERATORS:
            return [Item("operator", _SHOWN.get(token, token), _OPERATORS[token])]
        if token in "([":
            return [Item("open", token)]
        if token in ")]":
            return [Item("close", token)]
        return self._command(token) if token.startswith("\\") else self._plain(token)

    def _plain(self, token: str) -> list[Item]:
        if token == "{":
            self.at -= 1
            return [Item("group", parts=(self._argument(),))]
        kinds = {"|": "bar", ",": "comma", "&": "and"}
        return [Item(kinds.get(token, "text"), token)]

    def _command(self, token: str) -> list[Item]:
        if token in _SILENT:
            return []
        if token == r"\frac":
            top, bottom = self._argument(), self._argument()
            return [Item("fraction", parts=(top, bottom))]
        if token == r"\sqrt":
            return [Item("root", parts=(self._argument(),))]
        if token == r"\begin":
            return [self._cases()]
        if token in (r"\operatorname", r"\text", r"\mathrm", r"\mathcal"):
            return [Item("word", self._words())]
        if token == r"\sum":
            return [Item("big", "Σ")]
        if token in _BRACKETS:
            return [Item(*_BRACKETS[token])]
        if token == r"\neg":
            return [Item("prefix", "¬", POWER)]
        return [Item("text", _SHOWN[token]) if token in _SHOWN else Item("word", _symbol(token[1:]))]

    def _cases(self) -> Item:
        self._words()
        cells: list[tuple[Item, ...]] = []
        while self.at < len(self.tokens) and self.tokens[self.at] != r"\end":
            cells.append(self.sequence(("&", "\\\\", r"\end")))
            self.at += self.tokens[self.at] != r"\end"
        self.at += 1
        self._words()
        return Item("cases", parts=tuple(cells))


def _tokens(latex: str) -> Iterator[str]:
    for literal, hole, _, _ in Formatter().parse(latex):
        yield from _TOKEN.findall(literal)
        if hole is not None:
            yield f"\0{hole}"


@lru_cache(maxsize=256)
def _symbol(name: str) -> str:
    """``sigma`` is ``σ``; a name that is no Greek letter stays."""
    return greek(name) or name


@lru_cache(maxsize=1024)
def greek(name: str) -> str | None:
    """The Greek letter of this name, or None."""
    case = "CAPITAL" if name[:1].isupper() else "SMALL"
    if not name.isascii() or not name[1:].islower() or len(name) < 2:
        return None
    try:
        return unicodedata.lookup(
            f"GREEK {case} LETTER {'LAMDA' if name.lower() == 'lambda' else name.upper()}"
        )
    except KeyError:
        return None


# -- laying out ---------------------------------------------------------------------------------------------------


def _line(items: Sequence[Item], fills: Mapping[str, Text]) -> Text:
    if len(items) == 1:
        return _piece(items[0], fills)
    out: list[str] = []
    binds, depth, bars = ATOM, 0, 0
    for i, item in enumerate(items):
        before = items[i - 1] if i else None
        after = items[i + 1] if i + 1 < len(items) else None
        depth += (item.kind == "open") - (item.kind == "close")
        bars += item.kind == "bar"
        if depth == 0 and bars % 2 == 0:
            binds = min(binds, binding(item, before))
        out.append(_gap(item, before) + _shown(item, before, after, fills))
    return Text("".join(out), binds)


def binding(item: Item, before: Item | None) -> int:
    """How tightly a line binds that has this piece outside brackets."""
    if item.kind in ("operator", "prefix"):
        return item.level
    if item.kind == "big":
        return BIG
    if item.kind in STARTS and before is not None and before.kind in ENDS:
        return BESIDE
    return ATOM


def _gap(item: Item, before: Item | None) -> str:
    if before is None or item.kind in ("close", "comma"):
        return ""
    if item.kind == "operator" or before.kind in ("operator", "comma", "big"):
        return " "
    if before.kind == "word":
        return " " if item.kind in ("word", "big") else ""
    return " " if item.kind in STARTS and before.kind in ENDS else ""


def _shown(item: Item, before: Item | None, after: Item | None, fills: Mapping[str, Text]) -> str:
    if item.kind not in OPERANDS:
        return item.text
    text = _piece(item, fills)
    if before is not None and before.kind == "word":
        return f"({text})"
    return text.at_least(max(from_left(before), from_right(after)))


def from_left(before: Item | None) -> int:
    """How tightly an operand must bind for what stands before it."""
    if before is None or before.kind in ("open", "comma", "bar"):
        return 0
    if before.kind == "operator":
        return (
            BESIDE + 1
            if before.text == "/"
            else before.level + (before.text == "−" or before.level == COMPARE)
        )
    if before.kind == "prefix":
        return BIG if before.level == ADD else ATOM
    return MULTIPLY if before.kind == "big" else BESIDE + 1


def from_right(after: Item | None) -> int:
    """How tightly an operand must bind for what stands behind it."""
    if after is None or after.kind in ("close", "comma", "bar"):
        return 0
    if after.kind == "operator":
        return after.level + (after.level == COMPARE)
    return BESIDE


def _piece(item: Item, fills: Mapping[str, Text]) -> Text:
    if item.kind == "hole":
        return fills[item.text]
    if item.kind == "group":
        return _line(item.parts[0], fills)
    if item.kind == "root":
        inner = _line(item.parts[0], fills)
        return Text(f"√{inner.atom}", ATOM)
    if item.kind == "power":
        return _power(item, fills)
    if item.kind == "index":
        inside = str(_line(item.parts[1], fills))
        base = _line(item.parts[0], fills).atom
        return Text(base + (inside if inside.startswith("[") else f"[{inside}]"))
    if item.kind == "cases":
        return _cases([_line(part, fills) for part in item.parts])
    return Text(item.text)


def _power(item: Item, fills: Mapping[str, Text]) -> Text:
    base, exponent = item.parts
    upper = _line(exponent, fills)
    if base == (Item("text", "e"),):
        return Text(f"exp({upper})")
    bottom = _line(base, fills).atom
    raised = upper.translate(SUPERSCRIPTS)
    short = len(raised) <= 4 and _RAISED.issuperset(raised)
    return Text(bottom + (raised if short else f"^{upper.atom}"), POWER)


def _cases(cells: Sequence[Text]) -> Text:
    """A choice: a value where a condition holds and 0 elsewhere is a product with the condition."""
    values, conditions = cells[::2], cells[1::2]
    if len(values) == 2 and values[1] == "0":
        mask = conditions[0]
        return (
            mask
            if values[0] == "1"
            else Text(f"{values[0].at_least(MULTIPLY)} ⊙ {mask.at_least(MULTIPLY)}", MULTIPLY)
        )
    pairs = zip(values, conditions, strict=False)
    parts = [
        f"else {value}" if condition == "else" else f"{value} if {condition}" for value, condition in pairs
    ]
    return Text("{" + ", ".join(parts) + "}")
