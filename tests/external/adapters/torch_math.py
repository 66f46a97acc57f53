"""Pointwise functions, reductions, contractions and linear algebra of PyTorch."""

from __future__ import annotations

from typing import Any

from tests.external.judging import ops


def direct(name: str) -> Any:
    """A function of the same operands, under graphc's name; options that only set the dtype are dropped."""
    return lambda *operands, **options: getattr(ops, name)(*operands)


def reduction(name: str) -> Any:
    """A reduction over one axis, several or all."""
    return lambda x, dim=None, keepdim=False, **_: getattr(ops, name)(x, axis=axes(x, dim), keepdims=keepdim)


def axes(x: Any, dim: Any) -> Any:
    """No axes mean all of them; a number has an axis 0 in PyTorch."""
    if dim == () or not x.ndim:
        return None
    return tuple(dim) if isinstance(dim, (tuple, list)) else dim


def spread(name: str) -> Any:
    """A variance or deviation, by the divisor's correction; PyTorch's default is 1."""

    def reduced(
        x: Any, dim: Any = None, unbiased: bool = True, correction: Any = 1, keepdim: bool = False
    ) -> Any:
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        less = (1 if correction is None else correction) if unbiased else 0
        return getattr(ops, name)(x, axis=axes(x, dim), correction=less, keepdims=keepdim)

    return reduced


def with_places(value: str, place: str) -> Any:
    """An extremum: of two arrays, of all elements, or along an axis with the place where it is."""

    def extremum(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        if dim is not None and not x.ndim:
            return x, ops.const(0, "int64")
        found = getattr(ops, value)(x, axis=dim, keepdims=keepdim)
        return found if dim is None else (found, getattr(ops, place)(x, axis=dim, keepdims=keepdim))

    return extremum


def rounded_quotient(x: Any, y: Any, rounding_mode: str) -> Any:
    return ops.trunc(x / y) if rounding_mode == "trunc" else ops.floor_divide(x, y)


def rounded(x: Any, decimals: int = 0) -> Any:
    scale = 10.0 ** abs(decimals)
    return ops.round(x * scale) / scale if decimals >= 0 else ops.round(x / scale) * scale


def logit(x: Any, eps: float | None = None) -> Any:
    x = x if eps is None else ops.clip(x, eps, 1 - eps)
    return ops.log(x) - ops.log1p(-x)


def norm(x: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False) -> Any:
    """The norm of a vector, or of all elements."""
    if p == "nuc":
        return ops.norm(x, "nuc", axis=None if dim is None else tuple(dim), keepdims=keepdim)
    return vector_norm(x, 2 if p == "fro" else p, dim, keepdim)


def vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False) -> Any:
    """The p-norm; graphc's own where it has one."""
    return ops.vector_norm(x, axis=axes(x, dim), keepdims=keepdim, ord=ord)


def logcumsumexp(x: Any, dim: int) -> Any:
    top = ops.stop_gradient(ops.max(x, axis=dim, keepdims=True))
    return ops.log(ops.cumsum(ops.exp(x - top), axis=dim)) + top


def addmm(x: Any, a: Any, b: Any, alpha: float = 1, beta: float = 1) -> Any:
    return beta * x + alpha * (a @ b)


def remainder_to_zero(x: Any, y: Any) -> Any:
    return x - y * ops.trunc(x / y)


def solve(a: Any, b: Any) -> Any:
    """A stack of vectors is told from a matrix as PyTorch does it."""
    vectors = b.ndim == 1 or (a.ndim - 1 == b.ndim and b.shape == a.shape[:-1])
    return ops.squeeze(ops.solve(a, ops.expand_dims(b, -1)), -1) if vectors else ops.solve(a, b)


def cholesky(x: Any, upper: bool = False) -> Any:
    found = ops.cholesky(x)
    return ops.matrix_transpose(found) if upper else found


SAME = (
    "abs reciprocal sqrt rsqrt exp expm1 exp2 log log1p log2 log10 sin cos tan sinh cosh tanh sigmoid erf "
    "erfc erfinv sign square maximum minimum floor ceil round trunc remainder hypot logaddexp xlogy digamma"
)

POINTWISE = {
    "add": lambda x, y, alpha=1: x + y if alpha == 1 else x + alpha * y,
    "sub": lambda x, y, alpha=1: x - y if alpha == 1 else x - alpha * y,
    "mul": lambda x, y: x * y,
    "div/no_rounding_mode": lambda x, y: x / y,
    "div/trunc_rounding": rounded_quotient,
    "div/floor_rounding": rounded_quotient,
    "pow": lambda x, y: x**y,
    "atan2": direct("arctan2"),
    "acos": direct("arccos"),
    "asin": direct("arcsin"),
    "atan": direct("arctan"),
    "acosh": direct("arccosh"),
    "asinh": direct("arcsinh"),
    "atanh": direct("arctanh"),
    "neg": direct("negative"),
    "lgamma": direct("gammaln"),
    "logit": logit,
    "fmod": remainder_to_zero,
    "fmax": direct("maximum"),
    "fmin": direct("minimum"),
    "max/binary": direct("maximum"),
    "min/binary": direct("minimum"),
    "clamp": lambda x, low=None, high=None: ops.clip(x, low, high),
    "where": lambda x, condition, y: ops.where(condition, x, y),
    "round/decimals_0": rounded,
    "round/decimals_3": rounded,
    "round/decimals_neg_3": rounded,
    **{name: direct(name) for name in SAME.split()},
}

REDUCTIONS = {
    "sum": reduction("sum"),
    "mean": reduction("mean"),
    "prod": reduction("prod"),
    "amax": reduction("max"),
    "amin": reduction("min"),
    "max/reduction_with_dim": with_places("max", "argmax"),
    "min/reduction_with_dim": with_places("min", "argmin"),
    "max/reduction_no_dim": reduction("max"),
    "min/reduction_no_dim": reduction("min"),
    "std": spread("std"),
    "std/unbiased": spread("std"),
    "var": spread("var"),
    "var/unbiased": spread("var"),
    "logsumexp": reduction("logsumexp"),
    "nansum": lambda x, dim=None, keepdim=False: ops.sum(
        ops.where(ops.isnan(x), 0.0, x), axis=axes(x, dim), keepdims=keepdim
    ),
    "cumsum": lambda x, dim, dtype=None: ops.cumsum(x, axis=dim),
    "cumprod": lambda x, dim: ops.cumprod(x, axis=dim),
    "logcumsumexp": logcumsumexp,
    "norm": norm,
    "norm/nuc": norm,
    "norm/fro": norm,
    "norm/inf": norm,
    "linalg.vector_norm": vector_norm,
}

CONTRACTIONS = {
    "matmul": direct("matmul"),
    "mm": direct("matmul"),
    "mv": direct("matmul"),
    "dot": direct("matmul"),
    "bmm": direct("matmul"),
    "bmm/triton_optimized": direct("matmul"),
    "addmm": addmm,
    "addmm/decomposed": addmm,
    "baddbmm": addmm,
    "einsum": lambda xs, equation: ops.einsum(equation, *xs),
    "tensordot": lambda x, y, dims: ops.tensordot(x, y, axes=dims),
    "inner": lambda x, y: ops.tensordot(x, y, axes=((-1,), (-1,))),
    "outer": direct("outer"),
    "kron": direct("kron"),
    "trace": direct("trace"),
    "linalg.det": direct("det"),
    "linalg.slogdet": lambda x: tuple(ops.slogdet(x)),
    "linalg.inv": direct("inv"),
    "linalg.solve": solve,
    "cholesky": cholesky,
}

TABLE = {**POINTWISE, **REDUCTIONS, **CONTRACTIONS}
