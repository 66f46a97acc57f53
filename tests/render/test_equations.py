"""Every equation of a derivation holds, and one that does not is found."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import graphc as gx
from graphc import nn
from graphc.ir.graph import graph_of
from graphc.ir.node import engine, substitute
from graphc.ops import CARDS
from graphc.render.latex import latex
from graphc.render.maths import Math, row
from graphc.runtime.program import make_rng
from tests.ops.references import SCALAR
from tests.render.equality import Sides
from tests.render.reading import Reader, Unreadable


def regression():
    x, t = gx.input("x", ("batch", 3)), gx.input("t", ("batch",))
    w, b = gx.param("w", (3,)), gx.param("b", ())
    return gx.mean(gx.square(x @ w + b - t)).named("loss")


def mlp():
    x, t = gx.input("x", ("batch", 4)), gx.input("t", ("batch",), dtype="int64")
    h = nn.dense(x, 5, activation="relu", name="hidden1")
    h = nn.dense(h, 4, activation="tanh", name="hidden2")
    return nn.cross_entropy(nn.dense(h, 3, name="output"), t)


def residual():
    x, t = gx.input("x", ("batch", 4)), gx.input("t", ("batch", 2))
    h = nn.dense(x, 4, activation="silu", name="stem")
    for i in (1, 2):
        h = h + nn.dense(nn.dense(h, 4, activation="gelu", name=f"a{i}"), 4, name=f"b{i}")
    return nn.mse(nn.dense(h, 2, name="head"), t)


def batch_norm():
    x, t = gx.input("x", ("batch", 4)), gx.input("t", ("batch", 2))
    h = nn.batch_norm(nn.dense(x, 3, name="a"), name="bn")
    return nn.mse(nn.dense(gx.tanh(h), 2, name="b"), t)


def shared():
    x, t = gx.input("x", ("batch", 4)), gx.input("t", ("batch", 4))
    W, b = gx.param("W", (4, 4)), gx.param("b", (4,))
    h = x
    for _ in range(3):
        h = gx.tanh(h @ W + b)
    return nn.mse(h, t)


def convolution():
    x, t = gx.input("x", ("batch", 1, 6, 6)), gx.input("t", ("batch",), dtype="int64")
    h = nn.conv2d(x, 2, 3, activation="relu", name="conv")
    return nn.cross_entropy(nn.dense(gx.mean(gx.max_pool(h, 2), axis=(2, 3)), 3, name="output"), t)


def dropout():
    x, t = gx.input("x", ("batch", 4)), gx.input("t", ("batch", 2))
    h = nn.dropout(nn.dense(x, 8, activation="softplus", name="a"), 0.4)
    return nn.mse(nn.dense(h, 2, name="b"), t)


def logistic():
    """Nothing here is stable as it is written."""
    x, t = gx.input("x", ("batch", 3)), gx.input("t", ("batch",))
    z = x @ gx.param("w", (3,))
    p = 1 / (1 + gx.exp(-z))
    return -gx.mean(t * gx.log(p) + (1 - t) * gx.log(1 - p))


def recurrent():
    xs, t = gx.input("xs", ("time", 3)), gx.input("t", ("time", 4))
    W, U, h0 = gx.param("W", (4, 4)), gx.param("U", (3, 4)), gx.param("h0", (4,))
    last, hs = gx.scan(lambda h, x: (gx.tanh(h @ W + x @ U),) * 2, h0, xs)
    return nn.mse(hs, t) + gx.sum(gx.square(last))


def attention():
    x, t = gx.input("x", ("batch", 5, 8)), gx.input("t", ("batch", 5, 8))
    q, k, v = (nn.dense(x, 8, name=name) for name in "qkv")
    return nn.mse(nn.layer_norm(nn.attention(q, k, v), name="norm"), t)


def choice():
    w, c = gx.param("w", (3,)), gx.input("c", ())
    return gx.sum(gx.cond(c > 0, lambda: gx.tanh(w), lambda: w * w))


def no_path():
    w, b = gx.param("w", (3,)), gx.param("b", (2,))
    return gx.sum(gx.exp(w) * w) + 0.0 * gx.sum(gx.stop_gradient(b))


MODELS = [
    regression, mlp, residual, batch_norm, shared, convolution, dropout, logistic, recurrent, attention, choice,
    no_path,
]  # fmt: skip


def arguments_of(graph, rows=5, seed=0):
    random = np.random.default_rng(seed)
    values = {}
    for leaf in graph.arguments:
        shape = tuple(d if isinstance(d, int) else rows for d in leaf.shape)
        drawn = random.standard_normal(shape) if leaf.type.is_float else random.integers(0, 3, shape)
        values[str(graph.name_of(leaf))] = drawn
    return values


def sides_of(make, level="default", mode="train", rows=5):
    loss = gx.retype(make(), "float64")
    graph = graph_of(loss)
    page = gx.derivation(loss, level=level, mode=mode)
    return Sides(page, loss, arguments_of(graph, rows), make_rng(graph, 3), mode)


@pytest.mark.parametrize("make", MODELS, ids=lambda m: m.__name__)
@pytest.mark.parametrize("level", ["exact", "default", "fast"])
def test_both_sides_of_every_equation_are_equal(make, level):
    sides = sides_of(make, level)
    assert sides.faults() == []
    gradients = [e for e in sides.page.equations if e.of is not None and e.phase == "backward"]
    moved = (
        2 if make is convolution and level != "exact" else 0
    )  # a sum and a maximum, where nobody declared them
    own = {e.number for e in gradients} - sides.apart
    assert len(own) == moved, "a gradient was compared with itself"
    assert {e.of for e in gradients} >= set(sides.page.system.targets)


@pytest.mark.parametrize("make", MODELS, ids=lambda m: m.__name__)
def test_the_gradients_agree_with_central_differences(make):
    loss = gx.retype(make(), "float64")
    graph = graph_of(loss)
    names = [str(graph.name_of(n)) for n in graph.leaves("param")]
    sides = sides_of(make)
    report = gx.check_grad(loss, names, arguments_of(graph), mode="train")
    assert report.ok
    assert sides.faults() == []


@pytest.mark.parametrize("make", MODELS, ids=lambda m: m.__name__)
def test_a_wrong_equation_is_found(make):
    """Each right side in turn is off by little; a value that only the rewriting made is checked where it is read."""
    sides = sides_of(make)
    for equation in sides.page.equations:
        if equation.term.type.is_float:
            with engine():
                wrong = equation.term + 1e-9
            assert sides.fault(replace(equation, term=wrong)), latex(equation.left)


def test_a_swapped_name_is_found():
    """∂L/∂W₂ = h₁ᵀ ∂L/∂z₂ with ∂L/∂h₂ in place of ∂L/∂z₂."""
    sides = sides_of(mlp)
    by_left = {latex(e.left): e for e in sides.page.equations}
    right = by_left[r"\frac{\partial L}{\partial W_{2}}"]
    z, h = (by_left[rf"\frac{{\partial L}}{{\partial {n}_{{2}}}}"].node for n in "zh")
    names = tuple(h if n is z else n for n in right.names)
    assert sides.fault(right) == ""
    assert "differ" in sides.fault(
        replace(right, term=substitute([right.term], {z: h})[right.term], names=names)
    )


UNREADABLE = {"dropout": ["Bernoulli"], "recurrent": ["scan"], "choice": ["cond"]}
READABLE = [m for m in MODELS if m not in (convolution, attention)]
"""How windows stand, and which of many axes are exchanged, is not said by a formula."""


@pytest.mark.parametrize("make", READABLE, ids=lambda m: m.__name__)
def test_the_printed_signs_alone_give_the_value(make):
    sides = sides_of(make, rows=7)
    names = {name: sides.values[n] for n, name in sides.page.system.names.items() if n in sides.values}
    reader = Reader(names, {**sides.sizes, "n": 7}, classes=3)
    for equation in sides.page.equations:
        if equation.phase != "derivative":
            text, value = latex(equation.right), sides.values[equation.node]
            if any(word in text for word in UNREADABLE.get(make.__name__, ())):
                continue
            read = np.broadcast_to(reader.value(equation.right), np.shape(value))
            rounded = re.search(r"\d\.\d{5}", text) is not None  # numbers are written to six digits
            np.testing.assert_allclose(read, value, rtol=1e-5 if rounded else 1e-12, atol=1e-12, err_msg=text)


def test_a_reader_finds_a_wrong_sign():
    sides = sides_of(regression, rows=7)
    names = {name: sides.values[n] for n, name in sides.page.system.names.items() if n in sides.values}
    equation = next(e for e in sides.page.equations if e.of is not None and e.of.name == "w")
    reader = Reader(names, sides.sizes, classes=3)
    assert reader.value(equation.right) == pytest.approx(sides.values[equation.node], rel=1e-12)
    x, product = equation.right.parts[0].parts[0], equation.right.parts[2]
    with pytest.raises(ValueError, match="mismatch"):
        reader.value(row([x, Math("space"), product]))  # without the transpose
    with pytest.raises(Unreadable):
        reader.value(Math("word", "nothing"))


FUNCTIONS = [
    name
    for name, op in CARDS.items()
    if op.kind == "pointwise"
    and name in SCALAR
    and name not in ("polygamma", "where")
    and "logical" not in name
]


def function_of(name):
    op = CARDS[name]
    names = [f"p{i}" for i in range(len(op.operands))]
    return op, names, op(*(gx.param(n, (3,), dtype="float64") for n in names))


@pytest.mark.parametrize(
    "name", [n for n in FUNCTIONS if "bitwise" not in n and function_of(n)[2].type.is_float]
)
def test_the_derivatives_of_every_function(name):
    op, names, y = function_of(name)
    loss = gx.sum(y * 2.0)
    domain = op.domain or ((-2.0, 2.0),) * len(names)
    at = [np.linspace(max(low, -3) + 0.11, min(high, 3) - 0.07, 3) for low, high in domain]
    assert Sides(gx.derivation(loss), loss, dict(zip(names, at, strict=True))).faults() == []
