"""Composites of neural networks: a body made of other cards, and the better gradient where there is one."""

from __future__ import annotations

from typing import Any

from graphc.ir.node import Node, hinted
from graphc.ir.op import Op
from graphc.ir.types import Type
from graphc.ops.arith import divide, multiply, subtract
from graphc.ops.card import as_nodes, promoted
from graphc.ops.math import exp, log
from graphc.ops.reduce import _reduced, restore_axes, row_shift, sum_op
from graphc.ops.shape import along, broadcast_to, normal_axes, normal_axis, stop_gradient


def _floats(inputs: tuple[Any, ...]) -> tuple[Node, ...]:
    return promoted(inputs, floats=True)


def _shifted(x: Node, axis: int) -> Node:
    """``x`` minus its maximum, which takes no gradient: it cancels in every function that uses it."""
    return hinted(subtract(x, stop_gradient(row_shift(x, axis=axis, keepdims=True))), "shifted")


def _total(e: Node, axis: int) -> Node:
    return hinted(sum_op(e, axis=(axis,), keepdims=True), "total")


def _softmax_body(x: Node, *, axis: int) -> Node:
    e = hinted(exp(_shifted(x, axis)), "e")
    return hinted(divide(e, _total(e, axis)), "p")


def _softmax_gradient(g: Node, out: Node, x: Node, *, axis: int) -> tuple[Node]:
    inner = sum_op(multiply(g, out), axis=(axis,), keepdims=True)
    return (multiply(out, subtract(g, inner)),)


softmax_op = Op(
    "softmax",
    "composite",
    ("x",),
    along,
    attrs={"axis": ...},
    coerce=_floats,
    body=_softmax_body,
    gradient=_softmax_gradient,
    properties=frozenset({"positive", "row_stochastic"}),
    latex=r"\operatorname{{softmax}}({x})",
    cost=1.5,
)


def _log_softmax_body(x: Node, *, axis: int) -> Node:
    shifted = _shifted(x, axis)
    return hinted(subtract(shifted, log(_total(hinted(exp(shifted), "e"), axis))), "log_p")


def _log_softmax_gradient(g: Node, out: Node, x: Node, *, axis: int) -> tuple[Node]:
    return (subtract(g, multiply(softmax_op(x, axis=axis), sum_op(g, axis=(axis,), keepdims=True))),)


log_softmax_op = Op(
    "log_softmax",
    "composite",
    ("x",),
    along,
    attrs={"axis": ...},
    coerce=_floats,
    body=_log_softmax_body,
    gradient=_log_softmax_gradient,
    latex=r"\log\operatorname{{softmax}}({x})",
    cost=1.5,
)


def _logsumexp_type(x: Type, *, axis: tuple[int, ...], keepdims: bool) -> Type:
    return Type(x.dtype, _reduced(x.shape, axis, keepdims))


def _logsumexp_gradient(g: Node, out: Node, x: Node, *, axis: tuple[int, ...], keepdims: bool) -> tuple[Node]:
    if len(axis) == 1:
        share = softmax_op(x, axis=axis[0])
    else:
        share = exp(subtract(x, restore_axes(out, axis, keepdims)))
    return (multiply(broadcast_to(restore_axes(g, axis, keepdims), x.shape), share),)


logsumexp_op = Op(
    "logsumexp",
    "composite",
    ("x",),
    _logsumexp_type,
    attrs={"axis": ..., "keepdims": False},
    coerce=_floats,
    gradient=_logsumexp_gradient,
    numpy=lambda x, node: f"_logsumexp({x}, {_axes(node)}, {node.attrs['keepdims']})",
    helpers=("_logsumexp",),
    latex=r"\log\textstyle\sum e^{{{x}}}",
    cost=1.5,
)


def _axes(node: Node) -> str:
    axis = node.attrs["axis"]
    return str(axis[0] if len(axis) == 1 else axis)


def softmax(x: Any, axis: int = -1) -> Node:
    """``exp(x) / sum(exp(x))`` along an axis, computed with the maximum subtracted.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (2,))
        >>> gx.compile(gx.softmax(x))([1000.0, 1000.0])
        array([0.5, 0.5], dtype=float32)
    """
    (x,) = as_nodes((x,))
    node: Node = softmax_op(x, axis=normal_axis(axis, x))
    return node


def log_softmax(x: Any, axis: int = -1) -> Node:
    """``x - logsumexp(x)`` along an axis.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (2,))
        >>> gx.compile(gx.log_softmax(x))([1000.0, 0.0])
        array([    0., -1000.], dtype=float32)
    """
    (x,) = as_nodes((x,))
    node: Node = log_softmax_op(x, axis=normal_axis(axis, x))
    return node


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Node:
    """``log(sum(exp(x)))`` along axes (all by default), computed with the maximum subtracted.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (2,))
        >>> gx.compile(gx.logsumexp(x))([1000.0, -1000.0])
        np.float32(1000.0)
    """
    (x,) = as_nodes((x,))
    node: Node = logsumexp_op(x, axis=normal_axes(axis, x), keepdims=bool(keepdims))
    return node


CARDS = (softmax_op, log_softmax_op, logsumexp_op)
