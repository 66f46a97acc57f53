"""Effects, what carries graphs, and derivatives as part of a program."""

from __future__ import annotations

from typing import Any

import graphc as gx
from graphc.ir.node import Node
from tests.programs.maker import REAL, Maker
from tests.programs.pointwise import Row


def composite(m: Maker) -> Node:
    x = m.number()
    body = m.one(
        (
            lambda a: gx.tanh(a) * a,
            lambda a: gx.sin(a) + a,
            lambda a: gx.softmax(gx.expand_dims(a, a.ndim))[..., 0],
        )
    )
    return gx.composite("boxed", body)(x)


def with_gradient(m: Maker) -> Node:
    """A gradient of its own that is right, so that differences may judge it."""
    x = m.number()
    cube = gx.composite("cube", lambda a: a * a * a, lambda g, a: 3 * gx.square(a) * g)
    return cube(m.within(x, *REAL))


def update(m: Maker) -> Node:
    x = m.number(kind="float")
    state = m.leaf(m.one(((), (3,))), made="state")
    return gx.update(x, {state: 0.5 * state + gx.astype(gx.sum(x), state.dtype)})


def by_mode(m: Maker) -> Node:
    x = m.number()
    return gx.by_mode(train=gx.sin(x), eval=m.one((x, gx.tanh(x), gx.zeros_like(x))))


def bernoulli(m: Maker) -> Node:
    x = m.number()
    mask = gx.bernoulli(x.shape, m.one((0.5, 0.9)), name=f"mask{len(m.pool)}")
    return gx.where(mask, x, 0.0)


def normal(m: Maker) -> Node:
    x = m.number()
    return x + gx.normal(x.shape, x.dtype, name=f"noise{len(m.pool)}")


def scan(m: Maker) -> list[Node]:
    """A loop over a sequence, with a weight from around it; or so many steps without one."""
    start, w = m.leaf((2,)), m.of(())
    if m.rarely():
        last, _ = gx.scan(lambda c, _: (gx.astype(gx.sin(c) * w, c.dtype), None), start, length=3)
        return [last]
    xs = m.of((m.one(("n", 3)), 2))

    def body(carry: Node, x: Node) -> tuple[Node, Node]:
        after = gx.astype(gx.tanh(w * carry + x), carry.dtype)
        return after, after * x

    last, ys = gx.scan(body, start, xs, reverse=m.coin())
    return [last, ys]


def cond(m: Maker) -> Node:
    x = m.number()
    return gx.cond(m.of((), "bool"), lambda a: gx.sin(a), lambda a: a * gx.exp(-gx.abs(a)), x)


def assume(m: Maker) -> Node:
    """What holds of every number: a fact that does not hold may change the result."""
    x = m.number()
    if m.coin():
        return gx.log(gx.assume(0.5 + gx.sigmoid(x), positive=True, low=0.5, high=1.5))
    return gx.sqrt(gx.square(gx.assume(gx.exp(gx.tanh(x)), nonnegative=True)))


def gradient(m: Maker) -> Node:
    """A gradient as part of the program: its own gradient is a second derivative."""
    x = m.value(fits=lambda x: x.op.kind == "leaf")
    y = m.number()
    return gx.grad(gx.sum(gx.sin(y)) + gx.sum(gx.square(x)), x, m.one(("default", "exact")))


def product_of(function: Any) -> Row:
    def row(m: Maker) -> Node:
        x = m.value(fits=lambda x: x.op.kind == "leaf")
        y = gx.tanh(m.number()) + gx.sum(gx.sin(x))
        return function(y, x, gx.ones_like(y if function is gx.vjp else x))

    return row


def hvp(m: Maker) -> Node:
    x = m.leaf(m.one(((3,), ("n", 3), ())))
    return gx.hvp(gx.sum(gx.sin(x) * m.beside(x)), x, gx.ones_like(x))


def gauss_newton(m: Maker) -> Node:
    x = m.leaf((3,))
    y = gx.tanh(m.of((2, 3)) @ x)
    return gx.gauss_newton(gx.sum(gx.exp(y)), y, x, gx.ones_like(x))


def matrix_of(function: Any) -> Row:
    def row(m: Maker) -> Node:
        x = m.leaf((2,))
        y = gx.sin(x) * m.of((2,))
        return function(gx.sum(y) if function is gx.hessian else y, x)

    return row


def scalar_function(m: Maker) -> Node:
    bent = gx.scalar_function("bent", "x*tanh(log(1+exp(x)))")
    lifted = gx.scalar_function("lifted", "sqrt(c + x*y) + x", c=9.0)
    x = m.number()
    return bent(x) if m.coin() else lifted(m.within(x, *REAL), m.within(x, *REAL))
