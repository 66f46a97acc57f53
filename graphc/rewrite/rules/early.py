"""What a loop need not wait for: values that depend on its sequences alone are computed for all steps at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

from graphc.ir.node import Node, build, rebuilt, substitute, toposort
from graphc.ir.types import Shape
from graphc.ops.arith import add, multiply
from graphc.ops.bodies import arg, called, renumbered
from graphc.ops.contract import matmul_op
from graphc.ops.shape import reshape_op
from graphc.rewrite.loops import Loop, shaped
from graphc.rewrite.rule import STRUCTURE, Match, Rule

SHORT = 16_384
"""Up to so many elements a call costs more than its elements, and one for all steps less than one for each."""

UNKNOWN = 32
"""What a size that only a call knows counts as."""


def _before_the_loop(m: Match) -> Node | None:
    """A loop over what was computed before it."""
    loop = Loop(m.root)
    roots = _regrouped(loop)
    early = _Early(loop, roots)
    worth = early.worth()
    if not worth:
        return None
    stack = early.stacked(worth)
    return early.loop_over(worth) if stack is None else stack


# -- sums and products, what comes early apart from what comes late ------------------------------------------------


def _regrouped(loop: Loop) -> tuple[Node, ...]:
    """The body, in whose sums and products the parts that do not wait for a carry stand together."""
    roots = (*loop.next, *loop.ys)
    order = toposort(roots)
    users = _users(order)
    inner = {n for n in order if n not in roots and len(users.get(n, ())) == 1 and _goes_on(n, users[n][0])}
    done: dict[Node, Node] = {}
    for node in order:
        new = rebuilt(node, [done[x] for x in node.inputs])
        if node.op in (add, multiply) and node not in inner and node.type.is_float:
            parted = _apart(loop, node, inner, done)
            new = new if parted is None else parted
        done[node] = new
    return tuple(done[root] for root in roots)


def _users(order: Sequence[Node]) -> dict[Node, list[Node]]:
    users: dict[Node, list[Node]] = {}
    for node in order:
        for operand in node.inputs:
            users.setdefault(operand, []).append(node)
    return users


def _goes_on(node: Node, user: Node) -> bool:
    """Whether a sum is a part of a larger sum, or a product of a larger product."""
    return node.op in (add, multiply) and user.op is node.op


def _apart(loop: Loop, node: Node, inner: set[Node], done: Mapping[Node, Node]) -> Node | None:
    parts: list[Node] = []
    waiting = [*node.inputs[::-1]]
    while waiting:
        part = waiting.pop()
        if part in inner:
            waiting.extend(part.inputs[::-1])
        else:
            parts.append(part)
    late = [done[x] for x in parts if x in loop.late]
    early = [done[x] for x in parts if x not in loop.late]
    if not late or len(early) < 2 or not any(x in loop.moving for x in parts if x not in loop.late):
        return None
    result: Node = node.op(reduce(node.op, late), reduce(node.op, early))
    return result if result.type == node.type else None


# -- what is computed before ---------------------------------------------------------------------------------------


class _Early:
    """The values of a body that depend on sequences alone, and what they are outside."""

    def __init__(self, loop: Loop, roots: Sequence[Node]) -> None:
        self.loop, self.roots = loop, roots
        self.order = toposort(roots)
        self.late = loop.depending(range(loop.count), roots)
        self.moving = loop.depending(range(loop.count + loop.over), roots)
        self.known: dict[Node, Node] = {}
        for node in self.order:
            if node in self.moving and node not in self.late and self._can_leave(node):
                self.known[node] = self._outside(node)

    def _can_leave(self, node: Node) -> bool:
        """Whether there is one operation that does for all steps what this one does for one."""
        if self.loop.is_sequence(node):
            return True
        moving = [x for x in node.inputs if x in self.moving]
        if any(x not in self.known for x in moving):
            return False
        if node.op is matmul_op:
            return moving == [node.inputs[0]] and node.ndim == 2 and node.inputs[1].ndim == 2
        return node.op.kind == "pointwise" and all(x.shape == node.shape for x in moving)

    def _outside(self, node: Node) -> Node:
        """The values at all steps."""
        loop = self.loop
        if loop.is_sequence(node):
            return loop.over_steps(node)
        operands = [self.known[x] if x in self.moving else loop.outside(x) for x in node.inputs]
        if node.op is matmul_op:
            rows, columns = node.inputs[0].shape
            product = matmul_op(shaped(operands[0], (loop.length * rows, columns)), operands[1])
            return shaped(product, (loop.length, *node.shape))
        found = [self._rows(x, operand) for x, operand in zip(node.inputs, operands, strict=True)]
        flat = [x for x in found if x is not None]
        if len(flat) < len(found):
            return build(node.op, operands, node.attrs)
        return shaped(build(node.op, flat, node.attrs), (loop.length, *node.shape))

    def _rows(self, node: Node, outside: Node) -> Node | None:
        """The rows that a value at all steps was shaped of, or what meets each row alike."""
        if node not in self.moving:
            return outside if node.ndim <= 1 else None
        made = outside.op is reshape_op and outside.ndim == 3 and outside.inputs[0].ndim == 2
        return outside.inputs[0] if made and outside.shape[2] == outside.inputs[0].shape[1] else None

    def worth(self) -> list[Node]:
        """The last of these values, where that saves time and costs no more memory than the loop takes already."""
        last = [n for n in self._last() if not self.loop.is_sequence(n)]
        best = [n for n in last if self._saves(n)]
        products = [n for n in best if self._multiplies(n)]
        return next((found for found in (best, products) if found and self.loop.pays(found)), [])

    def _last(self) -> list[Node]:
        """Those that something reads which has to wait."""
        read = {x for n in self.order if n not in self.known for x in n.inputs} | {*self.roots}
        return [n for n in self.order if n in self.known and n in read]

    def _saves(self, node: Node) -> bool:
        return self._multiplies(node) or _elements(node.shape) <= SHORT

    def _multiplies(self, node: Node) -> bool:
        """Whether a product of matrices is in a value."""
        return any(n.op is matmul_op for n in toposort([node]) if n in self.known)

    def stacked(self, worth: Sequence[Node]) -> Node | None:
        """A result that is the values of one of these at all steps."""
        place = self.loop.result
        found = place >= self.loop.count and self.roots[place] in worth
        return self.known[self.roots[place]] if found else None

    def loop_over(self, worth: Sequence[Node]) -> Node:
        """The loop, with these values as sequences of their own."""
        loop, count = self.loop, self.loop.count + self.loop.over
        inputs, names = loop.node.inputs, loop.node.attrs["names"]
        places = {i: i if i < count else i + len(worth) for i in range(len(inputs))}
        new = {n: arg(-1 - j, n.type) for j, n in enumerate(worth)}
        places |= {-1 - j: count + j for j in range(len(worth))}
        done = substitute(self.roots, new)
        roots = renumbered([done[root] for root in self.roots], places)
        attrs = {
            **loop.node.attrs,
            "next": roots[: loop.count],
            "ys": roots[loop.count :],
            "over": loop.over + len(worth),
            "names": (*names[:count], *map(called, worth), *names[count:]),
        }
        return build(loop.node.op, [*inputs[:count], *(self.known[n] for n in worth), *inputs[count:]], attrs)


def _elements(shape: Shape) -> int:
    count = 1
    for dim in shape:
        count *= dim if isinstance(dim, int) else UNKNOWN
    return count


RULES: tuple[Rule, ...] = (
    Rule(
        "before-the-loop",
        None,
        _before_the_loop,
        STRUCTURE,
        phase="early",
        cards=lambda op: "loop" in op.properties,
        grows=True,
        note="what does not wait for a carry, for all steps at once",
    ),
)
