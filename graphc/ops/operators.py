"""What Python's operators and the methods of nodes mean: one table each. Patterns share the operators."""

from __future__ import annotations

from typing import Any

from graphc.errors import AmbiguousTruthError, DTypeError
from graphc.ir.node import Node, describe, op_title
from graphc.ir.operators import Operators
from graphc.ir.origin import here
from graphc.ir.pattern import Pattern
from graphc.ops import arith, bits, compare, contract, cumulate, reduce, rounding, shape, slices


def _matmul(a: Any, b: Any) -> Any:
    both_nodes = not isinstance(a, Pattern) and not isinstance(b, Pattern)
    return contract.matmul(a, b) if both_nodes else contract.matmul_op(a, b)


def _eq(self: Node, other: Any) -> bool:
    if isinstance(other, Node):
        return self is other
    raise AmbiguousTruthError(
        f"== asks whether two nodes are one and the same, and {_short(other)} is not a node",
        where=here(),
        fix=f"write gx.equal(x, {_short(other)}) to compare each element",
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 and "\n" not in text else f"a {type(value).__name__}"


def _bool(self: Node) -> bool:
    raise AmbiguousTruthError(
        "a node has no truth value: it stands for values that come later",
        given=f"{describe(self, self.op.name)}: {self.type}",
        where=here(),
        fix="choose per element with gx.where(condition, a, b), or by mode with gx.by_mode(train=..., eval=...)",
    )


def _iter(self: Node) -> Any:
    dim = self.shape[0] if self.shape else None
    if not isinstance(dim, int):
        raise AmbiguousTruthError(
            "a node cannot be iterated over", given=str(self.type), fix="index or slice it"
        )
    return (slices.getitem(self, i) for i in range(dim))


def _repr(self: Node) -> str:
    name = describe(self, "")
    return f"<{op_title(self)}{' ' + name if name else ''}: {self.type}>"


_NUMPY_NAMES = {
    "absolute": "abs",
    "invert": "bitwise_invert",
    "left_shift": "bitwise_left_shift",
    "right_shift": "bitwise_right_shift",
}
"""Functions of NumPy whose first name is another than the standard's."""


def _ufunc(self: Node, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """``np.sin(node)`` is ``gx.sin(node)``, and ``array * node`` is ours: NumPy asks here first."""
    import graphc

    name = _NUMPY_NAMES.get(ufunc.__name__, ufunc.__name__)
    if method == "__call__" and not options and name in graphc.__all__:
        return getattr(graphc, name)(*inputs)
    raise DTypeError(
        f"np.{ufunc.__name__} cannot be applied to a node",
        given=repr(self),
        fix="use the functions of graphc; a node has no values until it is compiled",
    )


def _array(self: Node, *_: Any, **__: Any) -> Any:
    raise DTypeError("a node has no values yet", given=repr(self), fix="compile it and call the program")


OPERATORS: dict[str, Any] = {
    "__add__": lambda a, b: arith.add(a, b),
    "__radd__": lambda a, b: arith.add(b, a),
    "__sub__": lambda a, b: arith.subtract(a, b),
    "__rsub__": lambda a, b: arith.subtract(b, a),
    "__mul__": lambda a, b: arith.multiply(a, b),
    "__rmul__": lambda a, b: arith.multiply(b, a),
    "__truediv__": lambda a, b: arith.divide(a, b),
    "__rtruediv__": lambda a, b: arith.divide(b, a),
    "__pow__": lambda a, b: arith.power(a, b),
    "__rpow__": lambda a, b: arith.power(b, a),
    "__mod__": lambda a, b: rounding.remainder(a, b),
    "__rmod__": lambda a, b: rounding.remainder(b, a),
    "__floordiv__": lambda a, b: rounding.floor_divide(a, b),
    "__rfloordiv__": lambda a, b: rounding.floor_divide(b, a),
    "__neg__": lambda a: arith.negative(a),
    "__matmul__": _matmul,
    "__rmatmul__": lambda a, b: _matmul(b, a),
    "__lt__": lambda a, b: compare.less(a, b),
    "__le__": lambda a, b: compare.less_equal(a, b),
    "__gt__": lambda a, b: compare.greater(a, b),
    "__ge__": lambda a, b: compare.greater_equal(a, b),
}
"""Bound to nodes and to patterns."""

METHODS: dict[str, Any] = {
    "__abs__": lambda a: arith.abs(a),
    "__and__": lambda a, b: bits.bitwise_and(a, b),
    "__rand__": lambda a, b: bits.bitwise_and(b, a),
    "__or__": lambda a, b: bits.bitwise_or(a, b),
    "__ror__": lambda a, b: bits.bitwise_or(b, a),
    "__xor__": lambda a, b: bits.bitwise_xor(a, b),
    "__rxor__": lambda a, b: bits.bitwise_xor(b, a),
    "__invert__": lambda a: bits.bitwise_invert(a),
    "__lshift__": lambda a, b: bits.bitwise_left_shift(a, b),
    "__rlshift__": lambda a, b: bits.bitwise_left_shift(b, a),
    "__rshift__": lambda a, b: bits.bitwise_right_shift(a, b),
    "__rrshift__": lambda a, b: bits.bitwise_right_shift(b, a),
    "__eq__": _eq,
    "__ne__": lambda a, b: not _eq(a, b),
    "__hash__": object.__hash__,
    "__repr__": _repr,
    "__array__": _array,
    "__array_ufunc__": _ufunc,
    "__bool__": _bool,
    "__iter__": _iter,
    "__contains__": lambda a, b: _bool(a),
    "__getitem__": slices.getitem,
    "sum": reduce.sum,
    "mean": reduce.mean,
    "max": reduce.max,
    "min": reduce.min,
    "var": reduce.var,
    "argmax": reduce.argmax,
    "argmin": reduce.argmin,
    "std": reduce.std,
    "prod": cumulate.prod,
    "any": reduce.any,
    "all": reduce.all,
    "cumsum": cumulate.cumsum,
    "cumprod": cumulate.cumprod,
    "reshape": lambda x, *dims: shape.reshape(x, dims[0] if len(dims) == 1 else dims),
    "transpose": lambda x, *axes: shape.transpose(x, axes or None),
    "squeeze": shape.squeeze,
    "astype": shape.astype,
    "clip": arith.clip,
    "T": property(shape.transpose),
}
"""Bound to nodes alone."""


def bind() -> None:
    """Give nodes and patterns their operators and methods."""
    for name, function in OPERATORS.items():
        setattr(Operators, name, function)
    for name, function in METHODS.items():
        setattr(Node, name, function)
