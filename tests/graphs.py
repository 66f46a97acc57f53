"""Random typed graphs for property tests: named sizes, broadcasting, reductions, products, values used twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

import graphc as gx
from graphc.errors import GraphcError, ShapeError
from graphc.ir.node import Node

CONSTANTS = (0.0, -0.0, 1.0, -1.0, 2.0, 0.5, -3.0)

UNARY: tuple[Callable[[Node], Node], ...] = (
    gx.negative,
    gx.tanh,
    gx.sigmoid,
    gx.square,
    gx.abs,
    gx.relu,
    gx.softplus,
    gx.sin,
    gx.silu,
    gx.elu,
    gx.leaky_relu,
    gx.sign,
    lambda x: gx.exp(gx.tanh(x)),
    lambda x: gx.expm1(gx.tanh(x)),
    lambda x: gx.log1p(gx.square(x)),
    lambda x: gx.sqrt(1.0 + gx.square(x)),
    lambda x: gx.log(1 + gx.exp(x)),
    lambda x: 1 / (1 + gx.exp(-x)),
    lambda x: gx.sqrt(x * x),
    lambda x: x**2,
    lambda x: x**3,
    lambda x: gx.where(x > 0.0, x, 0.0),
    lambda x: gx.clip(x, -1.0, 1.0),
    lambda x: gx.stop_gradient(x) * x,
)
BINARY: tuple[Callable[[Node, Node], Node], ...] = (
    gx.add,
    gx.subtract,
    gx.multiply,
    gx.maximum,
    gx.minimum,
    lambda x, y: x / (1.0 + gx.square(y)),
    lambda x, y: gx.where(x > y, x * y, y),
    lambda x, y: x @ y,
    lambda x, y: joined(x, y),
    lambda x, y: (-x) * (-y),
    lambda x, y: x - (-y),
)
SHAPING: tuple[Callable[[Node, int], Node], ...] = (
    lambda x, a: gx.sum(x, axis=a),
    lambda x, a: gx.sum(x, axis=a, keepdims=True),
    lambda x, a: gx.mean(x, axis=a, keepdims=True),
    lambda x, a: gx.var(x, axis=a),
    lambda x, a: gx.max(x, axis=a),
    lambda x, a: gx.logsumexp(x, axis=a),
    lambda x, a: gx.softmax(x, axis=a),
    lambda x, a: gx.log_softmax(x, axis=a),
    lambda x, a: gx.exp(gx.tanh(x)) / gx.sum(gx.exp(gx.tanh(x)), axis=a, keepdims=True),
    lambda x, a: gx.expand_dims(x, a),
    lambda x, a: gx.transpose(x),
    lambda x, a: gx.reshape(x, -1),
    lambda x, a: x[1:],
    lambda x, a: gx.squeeze(gx.expand_dims(x, a), a),
)


def joined(x: Node, y: Node) -> Node:
    """Joined along the last axis; along a named size that has no gradient."""
    if x.ndim < 2 or not isinstance(x.shape[-1], int):
        raise ShapeError("the last size must be an int")
    return gx.concat([x, y], axis=x.ndim - 1)


@dataclass(frozen=True)
class Program:
    """A random graph: its leaves, one scalar that depends on much of it, and some other outputs."""

    leaves: tuple[Node, ...]
    loss: Node
    outputs: tuple[Node, ...]

    def values(self, seed: int, special: bool = False) -> dict[str, Any]:
        """Arrays for the leaves; with ``special``, infinities, nans, zeros and subnormals among them."""
        random = np.random.default_rng(seed)
        arrays = {}
        for x in self.leaves:
            shape = tuple(4 if not isinstance(d, int) else d for d in x.shape)
            array = random.normal(size=shape)
            if special:
                odd = random.choice([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-320, 1e200, -1e-200], shape)
                array = np.where(random.random(shape) < 0.3, odd, array)
            with np.errstate(over="ignore"):
                arrays[str(x.name)] = np.asarray(array, dtype=x.dtype)[()]
        return arrays


def leaves(dtype: str) -> tuple[Node, ...]:
    """The leaves of every random graph."""
    return (
        gx.input("x", ("n", 3), dtype=dtype),
        gx.input("y", ("n", 1), dtype=dtype),
        gx.param("W", (3, 3), dtype=dtype),
        gx.param("b", (3,), dtype=dtype),
        gx.hyper("s", dtype=dtype),
    )


@st.composite
def programs(draw: Any, dtype: str = "float64", most: int = 9) -> Program:
    """A random program; a step whose operands do not fit is left out."""
    made = leaves(dtype)
    pool: list[Node] = list(made)
    for _ in range(draw(st.integers(1, most))):
        node = _step(draw, pool)
        if node is not None:
            pool.append(node)
    tail = pool[len(made) :] or [made[0]]
    loss = gx.sum(tail[-1])
    for node in tail[-4:-1]:
        loss = loss + gx.sum(node * 0.5)
    # every leaf is an argument, whatever the steps made use of
    loss = loss + sum(gx.sum(x) for x in made)
    return Program(made, loss, tuple(tail[-3:]))


def _step(draw: Any, pool: list[Node]) -> Node | None:
    kind = draw(st.sampled_from(("unary", "binary", "constant", "shaping")))
    x = _pick(draw, pool)
    try:
        if kind == "unary":
            return draw(st.sampled_from(UNARY))(x)
        if kind == "binary":
            return draw(st.sampled_from(BINARY))(x, _pick(draw, pool))
        if kind == "constant":
            c = draw(st.sampled_from(CONSTANTS))
            return draw(st.sampled_from((x + c, x * c, c - x, x - c, c * (x * 0.5))))
        axis = draw(st.integers(0, max(0, x.ndim - 1)))
        return draw(st.sampled_from(SHAPING))(x, axis)
    except GraphcError:
        return None


def _pick(draw: Any, pool: list[Node]) -> Node:
    """Any node, the latest most often."""
    from_end = draw(st.integers(0, len(pool) - 1))
    return pool[len(pool) - 1 - from_end]
