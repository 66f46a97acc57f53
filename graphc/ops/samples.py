"""How many values the statistics of a batch are taken of."""

from __future__ import annotations

from typing import Any

from graphc.ir.node import Node
from graphc.ir.op import ZERO, Op
from graphc.ir.types import Type
from graphc.ops.reduce import floats
from graphc.ops.shape import normal_axes

sample_count_op: Op = Op(
    "sample_count",
    "select",
    ("x",),
    lambda x, *, axis: Type(x.dtype, ()),
    attrs={"axis": ...},
    coerce=floats,
    gradient=lambda g, out, x, *, axis: (ZERO,),
    numpy=lambda x, node: f"_sample_count({x}, {node.attrs['axis']})",
    turn=lambda node, across: sample_count_op(
        across(node.inputs[0]), axis=tuple(sorted(1 - a for a in node.attrs["axis"]))
    ),
    helpers=("_sample_count",),
    noun="count",
    latex="n",
    doc="How many values stand along axes; fewer than two are refused when the program runs.",
    cost=0.0,
    properties=frozenset({"sizes"}),
)


def sample_count(x: Any, axis: Any = None) -> Node:
    """How many values stand along axes (all by default), as a float scalar; a program refuses fewer than two.

    Of one value alone there is no spread: a program that needs one raises at run time, instead of computing 0 / 0.

    Args:
        x: of any dtype; integers are taken as float32.
        axis: one axis, several, or all by default.

    Raises:
        ShapeError: there is no such axis. In a program, ValueError: fewer than two values.

    Example:
        >>> import graphc as gx
        >>> from graphc.ops.samples import sample_count
        >>> float(gx.compile(sample_count(gx.input("x", ("n", 3)), axis=0))([[1.0, 2, 3], [4, 5, 6]]))
        2.0
    """
    (x,) = floats((x,))
    node: Node = sample_count_op(x, axis=normal_axes(axis, x))
    return node


CARDS = (sample_count_op,)
