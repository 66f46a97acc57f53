"""Effects and cards that carry graphs: state transitions, a choice by mode, composites of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.ir.graph import ARGUMENT_ROLES
from graphc.ir.node import Node, apply, substitute, toposort
from graphc.ir.op import ZERO, Op
from graphc.ir.types import Type
from graphc.ops.bodies import arg, captured, closed, stand_in
from graphc.ops.card import as_nodes, promoted
from graphc.ops.leaves import zeros_like


def _update_type(y: Type, *nexts: Type, states: tuple[Node, ...]) -> Type:
    for state, value in zip(states, nexts, strict=True):
        if state.type != value:
            raise ShapeError(
                f"the next value of {state.about.name} has another type",
                given=str(value),
                expected=str(state.type),
                fix="declare the state with the shape and dtype that it becomes",
            )
    return y


update_op = Op(
    "update",
    "effect",
    ("y", "*next"),
    _update_type,
    attrs={"states": ...},
    coerce=as_nodes,
    gradient=lambda g, out, y, *nexts, states: (g, *[ZERO] * len(nexts)),
    role="update",
    latex="{y}",
    doc="A value, with state transitions attached.",
)


def update(y: Node, transitions: Mapping[Node, Any]) -> Node:
    """``y``, with state transitions attached: a program that computes ``y`` also returns the next states.

    Args:
        y: the value.
        transitions: for each state its next value, of the same shape and dtype.

    Raises:
        ArgumentError: a key that is not a state or parameter.
        ShapeError: a next value of another type.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> count = gx.state("count", ())
        >>> y = gx.update(2 * x, {count: count + 1})
        >>> gx.compile(y, mode="train")([1.0], 5.0)
        (array([2.], dtype=float32), {'count': np.float32(6.0)})
    """
    for leaf in transitions:
        if not isinstance(leaf, Node) or leaf.op.role not in ("state", "param"):
            raise ArgumentError(
                "gx.update changes states", given=f"{leaf}"[:80], fix="make one with gx.state"
            )
    node: Node = update_op(y, *transitions.values(), states=tuple(transitions))
    return node


def _by_mode_type(train: Type, eval: Type) -> Type:
    if train != eval:
        raise ShapeError("both branches need the same type", given=f"{train} and {eval}")
    return train


by_mode_op = Op(
    "by_mode",
    "effect",
    ("train", "eval"),
    _by_mode_type,
    coerce=promoted,
    role="by_mode",
    latex=r"\begin{{cases}} {train} & \text{{train}} \\ {eval} & \text{{eval}} \end{{cases}}",
    doc="One of two branches, chosen when the program is compiled.",
)


def by_mode(*, train: Any, eval: Any) -> Node:
    """One of two values, chosen by the ``mode`` of ``compile``.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> y = gx.by_mode(train=2 * x, eval=x)
        >>> gx.compile(y, mode="train")([1.0]), gx.compile(y)([1.0])
        (array([2.], dtype=float32), array([1.], dtype=float32))
    """
    node: Node = by_mode_op(train, eval)
    return node


# -- composites of the user's own carry their body as a graph over `arg` leaves -------------------------------------


def _call_type(*types: Type, name: str, body: Node, gradient: Any) -> Type:
    return body.type


def _call_gradient(
    g: Node, out: Node, *xs: Node, name: str, body: Node, gradient: tuple[Node, ...]
) -> tuple[Node, ...]:
    args = {arg(i, x.type): x for i, x in enumerate((*xs, g))}
    done = substitute(gradient, args)
    for node in done.values():
        if node.about.events:  # the user wrote it, but as a gradient, not as a forward value
            node.about.declared = False
    return tuple(done[part] for part in gradient)


call_op = Op(
    "call",
    "composite",
    ("*xs",),
    _call_type,
    attrs={"name": ..., "body": ..., "gradient": None},
    coerce=as_nodes,
    gradient=_call_gradient,
    role="call",
    latex=r"\operatorname{{call}}({xs})",
    doc="One box, with its body behind it.",
)


def composite(
    name: str, body: Callable[..., Node], gradient: Callable[..., Any] | None = None
) -> Callable[..., Node]:
    """One box in the picture, with its body behind it.

    Args:
        name: what the box is called.
        body: ``(*nodes) -> node``; what it takes from around it becomes one more operand.
        gradient: ``(cotangent, *nodes) -> cotangent of each operand`` (one node for one operand); by default the
            body is differentiated.

    Returns:
        A function of nodes.

    Raises:
        ArgumentError: a body that does not return a node, or a gradient with a wrong number of parts.

    Example:
        >>> import graphc as gx
        >>> hat = gx.composite("hat", lambda x: gx.maximum(1 - gx.abs(x), 0))
        >>> hat(gx.input("x", (3,))).op
        <op call>
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise ArgumentError("the name of a composite is an identifier", given=repr(name))

    def call(*inputs: Any) -> Node:
        nodes = as_nodes(inputs)
        leaves = [stand_in(f"x{i}", x.type) for i, x in enumerate(nodes)]
        traced = body(*leaves)
        if not isinstance(traced, Node):
            raise ArgumentError(f"the body of {name} must return a node", given=type(traced).__name__)
        cotangent = stand_in("g", traced.type)
        parts = () if gradient is None else _traced_gradient(name, gradient, traced, leaves, cotangent)
        around = captured([traced, *parts], [*leaves, cotangent])
        none = [] if gradient is None else [zeros_like(x) for x in around]
        first, *rest = closed([traced, *parts, *none], [*leaves, *around, cotangent])
        declared = None if gradient is None else tuple(rest)
        node: Node = apply(call_op, *nodes, *around, name=name, body=first, gradient=declared)
        return node

    call.__name__ = name
    return call


def _traced_gradient(
    name: str, gradient: Callable[..., Any], body: Node, leaves: Sequence[Node], cotangent: Node
) -> tuple[Node, ...]:
    for leaf in toposort([body]):
        if leaf.op.role in ARGUMENT_ROLES and leaf.type.is_float and leaf not in leaves:
            raise ArgumentError(
                f"the body of {name} uses {leaf.about.name}, of which its gradient says nothing",
                fix=f"pass {leaf.about.name} to {name} as an operand",
            )
    parts = gradient(cotangent, *leaves)
    parts = parts if isinstance(parts, (tuple, list)) else (parts,)
    if len(parts) != len(leaves):
        raise ArgumentError(f"the gradient of {name} has {len(parts)} parts", expected=str(len(leaves)))
    for part, operand in zip(parts, leaves, strict=True):
        if not isinstance(part, Node) or part.type != operand.type:
            raise DTypeError(
                f"the gradient of {name} must have the type of its operand",
                given=str(getattr(part, "type", part)),
                expected=str(operand.type),
            )
    return tuple(parts)


CARDS = (update_op, by_mode_op, call_op)
