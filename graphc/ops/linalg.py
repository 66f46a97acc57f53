"""Linear algebra on square matrices, one or many: NumPy computes, and each gradient is made of the same cards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.errors import ShapeError
from graphc.ir.node import Node
from graphc.ir.op import ZERO, Op
from graphc.ir.types import Type, broadcast
from graphc.ops.arith import add, divide, multiply, negative
from graphc.ops.card import promoted
from graphc.ops.contract import matmul_op
from graphc.ops.create import eye, tril, triu
from graphc.ops.shape import broadcast_to, expand_dims, matrix_transpose, squeeze_op, sum_to


def _square(x: Type, **_: Any) -> Type:
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError("only a square matrix has this", fix="gx.pinv and gx.svd take any matrix")
    return x


def _number(x: Type) -> Type:
    return Type(x.dtype, _square(x).shape[:-2])


def _floats(inputs: tuple[Any, ...]) -> tuple[Node, ...]:
    return promoted(inputs, floats=True)


def _card(name: str, infer: Callable[..., Type], gradient: Callable[..., Any], numpy: str, **rest: Any) -> Op:
    """A composite that NumPy computes: it has a gradient and code, and no body."""
    fields: dict[str, Any] = {"operands": ("x",), "cost": 50.0, **rest}
    operands = fields.pop("operands")
    return Op(name, "composite", operands, infer, coerce=_floats, gradient=gradient, numpy=numpy, **fields)


# -- inverse and equations ----------------------------------------------------------------------------------------


def _inv_gradient(g: Node, out: Node, x: Node) -> tuple[Node]:
    across = matrix_transpose(out)
    return (negative(matmul_op(matmul_op(across, g), across)),)


inv_op: Op = _card("inv", _square, _inv_gradient, "np.linalg.inv({x})", latex="{x}^{{-1}}")


def _solve_type(a: Type, b: Type) -> Type:
    _square(a)
    if b.ndim < 2 or b.shape[-2] != a.shape[-1] or a.dtype != b.dtype:
        raise ShapeError(
            f"the matrix has {a.shape[-1]} rows, the right side {b.shape[-2]}",
            expected="a right side with as many rows as the matrix",
            fix="transpose the right side, or check how it was made",
        )
    return Type(a.dtype, (*broadcast([a.shape[:-2], b.shape[:-2]]), *b.shape[-2:]))


def _solve_gradient(g: Node, out: Node, a: Node, b: Node) -> tuple[Node, Node]:
    d_b = solve_op(matrix_transpose(a), g)
    d_a = negative(matmul_op(d_b, matrix_transpose(out)))
    return sum_to(d_a, a.shape), sum_to(d_b, b.shape)


solve_op: Op = _card(
    "solve",
    _solve_type,
    _solve_gradient,
    "np.linalg.solve({a}, {b})",
    operands=("a", "b"),
    latex="{a}^{{-1}} {b}",
)


def inv(x: Any) -> Node:
    """The inverse of square matrices.

    Args:
        x: float[..., n, n]

    Raises:
        ShapeError: a matrix that is not square. A singular one fails when the program runs.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.inv(gx.const([[2.0, 0.0], [0.0, 4.0]])))()
        array([[0.5 , 0.  ],
               [0.  , 0.25]])
    """
    node: Node = inv_op(x)
    return node


def solve(x1: Any, x2: Any) -> Node:
    """What gives ``x2`` when multiplied by ``x1`` from the left.

    Args:
        x1: float[..., n, n]
        x2: float[n], or float[..., n, k]

    Returns:
        the shape of ``x2``, with the leading axes of both broadcast.

    Raises:
        ShapeError: a matrix that is not square, or other rows than it has columns.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.solve(gx.const([[2.0, 0.0], [0.0, 4.0]]), gx.const([2.0, 2.0])))()
        array([1. , 0.5])
    """
    a, b = promoted((x1, x2), floats=True)
    vector = b.ndim == 1
    node: Node = solve_op(a, expand_dims(b, 1) if vector else b)
    return squeeze_op(node, axis=node.ndim - 1) if vector else node


def solve_triangular(a: Any, b: Any, lower: bool = False, unit_diagonal: bool = False) -> Node:
    """``solve`` for a triangular matrix: the other triangle is never looked at.

    Args:
        a: float[..., n, n]
        b: float[n], or float[..., n, k]
        lower: whether the values are on and below the diagonal.
        unit_diagonal: whether the diagonal counts as ones.

    Example:
        >>> import graphc as gx
        >>> a, b = gx.const([[2.0, 9.0], [2.0, 1.0]]), gx.const([2.0, 3.0])
        >>> gx.compile(gx.solve_triangular(a, b, lower=True))()
        array([1., 1.])
    """
    a, b = promoted((a, b), floats=True)
    triangle = (tril if lower else triu)(a, k=(-1 if lower else 1) if unit_diagonal else 0)
    if unit_diagonal:
        triangle = add(triangle, broadcast_to(eye(a.shape[-1], dtype=a.dtype), a.shape))
    return solve(triangle, b)


# -- determinants -------------------------------------------------------------------------------------------------


def _matrices(g: Node, x: Node) -> Node:
    """A number per matrix, in the shape of the matrices."""
    return broadcast_to(expand_dims(expand_dims(g, g.ndim), g.ndim + 1), x.shape)


cofactor_op: Op = Op(
    "cofactor",
    "composite",
    ("x",),
    _square,
    coerce=_floats,
    body=lambda x: multiply(_matrices(det_op(x), x), matrix_transpose(inv_op(x))),
    numpy="_cofactor({x})",
    helpers=("_cofactor",),
    latex=r"\operatorname{{cof}}({x})",
    cost=200.0,
    doc="The gradient of the determinant, also of a singular matrix.",
)

det_op: Op = _card(
    "det",
    _number,
    lambda g, out, x: (multiply(_matrices(g, x), cofactor_op(x)),),
    "np.linalg.det({x})",
    latex=r"\det {x}",
)

logabsdet_op = _card(
    "logabsdet",
    _number,
    lambda g, out, x: (multiply(_matrices(g, x), matrix_transpose(inv_op(x))),),
    "np.linalg.slogdet({x})[1]",
    latex=r"\log\lvert\det {x}\rvert",
    doc="The logarithm of the absolute value of the determinant.",
)

signdet_op = _card(
    "signdet",
    _number,
    lambda g, out, x: (ZERO,),
    "np.linalg.slogdet({x})[0]",
    latex=r"\operatorname{{sign}}\det {x}",
    doc="The sign of the determinant: 1, -1, or 0 where it is singular.",
)


def det(x: Any) -> Node:
    """The determinant of square matrices. Its gradient, the cofactors, is right for singular ones as well.

    Args:
        x: float[..., n, n]

    Raises:
        ShapeError: a matrix that is not square.

    Example:
        >>> import graphc as gx
        >>> round(float(gx.compile(gx.det(gx.const([[2.0, 1.0], [0.0, 4.0]])))()), 12)
        8.0
    """
    node: Node = det_op(x)
    return node


def slogdet(x: Any) -> tuple[Node, Node]:
    """The sign of the determinant, and the logarithm of its absolute value.

    Args:
        x: float[..., n, n]

    Raises:
        ShapeError: a matrix that is not square.

    Example:
        >>> import graphc as gx
        >>> sign, logabsdet = gx.slogdet(gx.input("x", ("n", 3, 3)))
        >>> sign.shape, logabsdet.shape
        ((n,), (n,))
    """
    (x,) = _floats((x,))
    return signdet_op(x), logabsdet_op(x)


# -- the Cholesky factor ------------------------------------------------------------------------------------------


def _half(x: Node) -> Node:
    """The lower triangle with half the diagonal: what added to its transpose gives a symmetric matrix back."""
    node: Node = divide(add(tril(x), tril(x, -1)), 2)
    return node


def _cholesky_gradient(g: Node, out: Node, x: Node) -> tuple[Node]:
    # With A = L Lᵀ: dL = L Φ(L⁻¹ dA L⁻ᵀ), Φ the lower triangle with half the diagonal (Murray 2016). NumPy reads
    # the lower triangle of A only, so what falls on the upper one is folded down.
    across = matrix_transpose(out)
    middle = _half(matmul_op(across, tril(g)))
    full = solve_op(across, matrix_transpose(solve_op(across, matrix_transpose(middle))))
    return (_half(add(full, matrix_transpose(full))),)


cholesky_op = _card(
    "cholesky", _square, _cholesky_gradient, "np.linalg.cholesky({x})", latex=r"\operatorname{{chol}}({x})"
)


def cholesky(x: Any, upper: bool = False) -> Node:
    """The triangular L with x = L Lᵀ. Of a matrix that is not symmetric, the symmetric part is taken.

    Args:
        x: float[..., n, n], symmetric and positive definite; another fails when the program runs.
        upper: whether Lᵀ is returned.

    Raises:
        ShapeError: a matrix that is not square.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.cholesky(gx.const([[4.0, 2.0], [2.0, 2.0]])))()
        array([[2., 0.],
               [1., 1.]])
    """
    (x,) = _floats((x,))
    _square(x.type)
    node: Node = cholesky_op(divide(add(x, matrix_transpose(x)), 2))
    return matrix_transpose(node) if upper else node


CARDS = (inv_op, solve_op, cofactor_op, det_op, logabsdet_op, signdet_op, cholesky_op)
