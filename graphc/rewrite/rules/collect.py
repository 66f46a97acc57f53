"""Long products and sums with fewer operations: constants merged, factors cancelled, exponents added.

They reassociate, so they fire at ``fast`` only; what cancels must be known to be finite, and a divisor not 0. REWRITES
17, 34, 48-49.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce

import numpy as np

from graphc.ir.node import Node
from graphc.ops.arith import add, divide, multiply, negative, power, subtract
from graphc.ops.math import exp, reciprocal
from graphc.rewrite.facts import facts_of
from graphc.rewrite.rule import ROUNDING, Match, Rule

_ANY = float("inf")

_MOST = 32
"""How many operations are taken apart at one node: a chain of thousands costs its length, not the square of it."""


@dataclass
class Parts:
    """What a product or sum is made of.

    Attributes:
        constant: the product (or sum) of the constants.
        counts: how often each part is multiplied (or added); below 0 where it divides (or is subtracted).
        powers: exponents by the base that they are of, each counted like a part.
        cancelled: what is counted with both signs.
        taken: the operations below the root that were taken apart.
        constants: how many constants there were.
    """

    constant: float
    counts: dict[Node, int] = field(default_factory=dict)
    powers: dict[float, dict[Node, int]] = field(default_factory=dict)
    cancelled: set[Node] = field(default_factory=set)
    taken: list[Node] = field(default_factory=list)
    constants: int = 0

    def count(self, counts: dict[Node, int], node: Node, sign: int) -> None:
        """Count a part once more."""
        before = counts.get(node, 0)
        if before * sign < 0:
            self.cancelled.add(node)
        counts[node] = before + sign


Take = Callable[[Parts, Node, int], list[tuple[Node, int]] | None]


def _parts(root: Node, parts: Parts, take: Take) -> Parts:
    """Take a node apart, and what it is made of (iterative)."""
    stack = [(root, 1)]
    while stack:
        node, sign = stack.pop()
        inner = take(parts, node, sign) if len(parts.taken) < _MOST else None
        if inner is None:
            parts.count(parts.counts, node, sign)
        else:
            parts.taken.append(node)
            stack.extend(reversed(inner))
    return parts


def _constant(node: Node) -> float | None:
    return float(node.attrs["value"].value) if node.op.role == "const" and node.shape == () else None


def _unsigned(node: Node) -> tuple[Node, int]:
    return (node.inputs[0], -1) if node.op is negative else (node, 1)


# -- products -----------------------------------------------------------------------------------------------------


def _take_factor(parts: Parts, node: Node, sign: int) -> list[tuple[Node, int]] | None:
    value = _constant(node)
    if value is not None:
        parts.constant *= value if sign > 0 else 1 / value if value else math.inf
        parts.constants += 1
        return []
    if node.op is multiply:
        return [(x, sign) for x in node.inputs]
    if node.op is divide:
        return [(node.inputs[0], sign), (node.inputs[1], -sign)]
    if node.op is reciprocal:
        return [(node.inputs[0], -sign)]
    if node.op is negative:
        parts.constant = -parts.constant
        return [(node.inputs[0], sign)]
    base = math.e if node.op is exp else _constant(node.inputs[0]) if node.op is power else None
    if base is None or base <= 0:
        return None
    exponent, of = _unsigned(node.inputs[-1])
    parts.count(parts.powers.setdefault(base, {}), exponent, sign * of)
    return []


def _product(root: Node) -> Parts:
    return _parts(root, Parts(1.0), _take_factor)


def _built_product(parts: Parts) -> Node | float:
    above = [x for x, n in parts.counts.items() for _ in range(n)]
    below = [x for x, n in parts.counts.items() for _ in range(-n)]
    above += [_raised(base, counts) for base, counts in parts.powers.items() if any(counts.values())]
    top: Node | float = reduce(multiply, above) if above else 1.0
    if parts.constant == -1 and isinstance(top, Node):
        top = negative(top)
    elif parts.constant != 1 or not above:
        top = multiply(top, parts.constant) if isinstance(top, Node) else parts.constant
    return divide(top, reduce(multiply, below)) if below else top


def _raised(base: float, counts: dict[Node, int]) -> Node:
    exponent = _built_sum(Parts(0.0, counts))
    result: Node = exp(exponent) if base == math.e else power(base, exponent)
    return result


# -- sums ---------------------------------------------------------------------------------------------------------


def _take_term(parts: Parts, node: Node, sign: int) -> list[tuple[Node, int]] | None:
    value = _constant(node)
    if value is not None:
        parts.constant += sign * value
        parts.constants += 1
        return []
    if node.op is add:
        return [(x, sign) for x in node.inputs]
    if node.op is subtract:
        return [(node.inputs[0], sign), (node.inputs[1], -sign)]
    return [(node.inputs[0], -sign)] if node.op is negative else None


def _sum(root: Node) -> Parts:
    return _parts(root, Parts(0.0), _take_term)


def _times(x: Node, n: int) -> Node:
    term: Node = x if n == 1 else multiply(x, float(n))
    return term


def _built_sum(parts: Parts) -> Node | float:
    plus = [_times(x, n) for x, n in parts.counts.items() if n > 0]
    minus = [_times(x, -n) for x, n in parts.counts.items() if n < 0]
    total: Node | float = reduce(add, plus) if plus else parts.constant
    if plus and parts.constant:
        total = add(total, parts.constant)
    if not plus and not parts.constant and minus:
        total = negative(minus.pop(0))
    return reduce(subtract, minus, total)


# -- when and how -------------------------------------------------------------------------------------------------


def _refusal(root: Node, parts: Parts, divides: bool) -> str | None:
    if not root.type.is_float:
        return "integers may overflow differently"
    if any(x.shape not in ((), root.shape) for x in _leaves(parts)):
        return "its parts are of several shapes"
    if not _fits(parts.constant, root.dtype, divides):
        return f"its constants together are {parts.constant:g}, which is not normal in {root.dtype}"
    for node in sorted(parts.cancelled, key=lambda n: n.serial):
        found = facts_of(node)
        if not (found.finite and (found.nonzero or not divides or node not in parts.counts)):
            return (
                f"what cancels is not known to be finite{' and not 0' if divides else ''}: it is in {found}"
            )
    return None


def _leaves(parts: Parts) -> set[Node]:
    return {*parts.counts, *(x for counts in parts.powers.values() for x in counts)}


def _fits(constant: float, dtype: str, divides: bool) -> bool:
    """Whether a merged constant is a number of this dtype, with all its digits; 0 is a term, and no factor."""
    info = np.finfo(dtype)
    return bool(abs(constant) <= info.max and (abs(constant) >= info.tiny or (constant == 0 and not divides)))


def _operations(node: Node | float, leaves: set[Node]) -> int:
    """How many operations there are above the parts."""
    if not isinstance(node, Node):
        return 0
    seen: set[Node] = set()
    stack = [node]
    while stack:
        x = stack.pop()
        if x not in seen and x not in leaves and x.op.kind != "leaf":
            seen.add(x)
            stack.extend(x.inputs)
    return len(seen)


def _collect(take: Callable[[Node], Parts], build: Callable[[Parts], Node | float], divides: bool):  # type: ignore[no-untyped-def]
    """``right`` and ``when`` of a rule that takes a node apart and builds it with fewer operations."""

    def right(m: Match) -> Node | float | None:
        parts = take(m.root)
        built = build(parts)
        fewer = _operations(built, _leaves(parts)) < _operations(m.root, _leaves(parts))
        return built if fewer else None

    def when(m: Match) -> str | None:
        return _refusal(m.root, take(m.root), divides)

    return right, when


def _apart(take: Callable[[Node], Parts]) -> Callable[[Node], tuple[Node, ...]]:
    return lambda root: tuple(x for x in take(root).taken if x is not root and x.op.kind != "leaf")


_factors, _product_known = _collect(_product, _built_product, True)
_terms, _sum_known = _collect(_sum, _built_sum, False)

RULES: tuple[Rule, ...] = (
    Rule(
        "collect-factors",
        None,
        _factors,
        ROUNDING,
        phase="cost",
        when=_product_known,
        cards=lambda op: op in (multiply, divide, negative),
        apart=_apart(_product),
        ulp=_ANY,
    ),
    Rule(
        "collect-terms",
        None,
        _terms,
        ROUNDING,
        phase="cost",
        when=_sum_known,
        cards=lambda op: op in (add, subtract),
        apart=_apart(_sum),
        ulp=_ANY,
    ),
)
