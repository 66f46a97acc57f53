"""A rewrite rule, and how it is matched.

A rule is written in the language it rewrites: ``Rule("log1p", log(1 + x), log1p(x), STABLE)``. Its right side is a
pattern, or a function of the match where shapes decide. A rule over every card of some kind has a test of cards
instead of a left side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphc.errors import ArgumentError
from graphc.ir.node import Node, freeze
from graphc.ir.op import Op
from graphc.ir.pattern import Apply, AttrVar, Var

EXACT, ROUNDING, FACT, HARMLESS, STABLE, STRUCTURE, MEASURED = (
    "exact",
    "rounding",
    "fact",
    "harmless",
    "stable",
    "structure",
    "measured",
)
KINDS = (EXACT, ROUNDING, FACT, HARMLESS, STABLE, STRUCTURE, MEASURED)
"""``exact``: equal bits. ``rounding``: within ``ulp``. ``fact``: differs at 0, inf or nan unless a fact is known.
``harmless``: a fact rule that differs only in the sign of a zero or where the left side overflows too. ``stable``: the
right side is more accurate. ``structure``: facts about shapes; may reassociate sums. ``measured``: no rule has
it; the form of a pointwise region whose worst error on a grid, against mpmath, is not above that of the form before."""

LEVELS: Mapping[str, frozenset[str]] = {
    "exact": frozenset({EXACT}),
    "default": frozenset(KINDS),
    "fast": frozenset(KINDS),
}
"""Which kinds each level allows; a ``fact`` rule fires only when its ``when`` finds the fact."""

MAX_ULP = {"exact": 0.0, "default": 4.0, "fast": float("inf")}


def check_level(level: str) -> None:
    """Raises ArgumentError for a level that is not there."""
    if level not in LEVELS:
        raise ArgumentError("unknown level", given=repr(level), expected=", ".join(LEVELS))


@dataclass(frozen=True)
class Match:
    """What the holes of a pattern stand for at one node."""

    root: Node
    nodes: Mapping[str, Node]
    attrs: Mapping[str, Any]
    inner: tuple[Node, ...] = ()

    def __getattr__(self, name: str) -> Any:
        nodes, attrs = object.__getattribute__(self, "nodes"), object.__getattribute__(self, "attrs")
        if name in nodes:
            return nodes[name]
        if name in attrs:
            return attrs[name]
        raise AttributeError(name)


@dataclass(frozen=True, eq=False)
class Rule:
    """One rewrite.

    Attributes:
        name: how the trace and ``why_not`` call it.
        left: the pattern; or, with ``cards``, None.
        right: a pattern over the same holes, or ``(match) -> Node | None``.
        kind: one of ``KINDS``.
        phase: ``clean``, ``stabilise``, ``cost``, ``factor``, ``plain``, ``loops``, ``early``, ``code`` or
            ``buffers``.
        when: ``(match) -> reason to refuse, or None``.
        cards: for a rule over many cards, which cards.
        over: for a rule over many cards, which cards one of the operands must have.
        apart: for a rule over many cards, the nodes below one that it takes apart.
        ulp: for ``rounding``, the worst error in units in the last place.
        fact: what must be known, for ``fact`` and ``harmless``.
        grows: whether it may fire although values of the left side stay in use.
        fast: at ``fast`` only, although its kind would allow more.
        structural: whether the structure below a node says all; a rule that asks what a user declared is not.
        note: why the rule is there, in a few words.
    """

    name: str
    left: Apply | None
    right: Any
    kind: str
    phase: str = "clean"
    when: Callable[[Match], str | None] | None = None
    cards: Callable[[Op], bool] | None = None
    over: Callable[[Op], bool] | None = None
    apart: Callable[[Node], tuple[Node, ...]] | None = None
    ulp: float = 0.0
    fact: str = ""
    grows: bool = False
    fast: bool = False
    structural: bool = True
    note: str = ""

    def __str__(self) -> str:
        right = self.right if isinstance(self.right, (Apply, Var, int, float)) else "..."
        return f"{self.name}: {self.left if self.left is not None else 'any card'} → {right}  [{self.kind}]"

    def allowed(self, level: str) -> bool:
        """Whether a level lets this rule fire."""
        return (
            self.kind in LEVELS[level] and self.ulp <= MAX_ULP[level] and (level == "fast" or not self.fast)
        )

    def roots(self, ops: Mapping[str, Op]) -> list[Op]:
        """The cards at whose nodes the rule can fire."""
        if self.left is not None:
            return [self.left.op]
        assert self.cards is not None
        return [op for op in ops.values() if self.cards(op)]

    def may_match(self, operands: Sequence[Op]) -> bool:
        """Whether the left side can stand for a node of its card whose operands have these cards."""
        if self.left is not None:
            return _fits(self.left, operands)
        return self.over is None or any(map(self.over, operands))

    def match(self, node: Node) -> Match | None:
        """How the left side stands for this node, or None."""
        if self.left is None:
            return Match(node, {}, {}, self.apart(node) if self.apart else ())
        return matched(self.left, node)

    def instantiate(self, match: Match) -> Node | None:
        """The right side over what was matched."""
        if callable(self.right) and not isinstance(self.right, (Apply, Var)):
            result: Node | None = self.right(match)
            return result
        filled: Node | None = fill(self.right, match)
        return filled


def matched(pattern: Any, node: Node) -> Match | None:
    """How a pattern stands for a node, or None."""
    if isinstance(pattern, Apply) and node.op is not pattern.op:
        return None
    state = _State()
    return state.done(node) if state.matches(pattern, node) else None


def _fits(pattern: Apply, operands: Sequence[Op]) -> bool:
    """Whether these cards are where the pattern asks for them: nearly all attempts end here."""
    if len(pattern.inputs) != len(operands):
        return False
    orders = [operands, operands[::-1]] if "commutative" in pattern.op.properties else [operands]
    return any(
        all(map(_plausible, pattern.inputs, order)) and _agree(pattern.inputs, order) for order in orders
    )


def _agree(parts: Sequence[Any], operands: Sequence[Op]) -> bool:
    """Whether a hole that stands in two places can be one node."""
    cards: dict[str, Op] = {}
    holes = [(part.name, op) for part, op in zip(parts, operands, strict=True) if isinstance(part, Var)]
    return all(cards.setdefault(name, op) is op for name, op in holes)


def fill(pattern: Any, match: Match) -> Any:
    """A pattern with its holes filled; numbers take the dtype of the root."""
    if isinstance(pattern, Var):
        return match.nodes[pattern.name]
    if isinstance(pattern, Apply):
        attrs = {k: match.attrs[v.name] if isinstance(v, AttrVar) else v for k, v in pattern.attrs.items()}
        return pattern.op(*(fill(p, match) for p in pattern.inputs), **attrs)
    return pattern


@dataclass
class _State:
    """Bindings while a pattern is being matched; small patterns, so plain backtracking over copies."""

    nodes: dict[str, Node] = field(default_factory=dict)
    attrs: dict[str, Any] = field(default_factory=dict)
    inner: list[Node] = field(default_factory=list)

    def done(self, root: Node) -> Match:
        return Match(root, dict(self.nodes), dict(self.attrs), tuple(x for x in self.inner if x is not root))

    def matches(self, pattern: Any, node: Node) -> bool:
        if isinstance(pattern, Var):
            return self._hole(pattern, node)
        if isinstance(pattern, Apply):
            return node.op is pattern.op and self._operation(pattern, node)
        return is_constant(node, pattern)

    def _hole(self, hole: Var, node: Node) -> bool:
        if hole.name in self.nodes:
            return self.nodes[hole.name] is node
        if hole.accepts is not None and not hole.accepts(node):
            return False
        self.nodes[hole.name] = node
        return True

    def _operation(self, pattern: Apply, node: Node) -> bool:
        if len(pattern.inputs) != len(node.inputs):
            return False
        orders = [node.inputs]
        if "commutative" in node.op.properties:
            orders.append(node.inputs[::-1])
        orders = [inputs for inputs in orders if all(map(_looks_like, pattern.inputs, inputs))]
        saved = (dict(self.nodes), dict(self.attrs), list(self.inner)) if len(orders) > 1 else None
        for inputs in orders:
            if self._attributes(pattern, node) and all(map(self.matches, pattern.inputs, inputs)):
                self.inner.append(node)
                return True
            if saved is not None:  # for the other order; with one order it is over, here and above
                self.nodes, self.attrs, self.inner = dict(saved[0]), dict(saved[1]), list(saved[2])
        return False

    def _attributes(self, pattern: Apply, node: Node) -> bool:
        for key, wanted in pattern.attrs.items():
            value = node.attrs[key]
            if isinstance(wanted, AttrVar):
                if freeze(self.attrs.setdefault(wanted.name, value)) != freeze(value):
                    return False
            elif freeze(wanted) != freeze(value):
                return False
        return True


def _looks_like(pattern: Any, node: Node) -> bool:
    """Whether the outermost card or the number fits: nothing is bound or copied for what does not."""
    if isinstance(pattern, Apply):
        return node.op is pattern.op
    return isinstance(pattern, Var) or is_constant(node, pattern)


def _plausible(pattern: Any, op: Op) -> bool:
    """Whether the outermost card fits, as far as cards can say."""
    if isinstance(pattern, Apply):
        return op is pattern.op
    return isinstance(pattern, Var) or op.role == "const" or "view" in op.properties


def is_constant(node: Node, value: float) -> bool:
    """Whether a node is a constant, stretched or not, all of whose elements are this number (zeros with this sign)."""
    while "view" in node.op.properties:
        node = node.inputs[0]
    if node.op.role != "const":
        return False
    found = node.attrs["value"].everywhere
    return found is not None and found == value and math.copysign(1.0, found) == math.copysign(1.0, value)
