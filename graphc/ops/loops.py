"""What a loop is, whichever way it runs: its type rule, what its body sees, and how its results are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphc.errors import ShapeError
from graphc.ir.node import Node, apply, hinted
from graphc.ir.op import Op
from graphc.ir.size import Dim
from graphc.ir.types import Type
from graphc.ops.bodies import called, closed


def scan_type(
    *types: Type,
    next: tuple[Node, ...],
    ys: tuple[Node, ...],
    over: int,
    length: Dim,
    reverse: bool,
    names: tuple[str, ...],
    result: int,
) -> Type:
    """The type of one result; ``next`` and ``ys`` are written over elements of the sequences."""
    carries = len(next)
    if len(types) < carries + over or len(names) != len(types):
        raise ShapeError(
            "a scan has an operand for each carry and each sequence, and a name for each operand"
        )
    for i, (node, given) in enumerate(zip(next, types, strict=False)):
        if node.type != given:
            raise ShapeError(
                f"the next value of the carry {names[i]} has another type",
                given=str(node.type),
                expected=str(given),
                fix="start the carry with the shape and dtype that a step gives",
            )
    for name, given in zip(names[carries:], types[carries : carries + over], strict=False):
        if not given.shape or given.shape[0] != length:
            raise ShapeError(
                f"the sequence {name} has another length", given=str(given), expected=f"{length} along axis 0"
            )
    if result < carries:
        return next[result].type
    each = ys[result - carries].type
    return Type(each.dtype, (length, *each.shape))


def body_types(types: Sequence[Type], attrs: Mapping[str, Any]) -> list[Type]:
    """What the body sees: a carry, an element of each sequence, and the rest as it is."""
    first, last = len(attrs["next"]), len(attrs["next"]) + attrs["over"]
    return [*types[:first], *(Type(t.dtype, t.shape[1:]) for t in types[first:last]), *types[last:]]


def results_of(
    op: Op,
    operands: Sequence[Node],
    leaves: Sequence[Node],
    following: Sequence[Node],
    ys: Sequence[Node],
    over: int,
    length: Dim,
    reverse: bool,
) -> list[Node]:
    """All results of a scan whose body is written over these stand-ins."""
    bodies = closed([*following, *ys], leaves)
    names = tuple(called(leaf) for leaf in leaves)
    attrs = {
        "next": bodies[: len(following)],
        "ys": bodies[len(following) :],
        "over": over,
        "length": length,
        "reverse": reverse,
        "names": names,
    }
    hints = [*names[: len(following)], *(f"{called(y)}s" for y in ys)]
    return [hinted(apply(op, *operands, **attrs, result=i), hint) for i, hint in enumerate(hints)]
