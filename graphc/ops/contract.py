"""Contractions: products that sum over a shared axis."""

from __future__ import annotations

from typing import Any

from graphc.errors import DTypeError, ShapeError
from graphc.ir.node import Node, describe, hinted
from graphc.ir.op import Op
from graphc.ir.origin import here, in_layer
from graphc.ir.types import Shape, Type, broadcast, shape_text
from graphc.ops.arith import multiply
from graphc.ops.card import as_nodes, linear, promoted
from graphc.ops.shape import expand_dims, matrix_transpose, reshape, squeeze_op, sum_to


def _matmul_type(a: Type, b: Type) -> Type:
    if a.ndim < 2 or b.ndim < 2:
        raise ShapeError("a matrix product needs matrices")
    if a.dtype != b.dtype:
        raise DTypeError("the operands differ in dtype")
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(
            f"size {a.shape[-1]} meets size {b.shape[-2]}",
            expected="as many columns on the left as rows on the right",
            fix=_matmul_hint(a, b),
        )
    return Type(a.dtype, (*_batches(a, b), a.shape[-2], b.shape[-1]))


def _batches(a: Type, b: Type) -> Shape:
    """The axes in front of the matrices."""
    first, second = a.shape[:-2], b.shape[:-2]
    try:
        return broadcast([first, second])
    except ShapeError:
        raise ShapeError(
            f"batches {shape_text(first)} of matrices meet batches {shape_text(second)}",
            expected="axes in front of the last two that broadcast",
            fix="make the batches equal, or of size 1",
        ) from None


def _matmul_hint(a: Type, b: Type) -> str:
    if a.shape[-1] == b.shape[-1]:
        return "transpose the right operand (.T)"
    if a.shape[-2] == b.shape[-2]:
        return "transpose the left operand (.T)"
    if a.shape[-2] == b.shape[-1]:
        return "exchange the operands"
    return f"give the right operand {a.shape[-1]} rows, or the left {b.shape[-2]} columns"


def _product_into(operands: Any, out: str, node: Node, hoist: Any) -> list[str]:
    """A product by BLAS: ``dot`` costs half a microsecond less than ``matmul``, and is the same for matrices."""
    a, b = operands
    matrices = all(x.ndim == 2 for x in node.inputs) and node.type.is_float
    return [f"np.{'dot' if matrices else 'matmul'}({a}, {b}, out={out})"]


matmul_op: Op = linear(
    "matmul",
    "a b",
    _matmul_type,
    (
        lambda g, a, b: sum_to(matmul_op(g, matrix_transpose(b)), a.shape),
        lambda g, a, b: sum_to(matmul_op(matrix_transpose(a), g), b.shape),
    ),
    coerce=lambda inputs: promoted(inputs, numbers=True),
    infix="@",
    into=_product_into,
    turn=lambda node, across: matmul_op(across(node.inputs[1]), across(node.inputs[0])),
    properties="contracts",
    noun="product",
    axes="product",
    latex="{a} {b}",
    cost=0.02,
)


def _matvec_type(a: Type, b: Type) -> Type:
    if a.ndim != 2 or b.ndim != 1:
        raise ShapeError("a matrix meets a vector", given=f"{a} and {b}")
    return Type(a.dtype, _matmul_type(a, Type(b.dtype, (*b.shape, 1))).shape[:-1])


matvec_op: Op = linear(
    "matvec",
    "a b",
    _matvec_type,
    (
        lambda g, a, b: multiply(expand_dims(g, 1), expand_dims(b, 0)),
        lambda g, a, b: matvec_op(matrix_transpose(a), g),
    ),
    coerce=lambda inputs: promoted(inputs, numbers=True),
    infix="@",
    into=_product_into,
    latex="{a} {b}",
    cost=0.2,
    doc="A matrix times a vector, Σₖ aᵢₖ bₖ: what ``matmul`` and ``@`` are between them.",
)


def _vdot_type(a: Type, b: Type) -> Type:
    if a != b:
        raise ShapeError("a dot product needs two of one type", given=f"{a} and {b}")
    return Type(a.dtype, ())


def _dot_text(a: Any, b: Any, node: Node) -> str:
    """Not ``np.vdot``, which conjugates: a complex step goes through both operands."""
    if node.inputs[0].ndim == 1:
        return f"np.dot({a}, {b})"
    return f"np.dot({a.atom}.ravel(), {b.atom}.ravel())"


vdot_op: Op = linear(
    "vdot",
    "a b",
    _vdot_type,
    (lambda g, a, b: multiply(g, b), lambda g, a, b: multiply(g, a)),
    coerce=lambda inputs: promoted(inputs, numbers=True),
    numpy=_dot_text,
    turn=lambda node, across: vdot_op(*(hinted(reshape(across(x), -1), "flat") for x in node.inputs)),
    properties="commutative",
    noun="dot",
    latex=r"\langle {a}, {b} \rangle",
    cost=0.07,
    doc="Σ aᵢ bᵢ over all elements, by BLAS: what ``gx.sum(a * b)`` becomes at ``fast``.",
)


def _two(a: Node, b: Node) -> str:
    return f"{describe(a, 'a')}: {a.type}, {describe(b, 'b')}: {b.type}"


def matmul(a: Any, b: Any) -> Node:
    """The matrix product; a vector is a row on the left and a column on the right, as in NumPy.

    Raises:
        ShapeError: a scalar, or sizes that do not meet; the message names both operands.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n", 2))
        >>> w = gx.param("w", (2,))
        >>> gx.compile(x @ w)([[1.0, 2.0]], [10.0, 1.0])
        array([12.], dtype=float32)
    """
    a, b = as_nodes((a, b))
    if not a.ndim or not b.ndim:
        raise ShapeError(
            f"matmul takes no scalars{in_layer()}", given=_two(a, b), where=here(), fix="use * instead"
        )
    left, right = a.ndim == 1, b.ndim == 1
    if left and right and a.shape != b.shape:
        raise ShapeError(
            f"matmul{in_layer()}: size {a.shape[0]} meets size {b.shape[0]}",
            given=_two(a, b),
            expected="two vectors of one size",
            where=here(),
            fix="give both the same size, or use gx.outer for all products",
        )
    if a.ndim == 2 and right:
        return _vector(a, b)
    if left and b.ndim == 2:
        return _vector(matrix_transpose(b), a)
    product: Node = matmul_op(expand_dims(a, 0) if left else a, expand_dims(b, 1) if right else b)
    if right:
        product = squeeze_op(product, axis=product.ndim - 1)
    return squeeze_op(product, axis=product.ndim - (1 if right else 2)) if left else product


def _vector(a: Node, b: Node) -> Node:
    node: Node = matvec_op(a, b)
    return node


CARDS = (matmul_op, matvec_op, vdot_op)
