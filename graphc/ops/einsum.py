"""Contractions of any kind, by reshapes, transposes and matrix products; so BLAS does the work."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.node import Node, describe
from graphc.ir.origin import here
from graphc.ir.size import Dim, product
from graphc.ops.arith import multiply
from graphc.ops.arrange import moveaxis
from graphc.ops.card import as_nodes, cast, promoted
from graphc.ops.contract import matmul, matmul_op
from graphc.ops.create import diagonal, eye
from graphc.ops.index import take
from graphc.ops.linalg import inv
from graphc.ops.reduce import sum as sum_of
from graphc.ops.shape import broadcast_to, expand_dims, normal_axis, reshape, squeeze_op, transpose

STAND_IN = 32
"""What a named size counts as where the order of contractions is chosen."""


class Term:
    """An operand on its way: a node, and a letter for each of its axes."""

    __slots__ = ("node", "letters")

    def __init__(self, node: Node, letters: str) -> None:
        self.node, self.letters = node, letters

    def size(self, letter: str) -> Dim:
        """The size of an axis."""
        return self.node.shape[self.letters.index(letter)]


def einsum(subscripts: str, *operands: Any) -> Node:
    """The sum of products that ``subscripts`` names, such as ``"bij,bjk->bik"``.

    Args:
        subscripts: a letter for each axis of each operand, ``...`` for any others, and after ``->`` those of the
            result; without an arrow, the letters that stand once, in alphabetical order.
        operands: one node for each term.

    Raises:
        ArgumentError: subscripts that are not well formed, or letters of the result that stand nowhere or twice.
        ShapeError: a letter with two sizes, or a term with more or fewer letters than its operand has axes.

    Example:
        >>> import graphc as gx
        >>> x, w = gx.input("x", ("n", 3, 4)), gx.input("w", (4, 5))
        >>> gx.einsum("nij,jk->nki", x, w).type
        Type(dtype='float32', shape=(n, 5, 3))
    """
    nodes = promoted(operands, numbers=True)
    inputs, result = _parsed(subscripts, nodes)
    terms = [_plain(Term(x, letters)) for x, letters in zip(nodes, inputs, strict=True)]
    sizes = _sizes(terms, subscripts)
    terms = [_thin(t, sizes) for t in terms]
    if any(letter not in "".join(t.letters for t in terms) for letter in result):
        raise ArgumentError("a letter of the result is in no term", given=subscripts)
    for pair in _order(terms, result, sizes):
        chosen = [terms[i] for i in pair]
        terms = [t for i, t in enumerate(terms) if i not in pair]
        kept = set(result).union(*(t.letters for t in terms))
        terms.append(_contracted(chosen, kept))
    (last,) = terms
    return _ordered(_summed(last, set(result)), result)


def _parsed(subscripts: str, nodes: Sequence[Node]) -> tuple[list[str], str]:
    text = subscripts.replace(" ", "") if isinstance(subscripts, str) else ""
    left, arrow, result = text.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(nodes):
        raise ArgumentError(f"{len(inputs)} terms for {len(nodes)} operands", given=repr(subscripts)[:60])
    free = [c for c in string.ascii_letters if c not in text]
    rank = max(n.ndim - len(t.replace("...", "")) for t, n in zip(inputs, nodes, strict=True))
    rest = "".join(free[: max(rank, 0)]) if "..." in left else ""
    inputs = [_filled(t, n.ndim, rest, subscripts) for t, n in zip(inputs, nodes, strict=True)]
    if not arrow:
        once = sorted(c for c in set(left) if c.isalpha() and left.count(c) == 1)
        result = rest + "".join(once)
    result = result.replace("...", rest)
    if len(set(result)) != len(result) or not set("".join((*inputs, result))) <= set(string.ascii_letters):
        raise ArgumentError(
            "subscripts are letters, each at most once in the result", given=repr(subscripts)[:60]
        )
    return inputs, result


def _operands(terms: Iterable[Term]) -> str:
    return ", ".join(f"{describe(t.node, str(i))}: {t.node.type}" for i, t in enumerate(terms))


def _filled(term: str, ndim: int, rest: str, subscripts: str) -> str:
    """A term with letters in the place of its dots: the last ones, as in broadcasting."""
    if "..." in term:
        count = ndim - len(term.replace("...", ""))
        term = term.replace("...", rest[len(rest) - count :] if count > 0 else "")
    if len(term) != ndim:
        raise ShapeError(
            f"einsum: {len(term)} letters for {ndim} axes",
            given=f"{term!r} in {subscripts!r}",
            where=here(),
            fix="write a letter for each axis, or ... for the ones in front",
        )
    return term


def _plain(term: Term) -> Term:
    """A letter that stands twice in a term is a diagonal."""
    for letter in dict.fromkeys(term.letters):
        while term.letters.count(letter) > 1:
            a = term.letters.index(letter)
            b = term.letters.index(letter, a + 1)
            rest = term.letters[:a] + term.letters[a + 1 : b] + term.letters[b + 1 :]
            if term.node.shape[a] != term.node.shape[b]:
                raise ShapeError(f"{letter} is {term.node.shape[a]} and {term.node.shape[b]}")
            term = Term(diagonal(term.node, 0, a, b), rest + letter)
    return term


def _sizes(terms: Iterable[Term], subscripts: str) -> dict[str, Dim]:
    sizes: dict[str, Dim] = {}
    for term in terms:
        for letter, dim in zip(term.letters, term.node.shape, strict=True):
            known = sizes.setdefault(letter, dim)
            if known == 1:
                sizes[letter] = dim
            elif dim not in (known, 1):
                raise ShapeError(
                    f"einsum: {letter} has size {known} and size {dim}",
                    given=f"{subscripts!r} over {_operands(terms)}",
                    where=here(),
                    fix="one letter stands for one size: transpose an operand, or use another letter",
                )
    return sizes


def _thin(term: Term, sizes: dict[str, Dim]) -> Term:
    """An axis of size 1 that is longer elsewhere is broadcast there, so here it goes."""
    for letter in term.letters:
        if term.size(letter) == 1 and sizes[letter] != 1:
            node = squeeze_op(term.node, axis=term.letters.index(letter))
            term = Term(node, term.letters.replace(letter, ""))
    return term


def _order(terms: Sequence[Term], result: str, sizes: dict[str, Dim]) -> list[tuple[int, ...]]:
    """Which terms to contract with which, as NumPy plans it."""
    if len(terms) < 3:
        return [tuple(range(len(terms)))]
    shapes = [tuple(s if isinstance(s, int) else STAND_IN for s in map(sizes.get, t.letters)) for t in terms]
    arrays = [np.broadcast_to(0.0, shape) for shape in shapes]
    text = f"{','.join(t.letters for t in terms)}->{result}"
    return list(np.einsum_path(text, *arrays, optimize="greedy")[0][1:])


def _contracted(terms: Sequence[Term], kept: set[str]) -> Term:
    """The product of terms, summed over every letter that is not kept."""
    first, *others = terms
    for i, other in enumerate(others):
        later = kept.union(*(t.letters for t in others[i + 1 :]))
        first = _product(first, other, later)
    return _summed(first, kept)


def _product(a: Term, b: Term, kept: set[str]) -> Term:
    a, b = _summed(a, kept | set(b.letters)), _summed(b, kept | set(a.letters))
    shared = [c for c in a.letters if c in b.letters]
    batch = "".join(c for c in shared if c in kept)
    inner = "".join(c for c in shared if c not in kept)
    rows = "".join(c for c in a.letters if c not in shared)
    columns = "".join(c for c in b.letters if c not in shared)
    if not inner:
        return _outer(a, b, batch + rows + columns)
    return _matrices(a, b, (batch, rows, inner, columns))


def _outer(a: Term, b: Term, letters: str) -> Term:
    left, right = (_spread(t, letters) for t in (a, b))
    return Term(multiply(left, right), letters)


def _spread(term: Term, letters: str) -> Node:
    """The axes in this order, with axes of size 1 for the letters that it lacks."""
    node = _ordered(term, "".join(c for c in letters if c in term.letters))
    shape = tuple(term.size(c) if c in term.letters else 1 for c in letters)
    return node if node.shape == shape else reshape(node, shape)


def _matrices(a: Term, b: Term, groups: tuple[str, str, str, str]) -> Term:
    batch, rows, inner, columns = groups
    left = _grouped(a, (batch, rows, inner))
    right = _grouped(b, (batch, inner, columns))
    found: Node = matmul_op(left, right)
    shape = (*map(a.size, batch + rows), *map(b.size, columns))
    return Term(found if found.shape == shape else reshape(found, shape), batch + rows + columns)


def _grouped(term: Term, groups: tuple[str, str, str]) -> Node:
    """The batch axes one by one, then a matrix whose rows and columns are groups of axes."""
    node = _ordered(term, "".join(groups))
    batch, *matrix = groups
    shape = (*map(term.size, batch), *(product(tuple(map(term.size, group))) for group in matrix))
    return node if node.shape == shape else reshape(node, shape)


def _summed(term: Term, kept: set[str]) -> Term:
    gone = tuple(i for i, c in enumerate(term.letters) if c not in kept)
    if not gone:
        return term
    total = cast(sum_of(term.node, axis=gone), term.node.dtype)
    return Term(total, "".join(c for c in term.letters if c in kept))


def _ordered(term: Term, letters: str) -> Node:
    axes = tuple(term.letters.index(c) for c in letters)
    return term.node if axes == tuple(range(len(axes))) else transpose(term.node, axes)


# -- the products that have names ---------------------------------------------------------------------------------


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Node:
    """The product summed over axes of both.

    Args:
        x1: a node.
        x2: a node.
        axes: how many of the last axes of ``x1`` meet as many of the first of ``x2``; or a pair of lists.

    Raises:
        ShapeError: axes of different sizes, or another number of them.

    Example:
        >>> import graphc as gx
        >>> gx.tensordot(gx.input("x", ("n", 3, 4)), gx.input("y", (4, 3)), axes=([1, 2], [1, 0])).shape
        (n,)
    """
    a, b = promoted((x1, x2), numbers=True)
    left, right = _tensor_axes(axes, a, b)
    if len(left) != len(right) or any(a.shape[i] != b.shape[j] for i, j in zip(left, right, strict=False)):
        raise ShapeError(
            "tensordot: the axes that meet have different sizes",
            given=f"{describe(a, 'x1')}: {a.type}, {describe(b, 'x2')}: {b.type}, axes={axes}",
            where=here(),
            fix="name the axes that meet, as in axes=([1], [0])",
        )
    letters = string.ascii_letters
    first = letters[: a.ndim]
    second = list(letters[a.ndim : a.ndim + b.ndim])
    for i, j in zip(left, right, strict=True):
        second[j] = first[i]
    result = [c for i, c in enumerate(first) if i not in left]
    result += [c for j, c in enumerate(second) if j not in right]
    return einsum(f"{first},{''.join(second)}->{''.join(result)}", a, b)


def _tensor_axes(axes: Any, a: Node, b: Node) -> tuple[list[int], list[int]]:
    if hasattr(axes, "__index__"):
        count = axes.__index__()
        if not 0 <= count <= min(a.ndim, b.ndim):
            raise ShapeError(f"there are no {count} axes to sum over", given=f"{a.type}, {b.type}")
        return list(range(a.ndim - count, a.ndim)), list(range(count))
    left, right = ([v] if hasattr(v, "__index__") else list(v) for v in axes)
    return [normal_axis(i, a.ndim) for i in left], [normal_axis(j, b.ndim) for j in right]


def vecdot(x1: Any, x2: Any, axis: int = -1) -> Node:
    """The dot product of vectors along an axis; the other axes broadcast.

    Raises:
        ShapeError: vectors of different sizes.

    Example:
        >>> import graphc as gx
        >>> gx.vecdot(gx.input("x", ("n", 3)), gx.input("y", (3,))).shape
        (n,)
    """
    a, b = promoted((x1, x2), numbers=True)
    if axis != -1:
        a, b = (moveaxis(x, axis, -1) for x in (a, b))
    if not a.ndim or not b.ndim or a.shape[-1] != b.shape[-1]:
        raise ShapeError("the vectors have different sizes", given=f"{a.type}, {b.type}")
    return sum_of(multiply(a, b), axis=-1)


def inner(x1: Any, x2: Any) -> Node:
    """The product summed over the last axis of both; of vectors, their dot product.

    Example:
        >>> import graphc as gx
        >>> gx.inner(gx.input("x", ("n", 3)), gx.input("y", (2, 3))).shape
        (n, 2)
    """
    a, b = promoted((x1, x2), numbers=True)
    return tensordot(a, b, axes=([-1], [-1])) if a.ndim and b.ndim else multiply(a, b)


def outer(x1: Any, x2: Any) -> Node:
    """Every product of an element of ``x1`` with one of ``x2``, both taken as flat.

    Example:
        >>> import graphc as gx
        >>> gx.outer(gx.input("x", ("n",)), gx.input("y", (3,))).shape
        (n, 3)
    """
    a, b = (x if x.ndim == 1 else reshape(x, -1) for x in promoted((x1, x2), numbers=True))
    node: Node = multiply(expand_dims(a, 1), expand_dims(b, 0))
    return node


def kron(x1: Any, x2: Any) -> Node:
    """The Kronecker product: every element of ``x1`` times the whole of ``x2``.

    Example:
        >>> import graphc as gx
        >>> gx.kron(gx.input("x", ("n", 2)), gx.input("y", (3, 4))).shape
        (3*n, 8)
    """
    a, b = promoted((x1, x2), numbers=True)
    rank = max(a.ndim, b.ndim)
    left, right = ((*(1,) * (rank - x.ndim), *x.shape) for x in (a, b))
    wide = reshape(a, tuple(d for dim in left for d in (dim, 1)))
    high = reshape(b, tuple(d for dim in right for d in (1, dim)))
    return reshape(multiply(wide, high), tuple(m * n for m, n in zip(left, right, strict=True)))


def cross(x1: Any, x2: Any, axis: int = -1) -> Node:
    """The cross product of vectors of three elements along an axis.

    Raises:
        ShapeError: an axis of another size.

    Example:
        >>> import graphc as gx
        >>> gx.cross(gx.input("x", ("n", 3)), gx.input("y", ("n", 3))).shape
        (n, 3)
    """
    a, b = promoted((x1, x2), numbers=True)
    if not a.ndim or not b.ndim or a.shape[axis] != 3 or b.shape[axis] != 3:
        raise ShapeError("a cross product is one of vectors of size 3", given=f"{a.type}, {b.type}")
    after, before = np.array([1, 2, 0]), np.array([2, 0, 1])
    node: Node = take(a, after, axis) * take(b, before, axis) - take(a, before, axis) * take(b, after, axis)
    return node


def matrix_power(x: Any, n: int) -> Node:
    """A square matrix multiplied with itself ``n`` times; the inverse for a negative ``n``.

    Raises:
        ShapeError: a matrix that is not square.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.matrix_power(gx.const([[1, 1], [0, 1]]), 5))()
        array([[1, 5],
               [0, 1]])
    """
    (x,) = as_nodes((x,))
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError("only a square matrix has powers", given=str(x.type))
    if n == 0:
        return broadcast_to(eye(x.shape[-1], dtype=x.dtype), x.shape)
    return _power(inv(x) if n < 0 else x, abs(n))


def _power(x: Node, n: int) -> Node:
    """By squares: as many products as ``n`` has binary digits, twice at most."""
    if n == 1:
        return x
    half = _power(x, n // 2)
    square = matmul(half, half)
    return matmul(square, x) if n % 2 else square
