"""Graphs of every kind, for tests of what must hold of any graph."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import graphc as gx
from graphc.ir.graph import Graph
from graphc.ir.origin import scope


def mlp(dtype: str = "float64") -> tuple[gx.Node, dict[str, gx.Node]]:  # type: ignore[name-defined]
    """A small network in layers, and its parameters."""
    x = gx.input("x", ("batch", 4), dtype=dtype)
    t = gx.input("t", ("batch",), dtype="int64")
    h, params = x, {}
    for name, units in ((None, 3), ("output", 5)):
        with scope(name, "dense"):
            w = gx.param("W", (h.shape[1], units), init="he_normal", dtype=dtype)
            b = gx.param("b", (units,), init=gx.init("normal", std=0.1), dtype=dtype)
            z = h @ w + b
            h = gx.relu(z) if name is None else z
        params |= {f"W{len(params)}": w, f"b{len(params)}": b}
    loss = -gx.mean(gx.sum(gx.one_hot(t, 5, dtype=dtype) * gx.log_softmax(h), axis=-1))
    return loss, params


def _loss() -> Graph:
    return gx.graph_of(mlp()[0], name="loss")


def _gradients() -> Graph:
    loss, params = mlp()
    return gx.graph_of({"loss": loss, "grads": gx.grad(loss, params)})


def _second_order() -> Graph:
    x = gx.input("x", (3,), dtype="float64")
    first = gx.grad(gx.sum(gx.tanh(x) * gx.exp(-x)), x)
    return gx.graph_of([gx.grad(gx.sum(first * first), x)])


def _simplified() -> Graph:
    return gx.simplify(_gradients())


def _lowered() -> Graph:
    return gx.compile(_gradients()).graph


def _training_step() -> Graph:
    loss, params = mlp()
    rate = gx.hyper("lr", 0.1, dtype="float64")
    return gx.graph_of(loss, {p: p - rate * gx.grad(loss, p) for p in params.values()}, "train_step")


def _running_mean() -> Graph:
    x = gx.input("x", ("n", 3), dtype="float64")
    mean = gx.state("mean", (3,), dtype="float64")
    new = 0.9 * mean + 0.1 * gx.mean(x, axis=0)
    train = gx.update(x - gx.mean(x, axis=0), {mean: new})
    return gx.graph_of(gx.by_mode(train=train, eval=x - mean))


def _write_only_state() -> Graph:
    x = gx.input("x", (3,), dtype="float64")
    return gx.graph_of(gx.update(x * 2, {gx.state("total", (), dtype="float64"): gx.sum(x)}))


def _dropout() -> Graph:
    x = gx.input("x", ("n", 3), dtype="float64")
    with gx.scope("dropout"):
        first = gx.where(gx.bernoulli(("n", 3), 0.75), x / 0.75, 0)
    second = gx.where(gx.bernoulli(("n", 3), 0.3, name="other"), first, 0)
    return gx.graph_of(gx.by_mode(train=second, eval=x * 1))


def _composites() -> Graph:
    x, w = gx.input("x", ("n", 3), dtype="float64"), gx.param("w", (3,), dtype="float64")
    inner = gx.composite("inner", lambda v: gx.tanh(v) * w)
    outer = gx.composite("outer", lambda v: inner(inner(v)) + inner(v * 2))
    own = gx.composite("own", lambda a, b: a * b, lambda g, a, b: (g * b * 2, g * a))
    y = own(outer(x), x)
    return gx.graph_of([y, gx.grad(gx.sum(y), [x, w])])


def _scalar_functions() -> Graph:
    from graphc.symbolic.scalar import scalar_card

    x = gx.input("x", ("n",), dtype="float64")
    swish = scalar_card("swish", "x * sigmoid(beta * x)", ["x"], {"beta": 1.0})
    other = scalar_card("swish", "x * tanh(y)", ["x", "y"])
    y = other(swish(x, beta=0.1), swish(x)) + swish(x * 2)
    return gx.graph_of([y, gx.grad(gx.sum(y), x)])


def _names() -> Graph:
    x = gx.input("größe", (2,), dtype="float64")
    with gx.scope('a.b "c"'), gx.scope("d"):
        y = gx.param("w%1 #2", (2,), dtype="float64") * x
    z = (y + gx.hyper("adam.m/A2", None, dtype="float64")).named("_x")
    other = (z * 2).named("z").named('quote " and \\ back')
    with gx.scope("p"):
        dotted = (other + 1).named("q")
    return gx.graph_of({'k "1"': [dotted, (z,)], 3: {}, "ü": (other, [])})


def _names_that_meet() -> Graph:
    x = gx.input("x", (), dtype="float64")
    a, b, c = gx.exp(x).named("h"), gx.tanh(x).named("h"), gx.sin(x).named("h h")
    return gx.graph_of([a, b, c, gx.cos(x).named("h_h"), gx.sqrt(x).named("tanh"), gx.tanh(gx.tanh(x) * 1.5)])


def _shapes() -> Graph:
    x = gx.input("x", ("n", "m", 4), dtype="float64")
    i = gx.input("i", ("n",), dtype="int32")
    table = gx.param("table", (7, 2), dtype="float64")
    return gx.graph_of(
        (
            gx.reshape(x, (-1, 4)),
            gx.transpose(x, (2, 0, 1)),
            x[1:, None, ::2, -1],
            x[1:, :-1],
            gx.concat([x, x], axis=1),
            gx.grad(gx.sum(table[i]), table),
            gx.grad(gx.sum(x[1:-1:3]), x),
            gx.size(x) * 2,
            gx.size(x, 0),
            gx.broadcast_to(gx.zeros((1, 4), "float64"), ("n", 4)),
            gx.max(x, axis=2),
            gx.argmax(x),
            gx.var(x, axis=(0, 2), correction=1, keepdims=True),
            gx.logsumexp(x, axis=(0, 1)),
            gx.astype(x > 0, "int32"),
            gx.sum(x > 0),
        )
    )


def _numbers() -> Graph:
    rng = np.random.default_rng(0)
    tiny = np.float32(1e-45)
    odd = np.array([0.1, -0.0, np.inf, -np.inf, np.nan, 1 / 3, 5e-324, 3e38])
    payload = np.array([0x7FF8000000000001, 0xFFF0000000000001], dtype="uint64").view("float64")
    x = gx.input("x", (), dtype="float64")
    values = [
        *(
            gx.const(v)
            for v in (0.1, -0.0, 1e-7, float("inf"), float("-inf"), float("nan"), 2**62, -5, True, tiny)
        ),
        gx.const(odd),
        gx.const(odd.astype("float32")),
        gx.const(payload),
        gx.const(np.array([[True, False]])),
        gx.const(np.arange(6, dtype="int32").reshape(2, 3)),
        gx.const(np.zeros((0, 3))),
        gx.const(rng.normal(size=(20, 30)).astype("float32")),
        gx.const(rng.normal(size=(5, 7))),
        gx.const(rng.random((9, 9)) < 0.5),
    ]
    slopes = [gx.leaky_relu(x, negative_slope=s) for s in (0.1, -0.0, 1e300, float("inf"))]
    return gx.graph_of([*values, *slopes])


def _initialisers() -> Graph:
    inits = [
        "zeros",
        "xavier_normal",
        gx.init("uniform", bound=0.1),
        0.5,
        np.array([0.1, np.nan]),
        np.array([1, 2]),
    ]
    params = [
        gx.param(f"p{i}", (2,), init=v, dtype="float64", trainable=i % 2 == 0) for i, v in enumerate(inits)
    ]
    many = gx.param("many", (10, 10), init=np.random.default_rng(0).normal(size=(10, 10)), dtype="float64")
    state = gx.state("s", (2,), init=np.array([1.5, -0.0], dtype="float32"), dtype="float64")
    return gx.graph_of([sum(params, start=state), gx.sum(many)])


def _loops() -> Graph:
    x, w = gx.input("x", ("n",), dtype="float64"), gx.param("w", (), dtype="float64")

    def step(carry: gx.Node, x: gx.Node) -> tuple[gx.Node, gx.Node]:  # type: ignore[name-defined]
        inner, _ = gx.scan(lambda s, _: (gx.tanh(s * w + x), None), carry, length=3)
        return inner, inner * 2

    last, stacked = gx.scan(step, gx.const(0.0, dtype="float64"), x, reverse=True)
    loss = last + gx.sum(stacked)
    return gx.graph_of({"loss": loss, "slopes": gx.grad(loss, [w, x])})


def _choices() -> Graph:
    x, w = gx.input("x", ("n",), dtype="float64"), gx.param("w", (), dtype="float64")
    y = gx.cond(gx.sum(x) > 0, lambda w: gx.exp(w) * 2, lambda w: gx.sin(w) - 1, w)
    z = gx.cond(y > 3, lambda: gx.cond(y > 4, lambda: y, lambda: -y), lambda: y * y)
    return gx.graph_of([z, gx.grad(z, w)])


def _assumed() -> Graph:
    x = gx.assume(gx.input("x", ("n",), dtype="float64"), low=0.0, high=4.0, finite=True)
    y = gx.assume(gx.exp(gx.log(x)), positive=True)
    return gx.graph_of([gx.log(y), gx.grad(gx.sum(gx.sqrt(y)), x)])


def _only_a_leaf() -> Graph:
    return gx.graph_of(gx.input("x", ("n",), dtype="float64"))


def _no_outputs() -> Graph:
    s = gx.state("s", (), dtype="float64")
    return gx.graph_of([], {s: s + 1})


GRAPHS: dict[str, Callable[[], Graph]] = {
    make.__name__.strip("_"): make
    for make in (
        _loss,
        _gradients,
        _second_order,
        _simplified,
        _lowered,
        _training_step,
        _running_mean,
        _write_only_state,
        _dropout,
        _composites,
        _scalar_functions,
        _names,
        _names_that_meet,
        _shapes,
        _numbers,
        _initialisers,
        _loops,
        _choices,
        _assumed,
        _only_a_leaf,
        _no_outputs,
    )
}

SIZES = {"n": 5, "m": 6, "batch": 7}


def arguments(graph: Graph, seed: int = 0) -> dict[str, np.ndarray]:
    """Arrays for the arguments of a graph, small and positive."""
    rng = np.random.default_rng(seed)
    found = {}
    for leaf in graph.arguments:
        shape = tuple(d if isinstance(d, int) else SIZES[str(d)] for d in leaf.shape)
        array = rng.integers(0, 4, shape) if "int" in leaf.dtype else rng.uniform(0.1, 1.5, shape)
        found[str(graph.name_of(leaf))] = np.asarray(array, dtype=leaf.dtype)
    return found
