"""What every card computes, written down a second time: scalar functions over mpmath, or plain NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath as mp
import numpy as np

import graphc as gx
from graphc.ir.node import Node
from graphc.ir.types import Type
from graphc.ops import CARDS
from graphc.ops.bodies import arg
from graphc.ops.samples import sample_count
from tests.ops import pointwise_references as more

mp.mp.prec = 120

DTYPES = ("float32", "float64", "int32", "int64", "bool")
FLOATS = DTYPES[:2]

SCALAR: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "negative": lambda x: -x,
    "power": mp.power,
    "square": lambda x: x * x,
    "abs": abs,
    "sign": lambda x: (x > 0) - (x < 0),
    "maximum": max,
    "minimum": min,
    "exp": mp.exp,
    "log": mp.log,
    "log1p": mp.log1p,
    "expm1": mp.expm1,
    "sqrt": mp.sqrt,
    "sin": mp.sin,
    "cos": mp.cos,
    "tanh": mp.tanh,
    "erf": mp.erf,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "xlogx": lambda x: x * mp.log(x) if x else mp.mpf(0),
    "log1mexp": lambda x: mp.log(-mp.expm1(x)),
    "sigmoid_cross_entropy": lambda x, t: mp.log1p(mp.exp(x)) - t * x,
    "relu": lambda x: max(x, 0),
    "leaky_relu": lambda x: x if x > 0 else x * mp.mpf(0.01),
    "elu": lambda x: x if x > 0 else mp.expm1(x),
    "gelu": lambda x: x * mp.ncdf(x),
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "equal": lambda x, y: x == y,
    "not_equal": lambda x, y: x != y,
    "less": lambda x, y: x < y,
    "less_equal": lambda x, y: x <= y,
    "greater": lambda x, y: x > y,
    "greater_equal": lambda x, y: x >= y,
    "logical_and": lambda x, y: x and y,
    "logical_or": lambda x, y: x or y,
    "logical_not": lambda x: not x,
    "where": lambda condition, x, y: x if condition else y,
    **more.SCALAR,
}
"""Each pointwise card on one element."""

COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal", *more.PREDICATES)
LOGIC = ("logical_and", "logical_or", "logical_xor", "logical_not")
ON_INTEGERS = (
    *("add", "subtract", "multiply", "negative", "square", "abs", "sign", "maximum", "minimum"),
    *more.ON_INTEGERS,
)

OTHER_SIDES: dict[str, tuple[tuple[float, float], ...]] = {
    "abs": ((-3.0, -0.2),),
    "sign": ((-3.0, -0.2),),
    "relu": ((-2.0, -0.2),),
    "leaky_relu": ((-2.0, -0.2),),
    "elu": ((-2.0, -0.2),),
    "maximum": ((-1.0, 2.0), (-2.0, -1.1)),
    "minimum": ((-1.0, 2.0), (-2.0, -1.1)),
    **more.OTHER_SIDES,
}
"""A second domain for cards that a kink divides."""


def same(dtype: str) -> str:
    """The result has the operand's dtype."""
    return dtype


def floats(dtype: str) -> str:
    """Integers and bools become float32."""
    return dtype if dtype.startswith("float") else "float32"


def counts(dtype: str) -> str:
    """Integers and bools add up in int64."""
    return dtype if dtype.startswith("float") else "int64"


def integers(dtype: str) -> str:
    """Bools count as int64."""
    return "int64" if dtype == "bool" else dtype


def always(dtype: str) -> Callable[[str], str]:
    """One dtype whatever the operands have."""
    return lambda _: dtype


@dataclass(frozen=True)
class Case:
    """One use of a card.

    Attributes:
        card: the name of the card at the root.
        build: nodes to the node.
        shapes: the shape of each operand.
        reference: arrays to the array.
        shape: the text of the result's shape.
        dtype: the dtype of the result from that of the operands.
        labels: places of operands that are int64 labels in 0 .. 2.
        linear: whether the dot-product test applies.
        dtypes: what the card takes.
    """

    card: str
    build: Callable[..., Node]
    shapes: tuple[tuple[Any, ...], ...]
    reference: Callable[..., Any]
    shape: str
    dtype: Callable[[str], str] = same
    labels: tuple[int, ...] = ()
    linear: bool = False
    dtypes: tuple[str, ...] = DTYPES

    def __str__(self) -> str:
        return f"{self.card}{self.shape}"


def _softmax(x: Any, axis: int) -> Any:
    e = np.exp(x)
    return e / e.sum(axis=axis, keepdims=True)


def _first_max(x: Any, axis: int) -> Any:
    order = np.expand_dims(np.argmax(x, axis=axis), axis)
    return (np.arange(x.shape[axis]).reshape([-1 if i == axis else 1 for i in range(x.ndim)]) == order) * 1.0


def _scatter(x: Any, t: Any) -> Any:
    out = np.zeros((3, *x.shape[1:]), dtype=x.dtype)
    for i, place in enumerate(t):
        out[place] += x[i]
    return out


def _placed(x: Any) -> Any:
    out = np.zeros((6, 4), dtype=x.dtype)
    out[1:6:2, :3] = x
    return out


_hat = gx.composite("hat", lambda x, y: gx.sin(x) * y)
_kept = gx.composite("kept", lambda x: gx.exp(x), gradient=lambda g, x: g * gx.exp(x))


def _call(*nodes: Node) -> Node:
    return _hat(*nodes) if len(nodes) == 2 else _kept(*nodes)


def _updated(x: Node) -> Node:
    return gx.update(x, {gx.state("s", (), dtype="float64"): gx.const(1.0, "float64")})


N3, N34 = ("n", 3), (2, 3, 4)

CASES: tuple[Case, ...] = (
    Case("sum", lambda x: gx.sum(x), (N3,), np.sum, "[]", counts, linear=True),
    Case("sum", lambda x: gx.sum(x, axis=0), (N3,), lambda x: x.sum(axis=0), "[3]", counts, linear=True),
    Case(
        "sum",
        lambda x: gx.sum(x, axis=(0, 2), keepdims=True),
        (N34,),
        lambda x: x.sum(axis=(0, 2), keepdims=True),
        "[1, 3, 1]",
        counts,
        linear=True,
    ),
    Case("mean", lambda x: gx.mean(x, axis=0), (N3,), lambda x: x.mean(axis=0), "[3]", floats, linear=True),
    Case(
        "mean",
        lambda x: gx.mean(x, axis=-1, keepdims=True),
        (N3,),
        lambda x: x.mean(axis=1, keepdims=True),
        "[n, 1]",
        floats,
        linear=True,
    ),
    Case("var", lambda x: gx.var(x, axis=0), (N3,), lambda x: x.var(axis=0), "[3]", floats),
    Case(
        "var",
        lambda x: gx.var(x, axis=1, correction=1),
        (N34,),
        lambda x: x.var(axis=1, ddof=1),
        "[2, 4]",
        floats,
    ),
    Case("reshape", lambda x: gx.reshape(x, -1), (N3,), np.ravel, "[3*n]", linear=True),
    Case(
        "reshape", lambda x: gx.reshape(x, (4, 6)), (N34,), lambda x: x.reshape(4, 6), "[4, 6]", linear=True
    ),
    Case("transpose", lambda x: x.T, (N3,), np.transpose, "[3, n]", linear=True),
    Case(
        "transpose",
        lambda x: gx.transpose(x, (1, 2, 0)),
        (N34,),
        lambda x: x.transpose(1, 2, 0),
        "[3, 4, 2]",
        linear=True,
    ),
    Case(
        "expand_dims", lambda x: gx.expand_dims(x, 1), (N3,), lambda x: x[:, None], "[n, 1, 3]", linear=True
    ),
    Case(
        "expand_dims", lambda x: gx.expand_dims(x, 0), ((),), lambda x: np.reshape(x, 1), "[1]", linear=True
    ),
    Case("squeeze", lambda x: gx.squeeze(x), (("n", 1),), lambda x: x[:, 0], "[n]", linear=True),
    Case(
        "broadcast_to",
        lambda x: gx.broadcast_to(x, (4, 3)),
        ((3,),),
        lambda x: np.stack([x] * 4),
        "[4, 3]",
        linear=True,
    ),
    Case(
        "broadcast_to",
        lambda x: gx.broadcast_to(x, (2, 3, 4)),
        ((2, 1, 4),),
        lambda x: np.repeat(x, 3, axis=1),
        "[2, 3, 4]",
        linear=True,
    ),
    Case(
        "sum_to",
        lambda x: CARDS["sum_to"](x, shape=(3,)),
        ((4, 3),),
        lambda x: x.sum(axis=0),
        "[3]",
        same,
        linear=True,
        dtypes=FLOATS,
    ),
    Case(
        "sum_to",
        lambda x: CARDS["sum_to"](x, shape=(1, 4)),
        (N34,),
        lambda x: x.sum(axis=(0, 1))[None],
        "[1, 4]",
        same,
        linear=True,
        dtypes=FLOATS,
    ),
    Case("slice", lambda x: x[1:], (N3,), lambda x: x[1:], "[n - 1, 3]", linear=True),
    Case("slice", lambda x: x[:, ::-1, 1:4:2], (N34,), lambda x: x[:, ::-1, 1:4:2], "[2, 3, 2]", linear=True),
    Case(
        "place",
        lambda x: CARDS["place"](x, shape=(6, 4), index=((1, 6, 2), (None, 3, None))),
        ((3, 3),),
        _placed,
        "[6, 4]",
        linear=True,
    ),
    Case(
        "concat",
        lambda x, y: gx.concat([x, y]),
        ((2, 3), (4, 3)),
        lambda x, y: np.vstack([x, y]),
        "[6, 3]",
        linear=True,
    ),
    Case(
        "concat",
        lambda x, y: gx.concat([x, y], axis=1),
        (("n", 2), ("n", 3)),
        lambda x, y: np.hstack([x, y]),
        "[n, 5]",
        linear=True,
    ),
    Case(
        "with_ones",
        lambda x: CARDS["with_ones"](x, axis=0),
        (N3,),
        lambda x: np.vstack([x, np.ones((1, 3))]),
        "[n + 1, 3]",
    ),
    Case(
        "with_ones",
        lambda x: CARDS["with_ones"](x, axis=1),
        (N3,),
        lambda x: np.c_[x, np.ones(len(x))],
        "[n, 4]",
    ),
    Case("astype", lambda x: gx.astype(x, "int32"), (N3,), np.trunc, "[n, 3]", always("int32")),
    Case(
        "astype",
        lambda x: CARDS["astype"](x, dtype="float64"),
        (N3,),
        lambda x: x,
        "[n, 3]",
        always("float64"),
        linear=True,
    ),
    Case(
        "assume", lambda x: gx.assume(x, low=-9), (N3,), lambda x: x, "[n, 3]", dtypes=DTYPES[:4], linear=True
    ),
    Case("stop_gradient", lambda x: gx.stop_gradient(x), (N3,), lambda x: x, "[n, 3]"),
    Case(
        "matvec",
        lambda x, y: x @ y,
        (N3, (3,)),
        lambda x, y: np.einsum("ij,j->i", x, y),
        "[n]",
        integers,
        linear=True,
    ),
    Case(
        "vdot",
        lambda x, y: CARDS["vdot"](x, y),
        (N3, N3),
        lambda x, y: np.einsum("ij,ij->", x, y),
        "[]",
        integers,
        linear=True,
    ),
    Case(
        "matmul",
        lambda x, y: x @ y,
        (N3, (3, 2)),
        lambda x, y: np.einsum("ij,jk->ik", x, y),
        "[n, 2]",
        integers,
        linear=True,
    ),
    Case(
        "matmul",
        lambda x, y: x @ y,
        ((2, 4, 3), (3, 2)),
        lambda x, y: np.einsum("bij,jk->bik", x, y),
        "[2, 4, 2]",
        integers,
        linear=True,
    ),
    Case(
        "matmul",
        lambda x, y: CARDS["matmul"](x, y),
        ((2, 1, 4, 3), (1, 5, 3, 2)),
        lambda x, y: np.einsum("bij,ajk->baik", x[:, 0], y[0]),
        "[2, 5, 4, 2]",
        integers,
        linear=True,
    ),
    Case(
        "take",
        lambda x, t: gx.take(x, t),
        ((3, 4), ("n",)),
        lambda x, t: np.stack([x[i] for i in t]),
        "[n, 4]",
        labels=(1,),
        linear=True,
    ),
    Case(
        "take",
        lambda x, t: gx.take(x, t, axis=1),
        (("n", 3), (2, 2)),
        lambda x, t: x[:, t],
        "[n, 2, 2]",
        labels=(1,),
        linear=True,
    ),
    Case(
        "scatter_add",
        lambda x, t: CARDS["scatter_add"](x, t, shape=(3, 4)),
        (("n", 4), ("n",)),
        _scatter,
        "[3, 4]",
        labels=(1,),
        linear=True,
        dtypes=DTYPES[:4],
    ),
    Case(
        "sample_count",
        lambda x: sample_count(x, axis=(0, 2)),
        (N34,),
        lambda x: np.float64(x.shape[0] * x.shape[2]),
        "[]",
        floats,
    ),
    Case(
        "row_shift",
        lambda x: CARDS["row_shift"](x, axis=1),
        (N3,),
        lambda x: x.max(axis=1, keepdims=True),
        "[n, 1]",
    ),
    Case("first_max", lambda x: CARDS["first_max"](x, axis=1), (N3,), lambda x: _first_max(x, 1), "[n, 3]"),
    Case("max", lambda x: gx.max(x, axis=0), (N3,), lambda x: x.max(axis=0), "[3]"),
    Case(
        "max",
        lambda x: gx.max(x, axis=-1, keepdims=True),
        (N34,),
        lambda x: x.max(axis=2, keepdims=True),
        "[2, 3, 1]",
    ),
    Case("argmax", lambda x: gx.argmax(x, axis=1), (N3,), lambda x: x.argmax(axis=1), "[n]", always("int64")),
    Case(
        "picked_sum",
        lambda x: CARDS["picked_sum"](gx.astype(x > 0, x.dtype), x),
        (N3,),
        lambda x: x[x > 0].sum(),
        "[]",
        floats,
    ),
    Case(
        "one_hot",
        lambda t: gx.one_hot(t, 3),
        (("n",),),
        lambda t: np.eye(3)[t],
        "[n, 3]",
        always("float32"),
        labels=(0,),
    ),
    Case("seed", lambda x: CARDS["seed"](x), (N3,), np.ones_like, "[n, 3]"),
    Case("softmax", lambda x: gx.softmax(x), (N3,), lambda x: _softmax(x, 1), "[n, 3]", floats),
    Case("softmax", lambda x: gx.softmax(x, axis=1), (N34,), lambda x: _softmax(x, 1), "[2, 3, 4]", floats),
    Case(
        "log_softmax", lambda x: gx.log_softmax(x), (N3,), lambda x: np.log(_softmax(x, 1)), "[n, 3]", floats
    ),
    Case(
        "logsumexp",
        lambda x: gx.logsumexp(x, axis=1),
        (N3,),
        lambda x: np.log(np.exp(x).sum(axis=1)),
        "[n]",
        floats,
    ),
    Case(
        "logsumexp",
        lambda x: gx.logsumexp(x, axis=(0, 2), keepdims=True),
        (N34,),
        lambda x: np.log(np.exp(x).sum(axis=(0, 2), keepdims=True)),
        "[1, 3, 1]",
        floats,
    ),
    Case("call", _call, (N3, (3,)), lambda x, y: np.sin(x) * y, "[n, 3]", floats),
    Case("call", _call, (N3,), np.exp, "[n, 3]", floats, dtypes=FLOATS),
    Case(
        "scan",
        lambda x: gx.scan(lambda s, v: (s * 0.5 + v, s + v), gx.zeros((3,), x.dtype), x)[1],
        (N3,),
        lambda x: np.stack(
            [sum(x[i] * 0.5 ** max(t - 1 - i, 0) for i in range(t + 1)) for t in range(len(x))]
        ),
        "[n, 3]",
        floats,
        dtypes=FLOATS,
    ),
    Case(
        "cond",
        lambda x: gx.cond(gx.sum(x) > 0, lambda x: gx.sin(x), lambda x: x * x, x),
        (N3,),
        lambda x: np.sin(x) if x.sum() > 0 else x * x,
        "[n, 3]",
        floats,
        dtypes=FLOATS,
    ),
    Case("update", _updated, (N3,), lambda x: x, "[n, 3]"),
    Case("by_mode", lambda x, y: gx.by_mode(train=x, eval=y), (N3, N3), lambda x, y: y, "[n, 3]"),
)
"""Each card that is not pointwise, at one operand or more."""

LEAVES: dict[str, tuple[Callable[[], Node], str, Any]] = {
    "input": (lambda: gx.input("x", ("n", 3)), "float32[n, 3]", None),
    "param": (lambda: gx.param("w", (2, 3), dtype="float64"), "float64[2, 3]", None),
    "state": (lambda: gx.state("s", (2,)), "float32[2]", None),
    "hyper": (lambda: gx.hyper("lr", 0.5), "float32[]", None),
    "const": (lambda: gx.const([1, 2]), "int64[2]", np.array([1, 2])),
    "arange": (lambda: gx.arange(2, 7, 3), "int64[2]", np.array([2, 5])),
    "eye": (lambda: gx.eye(2, 3, 1), "float32[2, 3]", np.array([[0, 1, 0], [0, 0, 1]])),
    "size": (lambda: gx.size(gx.input("x", ("n", 3)), 0), "int64[]", None),
    "arg": (lambda: arg(0, Type("float32", (2,))), "float32[2]", None),
    "bernoulli": (lambda: gx.bernoulli(("n", 3), 0.5), "bool[n, 3]", None),
    "normal": (lambda: gx.normal(("n", 3), "float64"), "float64[n, 3]", None),
}
"""Each leaf: how it is made, its type, and its value where it has one of its own."""
