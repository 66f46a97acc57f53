"""What a reader makes of a formula: its value, from the printed signs alone.

No node is looked at: brackets, the order of operations, what a sum runs over and which product is meant are read off
the formula, by the conventions that stand at the head of the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import erf, expit, log_softmax, softmax

from graphc.render.maths import Math

SCALAR_FUNCTIONS = {
    "tanh": np.tanh,
    "sin": np.sin,
    "log": np.log,
    "relu": lambda x: np.maximum(x, 0),
    "σ": expit,
    "sigma": expit,
    "silu": lambda x: x * expit(x),
    "softplus": lambda x: np.logaddexp(0, x),
    "gelu": lambda x: 0.5 * x * (1 + erf(x / np.sqrt(2))),
    "erf": erf,
    "exp": np.exp,
    "mean": np.mean,
    "softmax": lambda x: softmax(x, axis=-1),
}
SIGNS = {
    "=": np.equal, "<": np.less, ">": np.greater, "≤": np.less_equal, "≥": np.greater_equal, "≠": np.not_equal,
}  # fmt: skip


class Unreadable(Exception):
    """The formula says too little for a value: a window, a permutation of many axes."""


class Reader:
    """Reads formulas over named values."""

    def __init__(self, names: Mapping[Math, Any], sizes: Mapping[str, int], classes: int) -> None:
        self.names, self.sizes, self.classes = names, sizes, classes

    def value(self, formula: Math) -> Any:
        """The value of a formula."""
        if formula in self.names:
            return np.asarray(self.names[formula])
        kinds = {
            "row": lambda m: _Row(self, m.parts).whole(),
            "number": lambda m: np.float64(m.text.replace("−", "-")),
            "fraction": lambda m: self.value(m.parts[0]) / self.value(m.parts[1]),
            "root": lambda m: np.sqrt(self.value(m.parts[0])),
            "power": self._power,
            "fence": self._fence,
            "cases": self._cases,
            "upright": self._size,
            "name": self._size,
        }
        if formula.kind not in kinds:
            raise Unreadable(formula.kind)
        return kinds[formula.kind](formula)

    def _size(self, formula: Math) -> Any:
        if formula.text == "e":
            return np.float64(np.e)
        if formula.text == "π":
            return np.float64(np.pi)
        if formula.text not in self.sizes:
            raise Unreadable(formula.text)
        return np.float64(self.sizes[formula.text])

    def _power(self, formula: Math) -> Any:
        base, exponent = formula.parts
        if exponent.text == "⊤":
            found = self.value(base)
            if found.ndim > 2:
                raise Unreadable("which axes?")
            return found.T
        return self.value(base) ** self.value(exponent)

    def _fence(self, formula: Math) -> Any:
        inside = formula.parts[0]
        if formula.text == "||":
            return np.abs(self.value(inside))
        if formula.text == "[]":
            parts = inside.parts
            at = next((i for i, p in enumerate(parts) if p.kind == "op" and p.text in SIGNS), None)
            if at is None:
                return np.array([float(p.text) for p in parts if p.kind == "number"])
            left, right = _Row(self, parts[:at]).whole(), _Row(self, parts[at + 1 :]).whole()
            return SIGNS[parts[at].text](left, right).astype(float)
        return self.value(inside)

    def _cases(self, formula: Math) -> Any:
        first, condition, other, _ = formula.parts
        return np.where(self.value(condition), self.value(first), self.value(other))

    def function(self, word: Math, under: Math | None, x: Any) -> Any:
        """A word over a value."""
        if word.text == "onehot":
            return np.eye(self.classes)[x]
        if word.text not in SCALAR_FUNCTIONS:
            raise Unreadable(word.text)
        if under is not None:
            return SCALAR_FUNCTIONS[word.text](x, axis=self.axis(under, x))
        return SCALAR_FUNCTIONS[word.text](x)

    def axis(self, under: Math, x: Any) -> int:
        """The axis that a sign below a sum names."""
        places = {"rows": 0, "columns": 1}
        if under.text in places:
            return places[under.text]
        if under.kind == "row":
            raise Unreadable("several axes")
        return x.shape.index(self.sizes[under.text])


class _Row:
    """A row of signs, read by precedence: sums, products with a sign, products without one."""

    def __init__(self, reader: Reader, parts: Any) -> None:
        self.reader, self.parts, self.at = reader, list(parts), 0

    def whole(self) -> Any:
        found = self.sum()
        if self.at < len(self.parts):
            raise Unreadable(str(self.parts[self.at].text))
        return found

    def next(self) -> Math | None:
        return self.parts[self.at] if self.at < len(self.parts) else None

    def sign(self, *texts: str) -> str | None:
        found = self.next()
        if found is not None and found.kind in ("op", "prefix") and found.text in texts:
            self.at += 1
            return found.text
        return None

    def sum(self) -> Any:
        total = -self.product() if self.sign("−") else self.product()
        while sign := self.sign("+", "−"):
            term = self.product()
            total = total + term if sign == "+" else total - term
        return total

    def product(self) -> Any:
        if (found := self.next()) is not None and found.kind == "big":
            self.at += 1
            x = self.product()
            return np.sum(x, axis=self.reader.axis(found.parts[0], x)) if found.parts else np.sum(x)
        total = self.beside()
        while sign := self.sign("⊙", "·", "⊗"):
            factor = self.beside()
            total = np.multiply.outer(total, factor) if sign == "⊗" else total * factor
        return total

    def beside(self) -> Any:
        total = self.atom()
        while (found := self.next()) is not None and found.kind in ("space", "fence"):
            self.at += found.kind == "space"
            factor = self.atom()
            scalar = np.ndim(total) == 0 or np.ndim(factor) == 0
            total = total * factor if scalar else np.matmul(total, factor)
        return total

    def atom(self) -> Any:
        found = self.next()
        if found is None:
            raise Unreadable("an end")
        self.at += 1
        after = self.next()
        under = found.parts[1] if found.kind == "index" and found.parts[0].kind == "word" else None
        word = found.parts[0] if under is not None else found
        called = word.kind == "name" and after is not None and after.kind == "fence"
        if word.kind != "word" and not called:
            return self.reader.value(found)
        if word.text == "log" and after is not None and after.kind == "space":
            self.at += 1
            following = self.parts[self.at]
            if following.text == "softmax":
                self.at += 1
                return log_softmax(self.argument(), axis=-1)
            return np.log(self.atom())
        return self.reader.function(word, under, self.argument())

    def argument(self) -> Any:
        found = self.next()
        if found is None or found.kind != "fence":
            raise Unreadable("a word without brackets")
        self.at += 1
        return self.reader.value(found)
