"""A form: how a pointwise region is computed, as plain data. Steps are cards applied to inputs, constants and steps.

A form is read from JSON by ``read_form``, which takes nothing but cards that are there: no text is ever evaluated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphc.errors import ParseError
from graphc.ir.node import Node
from graphc.ops import CARDS
from graphc.ops.card import constant
from graphc.symbolic.regions.prices import price

Ref = int | float
"""An operand: an ``int`` counts inputs, then steps; a ``float`` is a constant."""

Step = tuple[str, tuple[Ref, ...]]

MAX_STEPS = 400


@dataclass(frozen=True)
class Form:
    """One way to compute a region.

    Attributes:
        kinds: one letter for each input: ``f`` for a float, ``b`` for a bool.
        steps: a card and its operands each, operands first.
        kept: how many of the first steps are forward values, which every form keeps as they are.
        outputs: the steps (or inputs) that are the values of the region.
    """

    kinds: str
    steps: tuple[Step, ...]
    kept: int
    outputs: tuple[Ref, ...]

    def used(self) -> tuple[int, ...]:
        """The steps that are computed: those that are kept, and what the outputs need."""
        base = len(self.kinds)
        wanted = {*range(self.kept), *(r - base for r in self.outputs if isinstance(r, int))}
        for place in reversed(range(len(self.steps))):
            if place in wanted:
                wanted.update(r - base for r in self.steps[place][1] if isinstance(r, int))
        return tuple(place for place in range(len(self.steps)) if place in wanted)

    def price(self, dtype: str) -> float:
        """Nanoseconds an element."""
        return round(sum(price(self.steps[i][0], dtype) for i in self.used()), 4)

    def operations(self) -> int:
        """How many operations are computed, those that are kept included."""
        return len(self.used())

    def supports(self) -> tuple[frozenset[int], ...]:
        """Which inputs each output is computed from."""
        base = len(self.kinds)
        found: list[frozenset[int]] = [frozenset({i}) for i in range(base)]
        for _, refs in self.steps:
            found.append(frozenset().union(*(found[r] for r in refs if isinstance(r, int))))
        return tuple(found[r] if isinstance(r, int) else frozenset() for r in self.outputs)

    def nodes(self, inputs: Sequence[Node], dtype: str, kept: Sequence[Node] = ()) -> list[Node]:
        """The values of inputs and steps as nodes over these inputs, and over the first steps where they are there."""
        values = [*inputs, *kept]
        for name, refs in self.steps[len(kept) :]:
            values.append(CARDS[name](*(self._operand(r, values, dtype) for r in refs)))
        return values

    def results(self, inputs: Sequence[Node], dtype: str, kept: Sequence[Node] = ()) -> list[Node]:
        """The outputs as nodes over these inputs and kept values."""
        values = self.nodes(inputs, dtype, kept)
        return [self._operand(r, values, dtype) for r in self.outputs]

    @staticmethod
    def _operand(ref: Ref, values: Sequence[Node], dtype: str) -> Node:
        return values[ref] if isinstance(ref, int) else constant(ref, dtype)

    def data(self) -> dict[str, Any]:
        """As JSON has it; constants in hexadecimal, so that no digit is lost."""
        steps = [[name, *map(_written, refs)] for name, refs in self.steps]
        return {
            "inputs": self.kinds,
            "kept": self.kept,
            "steps": steps,
            "outputs": [_written(r) for r in self.outputs],
        }


def _written(ref: Ref) -> int | str:
    return ref if isinstance(ref, int) else ref.hex()


def read_form(data: Any) -> Form:
    """A form from JSON.

    Raises:
        ParseError: anything but applications of pointwise cards that have code.
    """
    try:
        kinds, kept = data["inputs"], data["kept"]
        steps, outputs = data["steps"], data["outputs"]
        _require(isinstance(kinds, str) and set(kinds) <= {"f", "b"} and type(kept) is int)
        _require(isinstance(steps, list) and len(steps) <= MAX_STEPS and 0 <= kept <= len(steps))
        read = tuple(_read_step(step, len(kinds) + place) for place, step in enumerate(steps))
        count = len(kinds) + len(steps)
        return Form(kinds, read, kept, tuple(_read_ref(r, count) for r in outputs))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ParseError("this is not a form of a region", given=f"{data!r:.120}") from error


def _read_step(step: Any, count: int) -> Step:
    name, *refs = step
    card = CARDS.get(name)
    _require(card is not None and card.kind == "pointwise" and card.emitted and not card.attrs)
    assert card is not None
    _require(len(refs) == len(card.operands))
    return name, tuple(_read_ref(r, count) for r in refs)


def _read_ref(ref: Any, count: int) -> Ref:
    if isinstance(ref, str):
        value = float.fromhex(ref)
        _require(not math.isnan(value))
        return value
    _require(type(ref) is int and 0 <= ref < count)
    found: int = ref
    return found


def _require(holds: bool) -> None:
    if not holds:
        raise ValueError("not a form")
