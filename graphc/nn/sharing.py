"""One layer used in several places, with one set of parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.node import Node, substitute, toposort
from graphc.ir.origin import here
from graphc.ops.card import as_nodes

_ONCE = ("random", "state", "update")


class Shared:
    """A function of nodes whose parameters are made at its first call and used again at the others.

    The gradients of all uses add up.

    Args:
        layer: a function of one or more nodes that returns a node.

    Raises:
        ArgumentError: another number of nodes than at the first call; or the layer draws or carries a state, of which
            each use needs its own.
        ShapeError: a node of another shape than at the first call.

    Example:
        >>> import graphc as gx
        >>> encode = Shared(lambda v: gx.nn.dense(v, 3, "tanh", name="encode"))
        >>> a, b = gx.input("a", ("batch", 4)), gx.input("b", ("batch", 4))
        >>> distance = gx.sum(gx.square(encode(a) - encode(b)), axis=1)
        >>> [str(gx.graph_of(distance).name_of(p)) for p in gx.graph_of(distance).leaves("param")]
        ['encode.W', 'encode.b']

    Source: Bromley et al. 1993, for two branches.
    """

    def __init__(self, layer: Callable[..., Node]) -> None:
        self.layer = layer
        self._first: tuple[tuple[Node, ...], Node] | None = None

    def __call__(self, *inputs: Any) -> Node:
        """The layer over these nodes."""
        nodes = as_nodes(inputs)
        if self._first is None:
            self._first = (nodes, self.layer(*nodes))
            return self._first[1]
        first, result = self._first
        _check(first, nodes)
        _check_repeatable(result, first)
        return substitute([result], dict(zip(first, nodes, strict=True)))[result]


def shared(layer: Callable[..., Node]) -> Shared:
    """A layer to be used in several places with one set of parameters; see ``Shared``.

    Example:
        >>> import graphc as gx
        >>> step = shared(lambda h: gx.nn.dense(h, 4, "tanh", name="step"))
        >>> h = gx.input("h", ("batch", 4))
        >>> len(gx.graph_of(step(step(step(h)))).leaves("param"))
        2
    """
    return Shared(layer)


def _check(first: tuple[Node, ...], nodes: tuple[Node, ...]) -> None:
    if len(nodes) != len(first):
        raise ArgumentError(
            f"this shared layer takes {len(first)} nodes", given=str(len(nodes)), where=here()
        )
    for a, b in zip(first, nodes, strict=True):
        if a.type != b.type:
            raise ShapeError(
                "a shared layer is used on nodes of one type",
                given=str(b.type),
                expected=f"{a.type}, as at its first use",
                where=here(),
            )


def _check_repeatable(result: Node, inputs: tuple[Node, ...]) -> None:
    """What is drawn or carried is made once: used twice, two places would have one mask or one running mean."""
    before = set(toposort(inputs))
    for node in toposort([result]):
        if node not in before and node.op.role in _ONCE:
            raise ArgumentError(
                "a shared layer holds no random site and no state",
                given=f"{node.op.name}, which each use needs its own of",
                where=here(),
                fix="call dropout and normalisation outside of the shared layer",
            )
