"""ONNX: elementwise functions, comparisons, activations, reductions. Each takes the inputs and the attributes."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from tests.external.judging import ops


class Inputs:
    """The inputs of a node: as graph nodes, made when they are first asked for, or as arrays of the program."""

    def __init__(self, arrays: Any, declare: Any) -> None:
        self.arrays, self._declare = arrays, declare

    def __getitem__(self, i: int) -> Any:
        return self._declare(i)

    def __len__(self) -> int:
        return len(self.arrays)

    def has(self, i: int) -> bool:
        """Whether an optional input is there."""
        return i < len(self.arrays) and self.arrays[i] is not None

    def array(self, i: int, default: Any = None) -> Any:
        """The array, where shapes depend on it."""
        return self.arrays[i] if self.has(i) else default

    def ints(self, i: int) -> Any:
        """A list of integers, or None."""
        return [int(v) for v in np.ravel(self.arrays[i])] if self.has(i) else None

    def every(self) -> list[Any]:
        """All inputs as nodes."""
        return [self[i] for i in range(len(self))]


def unary(name: str) -> Any:
    return lambda x, a: getattr(ops, name)(x[0])


def binary(name: str) -> Any:
    return lambda x, a: getattr(ops, name)(x[0], x[1])


def folded(name: str) -> Any:
    """A function of two operands, over all inputs."""
    return lambda x, a: reduce(getattr(ops, name), x.every())


def mean_of(x: Any, a: Any) -> Any:
    return reduce(ops.add, x.every()) / len(x)


def power(x: Any, a: Any) -> Any:
    """The result has the dtype of the base."""
    return ops.astype(ops.power(x[0], x[1]), x[0].dtype)


def modulo(x: Any, a: Any) -> Any:
    if not a.get("fmod"):
        return ops.remainder(x[0], x[1])
    return x[0] - x[1] * ops.trunc(x[0] / x[1])


def clip(x: Any, a: Any) -> Any:
    return ops.clip(x[0], *(x[i] if x.has(i) else None for i in (1, 2)))


def is_infinite(x: Any, a: Any) -> Any:
    found = []
    if a.get("detect_positive", 1):
        found.append(ops.greater(x[0], 0))
    if a.get("detect_negative", 1):
        found.append(ops.less(x[0], 0))
    return ops.logical_and(ops.isinf(x[0]), reduce(ops.logical_or, found)) if found else ops.less(x[0], x[0])


def gelu(x: Any, a: Any) -> Any:
    return ops.gelu(x[0]) if a.get("approximate", "none") == "none" else ops.gelu_tanh(x[0])


def selu(x: Any, a: Any) -> Any:
    alpha, gamma = a.get("alpha", 1.67326319217681884765625), a.get("gamma", 1.05070102214813232421875)
    return ops.selu(x[0], alpha=alpha, scale=gamma)


def shrink(x: Any, a: Any) -> Any:
    """Soft where the bias is the limit, hard where it is 0, and in between."""
    bias, limit, z = a.get("bias", 0.0), a.get("lambd", 0.5), x[0]
    if bias in (0.0, limit):
        return ops.softshrink(z, lambd=limit) if bias else ops.hardshrink(z, lambd=limit)
    return ops.where(z < -limit, z + bias, ops.where(z > limit, z - bias, 0.0))


def swiglu(x: Any, a: Any) -> Any:
    return x[0] * ops.sigmoid(a.get("alpha", 1.0) * x[0]) * x[1]


def softmax(name: str) -> Any:
    return lambda x, a: getattr(ops, name)(x[0], axis=a.get("axis", -1))


def reduction(function: Any) -> Any:
    """Over the axes of the second input; over all where it names none, or over none if it says so."""

    def reduced(x: Any, a: Any) -> Any:
        axes = x.ints(1) if len(x) > 1 else a.get("axes")
        if not axes and a.get("noop_with_empty_axes"):
            return function(x[0], (), False)
        return function(x[0], tuple(axes) if axes else None, bool(a.get("keepdims", 1)))

    return reduced


def over(name: str) -> Any:
    return lambda x, axis, keep: getattr(ops, name)(x, axis=axis, keepdims=keep)


def extremum(name: str) -> Any:
    """Of bools, the extremum is that of 0 and 1."""

    def found(x: Any, axis: Any, keep: bool) -> Any:
        if x.dtype != "bool":
            return getattr(ops, name)(x, axis=axis, keepdims=keep)
        return ops.astype(getattr(ops, name)(ops.astype(x, "int64"), axis=axis, keepdims=keep), "bool")

    return found


def place(name: str) -> Any:
    """The place of an extremum; the last one is the first from behind."""

    def found(x: Any, a: Any) -> Any:
        axis, keep = a.get("axis", 0), bool(a.get("keepdims", 1))
        if not a.get("select_last_index"):
            return getattr(ops, name)(x[0], axis=axis, keepdims=keep)
        last = getattr(ops, name)(ops.flip(x[0], axis=axis), axis=axis, keepdims=keep)
        return x[0].shape[axis] - 1 - last

    return found


def cumulative(name: str, start: float) -> Any:
    """From the front or behind; without its own element, shifted by one."""

    def run(x: Any, a: Any) -> Any:
        axis, z = int(x.array(1)) % x[0].ndim, x[0]
        z = ops.flip(z, axis=axis) if a.get("reverse") else z
        y = getattr(ops, name)(z, axis=axis)
        y = shifted(y, axis, start) if a.get("exclusive") else y
        return ops.flip(y, axis=axis) if a.get("reverse") else y

    return run


def shifted(y: Any, axis: int, start: float) -> Any:
    before = (slice(None),) * axis
    first = y[(*before, slice(0, 1))]
    return ops.concat([ops.zeros_like(first) + start, y[(*before, slice(None, -1))]], axis=axis)


def top(x: Any, a: Any) -> Any:
    axis, count = a.get("axis", -1), int(np.ravel(x.array(1))[0])
    sign = -1 if a.get("largest", 1) else 1
    order = ops.take(ops.argsort(sign * x[0], axis=axis), np.arange(count), axis=axis)
    return ops.take_along_axis(x[0], order, axis=axis), order


SAME = "Abs Ceil Cos Cosh Exp Floor Log Reciprocal Round Sigmoid Sign Sin Sinh Softplus Sqrt Tan Tanh"

TABLE = {
    **{name: unary(name.lower()) for name in SAME.split()},
    "Acos": unary("arccos"),
    "Acosh": unary("arccosh"),
    "Asin": unary("arcsin"),
    "Asinh": unary("arcsinh"),
    "Atan": unary("arctan"),
    "Atanh": unary("arctanh"),
    "Erf": unary("erf"),
    "Neg": unary("negative"),
    "Relu": unary("relu"),
    "Not": unary("logical_not"),
    "IsNaN": unary("isnan"),
    "Add": binary("add"),
    "Sub": binary("subtract"),
    "Mul": binary("multiply"),
    "Div": binary("divide"),
    "Equal": binary("equal"),
    "Greater": binary("greater"),
    "GreaterOrEqual": binary("greater_equal"),
    "Less": binary("less"),
    "LessOrEqual": binary("less_equal"),
    "Max": folded("maximum"),
    "Min": folded("minimum"),
    "Sum": folded("add"),
    "Mean": mean_of,
    "Pow": power,
    "Mod": modulo,
    "Clip": clip,
    "IsInf": is_infinite,
    "Where": lambda x, a: ops.where(x[0], x[1], x[2]),
    "Elu": lambda x, a: ops.elu(x[0], alpha=a.get("alpha", 1.0)),
    "Celu": lambda x, a: ops.celu(x[0], alpha=a["alpha"]),
    "Gelu": gelu,
    "HardSigmoid": lambda x, a: ops.hard_sigmoid(x[0], slope=a.get("alpha", 0.2), offset=a.get("beta", 0.5)),
    "HardSwish": unary("hard_swish"),
    "LeakyRelu": lambda x, a: ops.leaky_relu(x[0], negative_slope=a.get("alpha", 0.01)),
    "LogSoftmax": softmax("log_softmax"),
    "Softmax": softmax("softmax"),
    "Mish": unary("mish"),
    "PRelu": binary("prelu"),
    "Selu": selu,
    "Shrink": shrink,
    "Softsign": unary("softsign"),
    "SwiGLU": swiglu,
    "ThresholdedRelu": lambda x, a: ops.threshold(x[0], threshold=a.get("alpha", 1.0)),
    "ReduceL1": reduction(lambda x, axis, keep: ops.sum(ops.abs(x), axis=axis, keepdims=keep)),
    "ReduceL2": reduction(lambda x, axis, keep: ops.sqrt(ops.sum(x * x, axis=axis, keepdims=keep))),
    "ReduceLogSum": reduction(lambda x, axis, keep: ops.log(ops.sum(x, axis=axis, keepdims=keep))),
    "ReduceLogSumExp": reduction(over("logsumexp")),
    "ReduceMax": reduction(extremum("max")),
    "ReduceMin": reduction(extremum("min")),
    "ReduceMean": reduction(over("mean")),
    "ReduceProd": reduction(over("prod")),
    "ReduceSum": reduction(over("sum")),
    "ReduceSumSquare": reduction(lambda x, axis, keep: ops.sum(x * x, axis=axis, keepdims=keep)),
    "ArgMax": place("argmax"),
    "ArgMin": place("argmin"),
    "CumSum": cumulative("cumsum", 0.0),
    "CumProd": cumulative("cumprod", 1.0),
    "TopK": top,
}
