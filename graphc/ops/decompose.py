"""Matrices as products: eigenvalues, singular values, QR, and the pseudo-inverse; one or many at a time.

A card has one output, so what NumPy returns as several arrays is one matrix here, and its parts are slices of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.node import Node
from graphc.ir.op import Op
from graphc.ir.size import Dim, at_least_zero
from graphc.ir.types import Type
from graphc.ops.arith import add, divide, multiply, negative, square, subtract
from graphc.ops.card import promoted
from graphc.ops.compare import equal, where
from graphc.ops.contract import matmul_op
from graphc.ops.create import place_diagonal_op, tril
from graphc.ops.linalg import _square, solve_op
from graphc.ops.shape import expand_dims, matrix_transpose, normal_axis
from graphc.ops.slices import WHOLE, concat, slice_op


def _floats(inputs: tuple[Any, ...]) -> tuple[Node, ...]:
    return promoted(inputs, floats=True)


def _lesser(rows: Dim, columns: Dim) -> Dim:
    """The smaller of the sizes of a matrix.

    Raises:
        ShapeError: which one it is, is only known at run time.
    """
    for less, more in ((rows, columns), (columns, rows)):
        if at_least_zero(more - less):
            return less
    raise ShapeError(f"which of {rows} and {columns} is less is only known at run time")


def _matrix(x: Type) -> tuple[Dim, Dim]:
    if x.ndim < 2:
        raise ShapeError("a matrix has two axes", given=str(x))
    return x.shape[-2], x.shape[-1]


def _card(name: str, infer: Callable[..., Type], gradient: Callable[..., Any], doc: str, **rest: Any) -> Op:
    """A composite that a helper of the listing computes."""
    fields: dict[str, Any] = {
        "numpy": f"_{name}({{x}})",
        "helpers": (f"_{name}",),
        "latex": rf"\operatorname{{{{{name}}}}}({{x}})",
        "cost": 200.0,
        **rest,
    }
    return Op(name, "composite", ("x",), infer, coerce=_floats, gradient=gradient, doc=doc, **fields)


def _rows(x: Node, start: Dim | None, stop: Dim | None) -> Node:
    """Some rows of matrices."""
    node: Node = slice_op(x, index=(WHOLE,) * (x.ndim - 2) + ((start, stop, None),))
    return node


def _row(x: Node, place: int) -> Node:
    node: Node = slice_op(x, index=(*(WHOLE,) * (x.ndim - 2), place))
    return node


def _scaled(x: Node, factors: Node) -> Node:
    """Columns of matrices, each times its own factor."""
    node: Node = multiply(x, expand_dims(factors, factors.ndim - 1))
    return node


def _gaps(values: Node) -> Node:
    """1 / (values[j] - values[i]), and 0 where they are equal: such a pair moves together or not at all."""
    gap = subtract(expand_dims(values, values.ndim - 1), expand_dims(values, values.ndim))
    node: Node = where(equal(gap, 0), 0, divide(1, where(equal(gap, 0), 1, gap)))
    return node


def _product(*factors: Node) -> Node:
    first, *others = factors
    for factor in others:
        first = matmul_op(first, factor)
    return first


# -- symmetric matrices -------------------------------------------------------------------------------------------


def _eigh_type(x: Type) -> Type:
    *lead, n, _ = _square(x).shape
    return Type(x.dtype, (*lead, n + 1, n))


def _eigh_gradient(g: Node, out: Node, x: Node) -> tuple[Node]:
    # x = V diag(w) Vᵀ: the slope is V (diag(dw) + F ∘ (Vᵀ dV)) Vᵀ with F[i, j] = 1 / (w[j] - w[i]) (Giles 2008)
    values, vectors = _row(out, 0), _rows(out, 1, None)
    turned = multiply(_gaps(values), matmul_op(matrix_transpose(vectors), _rows(g, 1, None)))
    inner = add(_on_diagonal(_row(g, 0)), turned)
    slope = _product(vectors, inner, matrix_transpose(vectors))
    return (divide(add(slope, matrix_transpose(slope)), 2),)


def _on_diagonal(values: Node) -> Node:
    """Vectors on the diagonals of matrices."""
    n = values.shape[-1]
    node: Node = place_diagonal_op(values, shape=(*values.shape, n), k=0)
    return node


eigh_op = _card(
    "eigh", _eigh_type, _eigh_gradient, "Eigenvalues of symmetric matrices, and under them the eigenvectors."
)


def eigh(x: Any) -> tuple[Node, Node]:
    """The eigenvalues w and eigenvectors V of symmetric matrices, x = V diag(w) Vᵀ.

    Of a matrix that is not symmetric, the symmetric part is taken. Equal eigenvalues have no vectors of their own:
    the gradient is that of functions to which their choice makes no difference.

    Args:
        x: float[..., n, n]

    Returns:
        the eigenvalues in increasing order, float[..., n], and the vectors as columns, float[..., n, n].

    Raises:
        ShapeError: a matrix that is not square.

    Example:
        >>> import graphc as gx
        >>> values, vectors = gx.eigh(gx.const([[2.0, 0.0], [0.0, 1.0]]))
        >>> gx.compile(values)()
        array([1., 2.])
    """
    (x,) = _floats((x,))
    _square(x.type)
    both: Node = eigh_op(divide(add(x, matrix_transpose(x)), 2))
    return _row(both, 0), _rows(both, 1, None)


def eigvalsh(x: Any) -> Node:
    """The eigenvalues of symmetric matrices in increasing order, as ``eigh`` gives them.

    Raises:
        ShapeError: a matrix that is not square.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.eigvalsh(gx.const([[2.0, 1.0], [1.0, 2.0]])))().round(12)
        array([1., 3.])
    """
    return eigh(x)[0]


# -- singular values ----------------------------------------------------------------------------------------------


def _svd_type(x: Type) -> Type:
    rows, columns = _matrix(x)
    return Type(x.dtype, (*x.shape[:-2], rows + columns + 1, _lesser(rows, columns)))


def _svd_parts(both: Node, rows: Dim) -> tuple[Node, Node, Node]:
    """Singular values, left and right vectors, as columns."""
    return _row(both, 0), _rows(both, 1, 1 + rows), _rows(both, 1 + rows, None)


def _svd_gradient(g: Node, out: Node, x: Node) -> tuple[Node]:
    # Townsend 2016, equation 18: the parts along and beside the vectors
    rows = x.shape[-2]
    values, left, right = _svd_parts(out, rows)
    d_values, d_left, d_right = _svd_parts(g, rows)
    gaps = _gaps(square(values))
    inner = add(
        _on_diagonal(d_values),
        add(
            _scaled(multiply(gaps, _twisted(left, d_left)), values),
            multiply(expand_dims(values, values.ndim), multiply(gaps, _twisted(right, d_right))),
        ),
    )
    beside_left = _scaled(_beside(left, d_left), divide(1, values))
    beside_right = _scaled(_beside(right, d_right), divide(1, values))
    along = matmul_op(add(matmul_op(left, inner), beside_left), matrix_transpose(right))
    return (add(along, matmul_op(left, matrix_transpose(beside_right))),)


def _twisted(vectors: Node, d_vectors: Node) -> Node:
    turn = matmul_op(matrix_transpose(vectors), d_vectors)
    node: Node = subtract(turn, matrix_transpose(turn))
    return node


def _beside(vectors: Node, d_vectors: Node) -> Node:
    """What of a slope does not lie in the span of the vectors."""
    node: Node = subtract(d_vectors, _product(vectors, matrix_transpose(vectors), d_vectors))
    return node


svd_op = _card(
    "svd", _svd_type, _svd_gradient, "Singular values, under them the left and the right vectors, as columns."
)


def _values_type(x: Type) -> Type:
    return Type(x.dtype, (*x.shape[:-2], _lesser(*_matrix(x))))


def _values_gradient(g: Node, out: Node, x: Node) -> tuple[Node]:
    """U diag(dS) Vᵀ."""
    _, left, right = _svd_parts(svd_op(x), x.shape[-2])
    return (matmul_op(_scaled(left, g), matrix_transpose(right)),)


svdvals_op = _card(
    "svdvals",
    _values_type,
    _values_gradient,
    "The singular values of matrices, from the largest down.",
    numpy="np.linalg.svd({x}, compute_uv=False)",
    helpers=(),
    latex=r"\sigma({x})",
)


def svd(x: Any, full_matrices: bool = False) -> tuple[Node, Node, Node]:
    """Matrices as U diag(S) Vᵀ, with as many vectors as the smaller size. Returns U, S and Vᵀ.

    The gradient is that of functions to which the choice of vectors (signs, equal values) makes no difference, of
    matrices whose singular values are not 0; ``svdvals`` has one at 0 as well.

    Args:
        x: float[..., m, n]
        full_matrices: only False; the vectors beside the matrix are not determined by it.

    Returns:
        float[..., m, k], float[..., k] from the largest down, float[..., k, n].

    Raises:
        ArgumentError: full matrices.
        ShapeError: fewer than two axes, or named sizes of which it is not known which is less.

    Example:
        >>> import graphc as gx
        >>> [part.shape for part in gx.svd(gx.input("x", ("n", 4, 3)))]
        [(n, 4, 3), (n, 3), (n, 3, 3)]
    """
    if full_matrices:
        raise ArgumentError("the vectors beside a matrix are not determined", fix="full_matrices=False")
    (x,) = _floats((x,))
    values, left, right = _svd_parts(svd_op(x), x.shape[-2])
    return left, values, matrix_transpose(right)


def svdvals(x: Any) -> Node:
    """The singular values of matrices, from the largest down.

    Args:
        x: float[..., m, n]

    Raises:
        ShapeError: fewer than two axes, or named sizes of which it is not known which is less.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.svdvals(gx.const([[0.0, -3.0], [4.0, 0.0]])))()
        array([4., 3.])
    """
    node: Node = svdvals_op(x)
    return node


# -- orthogonal times triangular ----------------------------------------------------------------------------------


def _qr_type(x: Type) -> Type:
    rows, columns = _matrix(x)
    if _lesser(rows, columns) != columns:
        raise ShapeError("the card takes no fewer rows than columns", given=str(x))
    return Type(x.dtype, (*x.shape[:-2], rows + columns, columns))


def _qr_gradient(g: Node, out: Node, x: Node) -> tuple[Node]:
    # (dQ + Q copyltu(R dRᵀ - dQᵀ Q)) R⁻ᵀ, where copyltu mirrors the lower triangle (Walter and Lehmann 2010)
    rows = x.shape[-2]
    q, across = _rows(out, None, rows), _rows(out, rows, None)
    d_q, d_across = _rows(g, None, rows), _rows(g, rows, None)
    inner = subtract(matmul_op(matrix_transpose(across), d_across), matmul_op(matrix_transpose(d_q), q))
    mirrored = add(tril(inner), matrix_transpose(tril(inner, -1)))
    left = add(d_q, matmul_op(q, mirrored))
    return (matrix_transpose(solve_op(matrix_transpose(across), matrix_transpose(left))),)


qr_op = _card("qr", _qr_type, _qr_gradient, "Orthogonal columns, and under them a lower triangle: Q and Rᵀ.")


def qr(x: Any) -> tuple[Node, Node]:
    """Matrices as Q R: orthogonal columns times an upper triangle, with as many of them as the smaller size.

    Args:
        x: float[..., m, n], of full rank.

    Returns:
        float[..., m, k] and float[..., k, n].

    Raises:
        ShapeError: fewer than two axes, or named sizes of which it is not known which is less.

    Example:
        >>> import graphc as gx
        >>> [part.shape for part in gx.qr(gx.input("x", ("n", 4, 3)))]
        [(n, 4, 3), (n, 3, 3)]
    """
    (x,) = _floats((x,))
    rows, columns = _matrix(x.type)
    if _lesser(rows, columns) == columns:
        both: Node = qr_op(x)
        return _rows(both, None, rows), matrix_transpose(_rows(both, rows, None))
    # the columns behind the first square are only turned: Qᵀ times them
    lead = (WHOLE,) * (x.ndim - 1)
    q, r = qr(slice_op(x, index=(*lead, (None, rows, None))))
    rest = matmul_op(matrix_transpose(q), slice_op(x, index=(*lead, (rows, None, None))))
    return q, concat([r, rest], axis=normal_axis(-1, x.ndim))


# -- the pseudo-inverse -------------------------------------------------------------------------------------------


def _pinv_type(x: Type, *, rtol: float) -> Type:
    rows, columns = _matrix(x)
    return Type(x.dtype, (*x.shape[:-2], columns, rows))


def _pinv_gradient(g: Node, out: Node, x: Node, *, rtol: float) -> tuple[Node]:
    # Golub and Pereyra 1973, equation 4.12, for a rank that stays
    across, d_across = matrix_transpose(out), matrix_transpose(g)
    slope = negative(_product(across, g, across))
    left = subtract(d_across, _product(x, out, d_across))  # beside the columns of x
    right = subtract(d_across, _product(d_across, out, x))  # beside its rows
    slope = add(slope, _product(left, out, across))
    return (add(slope, _product(across, out, right)),)


pinv_op = Op(
    "pinv",
    "composite",
    ("x",),
    _pinv_type,
    attrs={"rtol": ...},
    coerce=_floats,
    gradient=_pinv_gradient,
    numpy="_pinv({x}, {rtol})",
    helpers=("_pinv",),
    latex="{x}^{{+}}",
    cost=400.0,
)


def pinv(x: Any, rtol: float = 1e-15) -> Node:
    """The pseudo-inverse of matrices. Its gradient is that of a rank which stays as it is.

    Args:
        x: float[..., m, n]
        rtol: singular values of at most this share of the largest count as 0 (NumPy's default).

    Raises:
        ArgumentError: ``rtol`` is no number from 0 on.
        ShapeError: fewer than two axes.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.pinv(gx.const([[2.0], [0.0]])))()
        array([[0.5, 0. ]])
    """
    if isinstance(rtol, bool) or not isinstance(rtol, (int, float)) or not 0 <= rtol < 1:
        raise ArgumentError("a relative tolerance is a number from 0 up to 1", given=repr(rtol)[:60])
    node: Node = pinv_op(x, rtol=float(rtol))
    return node


CARDS = (eigh_op, svd_op, svdvals_op, qr_op, pinv_op)
