"""How cards are written: ``pointwise``, ``linear``, ``select``, ``composite``, and what operands are coerced to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.errors import DTypeError
from graphc.ir.node import Array, Node, intern
from graphc.ir.op import Op
from graphc.ir.types import DEFAULT_FLOAT, Type, as_dtype, broadcast, promote

Number = (bool, int, float)

REAL = (-2.0, 2.0)
POSITIVE = (0.2, 3.0)


def _const_type(*, value: Array) -> Type:
    return Type(value.value.dtype.name, value.value.shape)


const_op = Op(
    "const", "leaf", (), _const_type, attrs={"value": ...}, role="const", doc="A value fixed in the program."
)


def constant(value: Any, dtype: str | None = None) -> Node:
    """A constant node; Python floats are float32 and ints int64 unless ``dtype`` says otherwise."""
    array = _as_array(value, dtype)
    attrs = {"value": Array(array)}
    return intern(const_op, (), attrs, _const_type(**attrs))


def _as_array(value: Any, dtype: str | None) -> np.ndarray[Any, Any]:
    if dtype is None:
        dtype = {bool: "bool", int: "int64", float: DEFAULT_FLOAT}.get(type(value))
    try:
        array = np.asarray(value) if dtype is None else np.asarray(value, dtype=dtype)
    except (OverflowError, ValueError, TypeError) as error:  # lists of unequal lengths among them
        raise DTypeError(f"this value does not fit {dtype or 'an array'}", given=f"{value!r:.60}") from error
    return array.astype(as_dtype(array.dtype), copy=False)


def is_weak(value: Any) -> bool:
    """Whether a value is a Python number, which never widens what it meets."""
    return isinstance(value, Number)


def promoted(inputs: Sequence[Any], *, floats: bool = False, numbers: bool = False) -> tuple[Node, ...]:
    """Operands as nodes of one dtype: integers and bools take a float's dtype, Python numbers never widen.

    With ``floats`` the operation has no integer form, so integers become float32. With ``numbers`` it has no form
    for bools (NumPy refuses ``-mask``, and ``mask + mask`` is no sum), so they count as int64.
    """
    strong = [x if isinstance(x, Node) else constant(x) for x in inputs if not is_weak(x)]
    dtype = promote([x.dtype for x in strong] or [_weak_dtype(inputs)])
    if (floats or any(type(x) is float or isinstance(x, np.floating) for x in inputs if is_weak(x))) and (
        not dtype.startswith("float")
    ):
        dtype = DEFAULT_FLOAT
    elif dtype == "bool" and (numbers or any(is_weak(x) and type(x) is int for x in inputs)):
        dtype = "int64"
    return tuple(cast(x, dtype) for x in inputs)


def _weak_dtype(inputs: Sequence[Any]) -> str:
    kinds = {bool: "bool", int: "int64"}
    return promote([kinds.get(type(x), DEFAULT_FLOAT) for x in inputs])


def cast(value: Any, dtype: str) -> Node:
    """A node of this dtype."""
    if is_weak(value):
        return constant(value, dtype)
    node = value if isinstance(value, Node) else constant(value)
    if node.dtype == dtype:
        return node
    from graphc.ops.shape import astype

    converted: Node = astype(node, dtype)
    return converted


def as_nodes(inputs: Sequence[Any]) -> tuple[Node, ...]:
    """Operands as nodes, each with its own dtype."""
    return tuple(x if isinstance(x, Node) else constant(x) for x in inputs)


def pointwise(
    name: str,
    formula: str,
    numpy: str | Callable[..., str] | None = None,
    *,
    operands: str = "x",
    result: str = "same",
    floats: bool = True,
    coerce: Callable[[tuple[Any, ...]], tuple[Node, ...]] | None = None,
    infer: Callable[..., Type] | None = None,
    properties: str = "",
    domain: Sequence[tuple[float, float]] | None = None,
    **rest: Any,
) -> Op:
    """A pointwise card: a scalar formula in the names of its operands and attributes.

    Args:
        name: the standard name.
        formula: what it computes; SymPy derives the partial derivatives from it.
        numpy: the NumPy template; without one (and without infix or prefix) the card is lowered to its formula.
        operands: the names of the operands, separated by blanks.
        result: ``same`` dtype as the operands, or the name of a dtype.
        floats: whether integers are taken as floats.
        coerce: replaces the promotion of operands.
        infer: replaces the type rule (one dtype, shapes broadcast).
        properties: facts, separated by blanks.
        domain: an interval per operand for tests; ``(-2, 2)`` by default.
        rest: other fields of the card.
    """
    names = tuple(operands.split())

    def infer_same(*types: Type, **_: Any) -> Type:
        dtypes = {t.dtype for t in types} if result == "same" else {result}
        if len(dtypes) != 1:
            raise DTypeError("the operands differ in dtype", expected="one dtype; gx.astype converts")
        return Type(dtypes.pop(), broadcast([t.shape for t in types]))

    return Op(
        name,
        "pointwise",
        names,
        infer or infer_same,
        coerce=coerce or (lambda inputs: promoted(inputs, floats=floats, numbers=result == "same")),
        formula=formula,
        numpy=numpy,
        properties=frozenset(properties.split()),
        domain=tuple(domain or [REAL] * len(names)),
        **rest,
    )


def linear(
    name: str,
    operands: str,
    infer: Callable[..., Type],
    transpose: Any,
    *,
    attrs: dict[str, Any] | None = None,
    properties: str = "",
    coerce: Callable[[tuple[Any, ...]], tuple[Node, ...]] = as_nodes,
    **rest: Any,
) -> Op:
    """A linear card: linear in each operand that has a transpose.

    ``transpose`` is one function for one operand, else one per operand (``ZERO`` for an index):
    ``(cotangent, *inputs, **attrs) -> Node``. A card with any number of operands has one function, which is
    told which ``operand`` it is asked for.
    """
    functions = transpose if isinstance(transpose, tuple) else (transpose,)
    return Op(
        name,
        "linear",
        tuple(operands.split()),
        infer,
        attrs=attrs or {},
        transpose=functions,
        properties=frozenset(properties.split()),
        coerce=coerce,
        **rest,
    )


def same_type(type: Type, *_: Type, **__: Any) -> Type:
    """The type of the first operand."""
    return type
