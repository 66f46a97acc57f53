"""Loops in buffers: the numbers of the fresh layout, whatever is carried, stacked and handed on."""

import ast

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim

RANDOM = np.random.default_rng(0)
F8 = "float64"


def leaves():
    """Of every loop here, and each is read: sizes are read off them."""
    xs, W = gx.input("xs", ("time", "batch", 3), F8), gx.param("W", (3, 3), dtype=F8)
    return xs, gx.input("h", ("batch", 3), F8), gx.input("g", ("batch", 3), F8), W


def lstm(xs, h, g, W):
    def cell(carry, x):
        h, c = carry
        z = gx.concat([x @ W, h @ W, x @ W + h @ W, h * x], axis=1)
        c = gx.sigmoid(z[:, :3]) * c + gx.tanh(z[:, 3:6]) * gx.sigmoid(z[:, 6:9])
        return (gx.sigmoid(z[:, 9:]) * gx.tanh(c), c), c * h

    (h, c), ys = gx.scan(cell, (h, g), xs)
    return [h, c, ys]


def swapped(xs, h, g, W):
    return [*gx.scan(lambda carry, x: ((carry[1], carry[0]), carry[0] + x), (h, g), xs)]


def both_the_same(xs, h, g, W):
    def step(carry, x):
        new = carry[0] @ W + x
        return (new, new), (carry[1], new)

    return [*gx.scan(step, (h, g), xs)]


def unchanged(xs, h, g, W):
    return [*gx.scan(lambda carry, x: ((carry[0], carry[1] + carry[0] * x), carry[0]), (h, g), xs)]


def of_views(xs, h, g, W):
    """A carry becomes a view of another, which changes too."""

    def step(carry, x):
        a, b = carry
        return (b[:, ::-1], gx.tanh(a) + b + x), (a[:, 1:], b.T)

    return [*gx.scan(step, (h, g), xs)]


def in_place(xs, h, g, W):
    """Neither carry is stacked: each is written over, and one is read after the other is made."""

    def step(carry, x):
        a, b = carry
        a = gx.exp(-(a * a)) + x
        return (a, b * a + gx.sin(b)), None

    return [*gx.scan(step, (h, g), xs)[0]]


def numbers(xs, h, g, W):
    def step(carry, x):
        count, largest, even = carry
        total = gx.sum(x)
        new = count + 1, gx.maximum(largest, total), gx.logical_not(even)
        return new, (count, total * largest, even, gx.where(even, x, -x))

    start = gx.const(0), gx.const(0.5, F8), gx.const(True)
    return [*gx.scan(step, start, xs)]


def backwards(xs, h, g, W):
    def step(h, x):
        new = gx.tanh(h @ W + x)
        return new, (h, new)

    return [*gx.scan(step, h, xs, reverse=True)]


def nested(xs, h, g, W):
    def inner(c, row):
        c = gx.tanh(c * row + 0.1)
        return c, c

    def step(h, x):
        last, every = gx.scan(inner, h[0], x)
        return h + every * last, (gx.sum(every), every)

    return [*gx.scan(step, h, xs)]


def chosen(xs, h, g, W):
    def step(carry, x):
        a, b = gx.cond(gx.sum(x) > 0, lambda a, b: (b, a + x), lambda a, b: (a * x, b), *carry)
        return (a, b), a

    return [*gx.scan(step, (h, g), xs)]


def counted(xs, h, g, W):
    """No sequence at all."""
    h, ys = gx.scan(lambda h, _: (h @ W, gx.sum(h)), h, length=3)
    return [h, ys, gx.sum(xs), gx.sum(g)]


def scaled_by_a_number(xs, h, g, W):
    """A carry of rank 0 adds up; its gradient scales a matrix by a number at each step."""
    return [*gx.scan(lambda s, x: (s + gx.sum(x * h), s * gx.sum(x)), gx.const(0.0, dtype=F8), xs)]


LOOPS = (
    *(lstm, swapped, both_the_same, unchanged, of_views, in_place, numbers, backwards, nested, chosen),
    counted,
    scaled_by_a_number,
)


def flat(outputs):
    found = []
    for x in outputs:
        found += flat(x) if isinstance(x, (list, tuple)) else [x]
    return [x for x in found if x is not None]


def values(time, batch=2):
    shapes = {"xs": (time, batch, 3), "h": (batch, 3), "g": (batch, 3), "W": (3, 3)}
    return {name: RANDOM.normal(size=shape) for name, shape in shapes.items()}


def program(make, layout, level, **options):
    nodes = leaves()
    outputs = flat(make(*nodes))
    loss = sum((gx.sum(gx.sin(y)) for y in (*outputs, *nodes) if y.type.is_float), 0.0)
    graph = gx.graph_of([*outputs, loss, *gx.grad(loss, list(nodes))])
    return gx.compile(graph, layout=layout, level=level, **options)


@pytest.mark.parametrize("level", ["exact", "default"])
@pytest.mark.parametrize("make", LOOPS, ids=lambda f: f.__name__)
def test_planned_loops_have_the_numbers_of_fresh_ones(make, level):
    fresh, planned = (program(make, layout, level) for layout in ("fresh", "planned"))
    kept = []
    for time in (4, 0, 1, 4):
        given = values(time)
        expected, found = fresh(**given), planned(**given)
        kept.append((found, [np.array(x) for x in found]))
        for one, other in zip(expected, found, strict=True):
            assert one.dtype == other.dtype
            if level == "exact":
                np.testing.assert_array_equal(one, other)
            else:
                np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
    for found, before in kept:  # what a call returned is the caller's
        for one, other in zip(found, before, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("make", LOOPS, ids=lambda f: f.__name__)
def test_outputs_that_are_reused_are_right_until_the_next_call(make):
    fresh, planned = program(make, "fresh", "exact"), program(make, "planned", "exact", reuse_outputs=True)
    for given in (values(3), values(3), values(1)):
        for one, other in zip(fresh(**given), planned(**given), strict=True):
            np.testing.assert_array_equal(one, other)


def deep(level):
    """Layers as the steps of a loop: their weights are a sequence, and so are the gradients."""
    x, t = gx.input("x", ("batch", 4)), gx.input("t", ("batch",), dtype="int64")
    Ws, b = gx.param("Ws", (3, 4, 4)), gx.param("b", (4,))
    h, _ = gx.scan(lambda h, W: (gx.tanh(h @ W + b) * b, None), x, Ws)
    return gx.Model(h, nn.cross_entropy(h, t), optimizer=optim.adam(0.01), level=level)


@pytest.mark.parametrize("level", ["exact", "default"])
def test_weights_that_a_loop_goes_through_are_trained(level):
    runs = []
    for layout in ("fresh", "planned"):
        module = (model := deep(level)).module(model.optimizer, layout)
        values, losses = module.init(0), []
        random = np.random.default_rng(1)
        for rows in (5, 5, 2):
            x = random.normal(size=(rows, 4)).astype("float32")
            *values, loss = module.train_step(*values, x, random.integers(0, 4, rows))
            losses.append(float(loss))
        runs.append((losses, values[0]))
    (fresh, weights), (planned, others) = runs
    np.testing.assert_allclose(fresh, planned, rtol=0 if level == "exact" else 1e-6)
    for name in weights:
        np.testing.assert_allclose(weights[name], others[name], rtol=0 if level == "exact" else 1e-5)


@pytest.mark.parametrize(("width", "calls"), [(3, 1), (2, 3)])
def test_gates_are_computed_as_one_array_where_they_are_most_of_it(width, calls):
    xs, h = gx.input("xs", ("time", "batch", 12), F8), gx.input("h", ("batch", width), F8)

    def step(h, x):
        z = x * gx.sum(h)
        i, f, o = (gx.sigmoid(z[:, k * 4 : k * 4 + width]) for k in range(3))
        return i * h + f * o, None

    last, _ = gx.scan(step, h, xs)
    fresh, planned = (gx.compile(last, layout=layout) for layout in ("fresh", "planned"))
    assert planned.source.rpartition("def run(")[2].count("_sigmoid(") == calls
    given = {"xs": RANDOM.normal(size=(5, 2, 12)), "h": RANDOM.normal(size=(2, width))}
    np.testing.assert_allclose(fresh(**given), planned(**given), rtol=1e-14)
    exact = gx.compile(last, layout="planned", level="exact").source
    assert exact.rpartition("def run(")[2].count("_sigmoid(") == 3


def test_the_body_of_a_loop_makes_no_array():
    xs, h, g, W = leaves()
    loss = gx.sum(lstm(xs, h, g, W)[0])
    source = gx.compile([loss, gx.grad(loss, W)], layout="planned").source
    defined = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    (run,) = [node for node in defined if node.name == "run"]
    loops = [node for node in ast.walk(run) if isinstance(node, ast.For)]
    lines = [ast.unparse(line) for loop in loops for line in loop.body]
    assert len(lines) > 15
    assert all("out=" in line or line.startswith("copyto(") for line in lines)
