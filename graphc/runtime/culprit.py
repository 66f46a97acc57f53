"""Which value is to blame for what is not finite: on the way back from the results, one whose operands are finite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from graphc.ir.node import Node, toposort
from graphc.ops.evaluate import Body, evaluate

Values = Mapping[Node, Any]

_DELIBERATE = ("const", "arg")
"""Leaves that are never to blame: a number in the user's own text, and what a body is handed."""


def culprit(order: Iterable[Node], results: Sequence[Node], values: Values) -> Node | None:
    """The first node to blame for a result that is not finite; None where every result is finite.

    What is infinite on the way to a finite result is not to blame (a branch that is not taken, 1/(1 + inf)). Where
    every infinity comes from a constant, such as a mask of -inf, the first nan that is made of them is to blame.

    Args:
        order: the nodes, operands first, those preferred in front.
        results: what should have been finite.
        values: of every node.
    """
    bad = _leading_to(results, values)
    found = [n for n in order if n in bad and n.op.role not in _DELIBERATE]
    sources = (n for n in found if not any(_is_bad(x, values) for x in n.inputs))
    made_nan = (n for n in found if _has_nan(n, values) and not any(_has_nan(x, values) for x in n.inputs))
    return next(chain(sources, made_nan, found), None)


def _leading_to(results: Sequence[Node], values: Values) -> set[Node]:
    """What is not finite and reaches a result through nothing else."""
    found: set[Node] = set()
    stack = list(results)
    while stack:
        node = stack.pop()
        if node not in found and _is_bad(node, values):
            found.add(node)
            stack.extend(node.inputs)
    return found


def _is_bad(node: Node, values: Values) -> bool:
    return node.type.is_float and not np.isfinite(values[node]).all()


def _has_nan(node: Node, values: Values) -> bool:
    return node.type.is_float and bool(np.isnan(values[node]).any())


@dataclass(frozen=True)
class Inside:
    """The culprit in the body of a card that carries graphs.

    Attributes:
        node: in the body.
        order: the nodes of the body, operands first.
        values: of the body's nodes at that step.
        step: which run of the body, from 1, in the order in which they happen.
    """

    node: Node
    order: Sequence[Node]
    values: Values
    step: int


def culprit_inside(node: Node, values: Values, sizes: Mapping[str, int]) -> Inside | None:
    """Where a loop or a choice first made what is not finite out of what is; None for any other card."""
    if node.op.run is None:
        return None
    watched = _Watched(sizes)
    with np.errstate(all="ignore"):
        node.op.run(node, [values[x] for x in node.inputs], watched)
    return watched.found


class _Watched(Body):
    """Runs bodies as ever, and remembers the first culprit in them."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        super().__init__(sizes)
        self.steps = 0
        self.found: Inside | None = None

    def __call__(self, roots: Sequence[Node], arrays: Sequence[Any]) -> list[Any]:
        self.steps += 1
        values: dict[Node, Any] = {}
        order = toposort(roots)
        for node in order:
            is_arg = node.op.role == "arg"
            operands = [values[x] for x in node.inputs]
            values[node] = arrays[node.attrs["index"]] if is_arg else evaluate(node, operands, self.sizes)
        blamed = culprit(order, roots, values) if self.found is None else None
        if blamed is not None:
            self.found = Inside(blamed, order, values, self.steps)
        return [values[root] for root in roots]
