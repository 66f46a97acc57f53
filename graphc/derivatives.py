"""Derivatives of every kind, as nodes: gradient, products with Jacobian and Hessian, the matrices themselves.

Each cleans and stabilises the graph between variables and outputs first, so that what is differentiated is the
stable form, and then sweeps. All work again on their own results.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.autodiff.forward import jvp_nodes
from graphc.autodiff.reverse import seed, vjp_nodes
from graphc.errors import ArgumentError, ShapeError
from graphc.ir.events import Assembled
from graphc.ir.graph import Graph, hint_names
from graphc.ir.node import Node, engine, fresh_leaf, substitute, toposort
from graphc.ir.origin import here
from graphc.ir.provenance import record_parts
from graphc.ir.size import product
from graphc.ir.structure import flatten, unflatten
from graphc.ir.walk import deep_toposort
from graphc.ops.card import cast, constant
from graphc.ops.effects import by_mode_op
from graphc.ops.leaves import input_op
from graphc.ops.shape import broadcast_to, expand_dims, reshape
from graphc.ops.slices import concat
from graphc.rewrite.lower import MODES, choose_mode, drop_updates, open_effects
from graphc.rewrite.pipeline import BEFORE_GRADIENT, run
from graphc.rewrite.rule import check_level

LARGEST_JACOBIAN = 2048
"""Rows or columns, whichever are fewer, that a Jacobian may have: each is a sweep of its own in the graph."""

Sweep = Callable[[Sequence[Node], Sequence[Node]], list[Node]]


def grad(loss: Node, wrt: Any, level: str = "default") -> Any:
    """The gradient of a scalar, as nodes, in the structure of ``wrt``.

    The graph between ``wrt`` and the loss is cleaned and stabilised first, so that what is differentiated is the
    stable form; then one reverse sweep applies the chain rule. Works again on its own result.

    Args:
        loss: a float scalar.
        wrt: a node, or a list, tuple or dict of nodes; leaves or not.
        level: ``exact``, ``default`` or ``fast``: which rewrites may happen before the sweep.

    Raises:
        ArgumentError: the loss is not a scalar.
        MissingRule: an operation on the way has no derivative.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (3,))
        >>> g = gx.grad(gx.sum(gx.square(x)), x)
        >>> gx.compile(g)([1.0, 2.0, 3.0])
        array([2., 4., 6.], dtype=float32)
    """
    _need_scalar(loss)
    variables, form = _nodes(wrt, "wrt")
    found = _derivative([loss], variables, level, lambda ys, xs: vjp_nodes(ys, [seed(ys[0])], xs))
    return unflatten(form, found)


def vjp(y: Node, x: Any, v: Any, level: str = "default") -> Any:
    """The vector-Jacobian product ``vᵀ ∂y/∂x``, in the structure of ``x``: reverse mode.

    Args:
        y: a float node of any shape.
        x: what to differentiate by: a node, or a list, tuple or dict of nodes.
        v: a node or array of the type of ``y``.
        level: which rewrites may happen before the sweep.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (3,))
        >>> gx.compile(gx.vjp(gx.square(x), x, [1.0, 0.0, 2.0]))([1.0, 2.0, 3.0])
        array([ 2.,  0., 12.], dtype=float32)
    """
    variables, form = _nodes(x, "x")
    cotangent = _like(v, y, "v")
    return unflatten(form, _derivative([y], variables, level, lambda ys, xs: vjp_nodes(ys, [cotangent], xs)))


def jvp(y: Any, x: Any, v: Any, level: str = "default") -> Any:
    """The Jacobian-vector product ``∂y/∂x · v``, in the structure of ``y``: forward mode.

    Args:
        y: a float node, or a list, tuple or dict of them.
        x: what to differentiate by: a node, or a list, tuple or dict of nodes.
        v: the direction: a node or array for each variable, in the structure of ``x``.
        level: which rewrites may happen before the sweep.

    Raises:
        ArgumentError: a direction that does not fit ``x``.
        MissingRule: an operation on the way has no derivative.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (3,))
        >>> gx.compile(gx.jvp(gx.sum(gx.square(x)), x, [1.0, 0.0, 2.0]))([1.0, 2.0, 3.0])
        np.float32(14.0)
    """
    outputs, form = _nodes(y, "y")
    variables, _ = _nodes(x, "x")
    directions = _directions(v, variables)
    return unflatten(
        form, _derivative(outputs, variables, level, lambda ys, xs: jvp_nodes(ys, xs, directions))
    )


def hvp(f: Node, x: Any, v: Any, level: str = "default") -> Any:
    """The Hessian-vector product ``∂²f/∂x² · v``, in the structure of ``x``: forward over reverse.

    Args:
        f: a float scalar.
        x: a node, or a list, tuple or dict of nodes.
        v: the direction, in the structure of ``x``.
        level: which rewrites may happen before each sweep.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (2,))
        >>> gx.compile(gx.hvp(gx.sum(x * x * x), x, [1.0, 1.0]))([1.0, 2.0])
        array([ 6., 12.], dtype=float32)
    """
    return jvp(grad(f, x, level), x, v, level)


def gauss_newton(loss: Node, y: Node, x: Any, v: Any, level: str = "default") -> Any:
    """The Gauss-Newton product ``Jᵀ H J v``: J of ``y`` by ``x``, H of the loss by ``y``; in the structure of ``x``.

    Args:
        loss: a float scalar that depends on ``y``.
        y: the outputs of a model, a float node.
        x: a node, or a list, tuple or dict of nodes.
        v: the direction, in the structure of ``x``.
        level: which rewrites may happen before each sweep.

    Example:
        >>> import graphc as gx
        >>> x, w = gx.input("x", ("n", 2)), gx.param("w", (2,))
        >>> y = x @ w
        >>> product = gx.gauss_newton(gx.sum(gx.square(y)), y, w, [1.0, 0.0])
        >>> gx.compile(product)([[1.0, 2.0]])
        array([2., 4.], dtype=float32)

    Source: Schraudolph 2002, eq. 7.
    """
    return vjp(y, x, hvp(loss, y, jvp(y, x, v, level), level), level)


def jacobian(y: Node, x: Node, level: str = "default") -> Node:
    """The Jacobian ``∂y/∂x``, of shape ``y.shape + x.shape``: by rows or by columns, whichever are fewer.

    Args:
        y: a float node whose sizes are ints.
        x: a float node whose sizes are ints.
        level: which rewrites may happen before the sweeps.

    Raises:
        ShapeError: a named size, or more rows and columns than are sensible in a graph.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (2,))
        >>> gx.compile(gx.jacobian(x * x, x))([1.0, 2.0])
        array([[2., 0.],
               [0., 4.]], dtype=float32)
    """
    rows, columns = _count(y, "y"), _count(x, "x")
    if min(rows, columns) > LARGEST_JACOBIAN:
        raise ShapeError(
            f"a Jacobian of {rows} by {columns} is too large for a graph",
            expected=f"at most {LARGEST_JACOBIAN} rows or columns",
            fix="use products instead: gx.vjp, gx.jvp, gx.hvp",
        )
    by_rows = rows <= columns
    sweep = _rows if by_rows else _columns
    parts = _derivative([y], [x], level, sweep)
    with engine():
        if not parts:
            return reshape(constant(np.zeros(0), y.dtype), (*y.shape, *x.shape))
        flat = concat(
            [expand_dims(reshape(part, -1), 0 if by_rows else 1) for part in parts], axis=0 if by_rows else 1
        )
        result = reshape(flat, (*y.shape, *x.shape))
        event = Assembled(y, x)
        result.about.record(event)
        record_parts(result, event, parts)
        return result


def hessian(f: Node, x: Node, level: str = "default") -> Node:
    """The Hessian ``∂²f/∂x²``, of shape ``x.shape + x.shape``.

    Args:
        f: a float scalar.
        x: a float node whose sizes are ints.
        level: which rewrites may happen before the sweeps.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (2,))
        >>> gx.compile(gx.hessian(gx.sum(x * x * x), x))([1.0, 2.0])
        array([[ 6.,  0.],
               [ 0., 12.]], dtype=float32)
    """
    gradient: Node = grad(f, x, level)
    return jacobian(gradient, x, level)


# -- what they share ----------------------------------------------------------------------------------------------


def _derivative(outputs: Sequence[Node], wrt: Sequence[Node], level: str, sweep: Sweep) -> list[Node]:
    """Prepare, sweep, and put back what was hidden; a choice by mode has a derivative in each branch."""
    check_level(level)
    hint_names(toposort(outputs))
    with engine():
        roots = (*outputs, *wrt)
        whole = open_effects(Graph(roots, ("tuple", ["*"] * len(roots))), keep_gradients=True)
        choices = any(n.op.role == "by_mode" for n in deep_toposort(whole.outputs[: len(outputs)]))
        chosen = [choose_mode(whole, mode).outputs for mode in MODES] if choices else [whole.outputs]
        branches = [_swept(c[: len(outputs)], c[len(outputs) :], level, sweep) for c in chosen]
        if not choices:
            return branches[0]
        return [a if a is b else by_mode_op(a, b) for a, b in zip(*branches, strict=True)]


def _swept(outputs: Sequence[Node], wrt: Sequence[Node], level: str, sweep: Sweep) -> list[Node]:
    """Stabilise, then sweep; a variable that is not a leaf is hidden from the rules behind a leaf."""
    hidden = {x: _placeholder(x) for x in wrt if x.op.kind != "leaf"}
    opened = {leaf: x for x, leaf in hidden.items()}
    tops = substitute(outputs, hidden)
    graph = Graph(tuple(tops[y] for y in outputs), ("tuple", ["*"] * len(outputs)))
    prepared = run(drop_updates(graph), BEFORE_GRADIENT, level).outputs
    found = sweep(prepared, [hidden.get(x, x) for x in wrt])
    done = substitute(found, opened)
    return [done[node] for node in found]


def _placeholder(x: Node) -> Node:
    leaf = fresh_leaf(
        input_op, {"name": x.about.name or x.op.name, "shape": x.shape, "dtype": x.dtype}, x.type
    )
    leaf.about.adopt(x.about)
    return leaf


def _rows(ys: Sequence[Node], xs: Sequence[Node]) -> list[Node]:
    return [vjp_nodes(ys, [basis], xs)[0] for basis in _basis(ys[0])]


def _columns(ys: Sequence[Node], xs: Sequence[Node]) -> list[Node]:
    return [jvp_nodes(ys, xs, [basis])[0] for basis in _basis(xs[0])]


def _basis(node: Node) -> list[Node]:
    """The unit vectors of a node's shape."""
    shape = tuple(int(str(d)) for d in node.shape)
    units = np.eye(int(np.prod(shape)), dtype=node.dtype)
    return [constant(unit.reshape(shape), node.dtype) for unit in units]


def _nodes(thing: Any, what: str) -> tuple[list[Node], Any]:
    return flatten(thing, lambda n: isinstance(n, Node), what)


def _like(value: Any, node: Node, what: str) -> Node:
    """A node or array as a node of another's type; a scalar is stretched."""
    if not isinstance(node, Node):
        raise ArgumentError("only a node has derivatives", given=type(node).__name__)
    with engine():
        given = cast(np.asarray(value) if isinstance(value, (list, tuple)) else value, node.dtype)
        if given.shape not in ((), node.shape):
            raise ArgumentError(
                f"{what} must have the shape of what it belongs to",
                given=str(given.type),
                expected=str(node.type),
                where=here(),
                fix="give one weight for each element, or one for all",
            )
        return broadcast_to(given, node.shape)


def _directions(v: Any, variables: Sequence[Node]) -> list[Node]:
    if len(variables) == 1 and not isinstance(v, dict):
        whole = v[0] if isinstance(v, (list, tuple)) and len(v) == 1 and isinstance(v[0], Node) else v
        return [_like(whole, variables[0], "v")]
    parts = list(v.values()) if isinstance(v, dict) else list(v)
    if len(parts) != len(variables):
        raise ArgumentError(
            "v needs a direction for each variable", given=str(len(parts)), expected=str(len(variables))
        )
    return [_like(part, x, "v") for part, x in zip(parts, variables, strict=True)]


def _count(node: Node, what: str) -> int:
    count = product(node.shape)
    if not isinstance(count, int):
        raise ShapeError(
            f"the sizes of {what} must be ints for a Jacobian",
            given=str(node.type),
            fix="use gx.vjp, gx.jvp or gx.hvp",
        )
    return count


def _need_scalar(loss: Any) -> None:
    if not isinstance(loss, Node) or loss.shape != ():
        given = str(getattr(loss, "type", type(loss).__name__))
        raise ArgumentError(
            "only a scalar has a gradient", given=given, fix="reduce it with gx.sum or gx.mean, or use gx.vjp"
        )
