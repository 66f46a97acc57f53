"""What leaves a loop: totals over its steps are one product, or one sum, over all steps."""

from __future__ import annotations

from collections.abc import Callable

from graphc.ir.node import Node
from graphc.ops.arith import add, multiply
from graphc.ops.bodies import arg, args_used
from graphc.ops.contract import matmul_op
from graphc.ops.reduce import sum_op
from graphc.ops.shape import matrix_transpose, transpose_op
from graphc.rewrite.loops import Loop, shaped
from graphc.rewrite.rule import STRUCTURE, Match, Rule, is_constant

MOST_TERMS = 64
"""How far a sum is taken apart."""


def _addends(root: Node) -> list[Node]:
    """What is added up, each of the type of the sum, in the order in which it is written."""
    found: list[Node] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.op is add and all(x.type == root.type for x in node.inputs) and len(found) < MOST_TERMS:
            waiting.extend(node.inputs[::-1])
        else:
            found.append(node)
    return found


def _flat(loop: Loop, node: Node) -> Node:
    """The rows of a matrix at all steps, below each other."""
    rows, columns = node.shape
    return shaped(loop.over_steps(node), (loop.length * rows, columns))


# -- totals -------------------------------------------------------------------------------------------------------

Total = tuple[tuple[Node, ...], Callable[[Loop], Node]]
"""What the total of a term is made of, at each step, and the total over all steps."""


def _product_total(term: Node) -> Total | None:
    """Σₜ Aₜᵀ Bₜ, of matrices: one product of all rows."""
    if term.op is not matmul_op or term.ndim != 2 or term.inputs[0].op is not transpose_op:
        return None
    a, b = term.inputs[0].inputs[0], term.inputs[1]
    return (a, b), lambda loop: matmul_op(matrix_transpose(_flat(loop, a)), _flat(loop, b))


def _outer_total(term: Node) -> Total | None:
    """Σₜ aₜ bₜᵀ, of vectors."""
    if term.op is not multiply or any(x.ndim != 2 for x in term.inputs):
        return None
    a, b = sorted(term.inputs, key=lambda x: x.shape[-1] != 1)
    if a.shape != (term.shape[0], 1) or b.shape != (1, term.shape[1]):
        return None

    left, right = _vector(a), _vector(b)

    def total(loop: Loop) -> Node:
        above = shaped(loop.over_steps(left), (loop.length, a.shape[0]))
        node: Node = matmul_op(
            matrix_transpose(above), shaped(loop.over_steps(right), (loop.length, b.shape[1]))
        )
        return node

    return (left, right), total


def _vector(node: Node) -> Node:
    """The vector of which a row or a column was made."""
    if "view" not in node.op.properties:
        return node
    (vector,) = node.inputs
    return vector if vector.ndim == 1 and vector.shape[0] in node.shape else node


def _sum_total(term: Node) -> Total | None:
    """Σₜ of the sums of columns."""
    if "sums" not in term.op.properties or term.attrs["keepdims"]:
        return None
    x, axes = term.inputs[0], term.attrs["axis"]
    if x.ndim == 2 and axes == (0,):
        return (x,), lambda loop: sum_op(_flat(loop, x), axis=(0,))
    return (x,), lambda loop: sum_op(loop.over_steps(x), axis=(0, *(a + 1 for a in axes)))


def _vector_total(term: Node) -> Total | None:
    """Σₜ of vectors."""
    return ((term,), lambda loop: sum_op(loop.over_steps(term), axis=(0,))) if term.ndim == 1 else None


_TOTALS = (_product_total, _outer_total, _sum_total, _vector_total)


def _total_of(term: Node) -> Total | None:
    return next((found for way in _TOTALS if (found := way(term)) is not None), None)


def _total_over_steps(m: Match) -> Node | None:
    """A carry that only adds up, as its start and the total of what the steps add."""
    loop = Loop(m.root)
    terms = _terms_added(loop)
    totals = [_total_of(term) for term in terms]
    if not totals or any(t is None for t in totals):
        return None
    parts = [x for t in totals if t is not None for x in t[0]]
    if not loop.pays([*dict.fromkeys(parts)]) or not all(x in loop.moving for x in parts):
        return None
    loop.stacked = [x for x in dict.fromkeys(parts) if not loop.is_stacked(x)]
    result: Node = m.root.inputs[loop.result]
    for one in totals:
        assert one is not None
        total = one[1](loop)
        result = total if is_constant(result, 0.0) else add(result, total)
    return result


def _terms_added(loop: Loop) -> list[Node]:
    """What a step adds to a carry that nothing else reads; nothing where a carry is not of that kind."""
    if loop.result >= loop.count or not loop.node.type.is_float or loop.node.shape == ():
        return []
    root = loop.next[loop.result]
    carry = arg(loop.result, root.type)
    terms = _addends(root)
    if terms.count(carry) != 1:
        return []
    terms.remove(carry)
    others = [x for i, x in enumerate(loop.next) if i != loop.result]
    return [] if loop.result in args_used([*terms, *others, *loop.ys]) else terms


RULES: tuple[Rule, ...] = (
    Rule(
        "total-over-steps",
        None,
        _total_over_steps,
        STRUCTURE,
        phase="loops",
        cards=lambda op: "loop" in op.properties,
        grows=True,
        note="one product over all steps in place of one at each step",
    ),
)
