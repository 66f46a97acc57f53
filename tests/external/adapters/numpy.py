"""NumPy's functions and some of SciPy's, by the names that autograd gives them."""

from __future__ import annotations

from math import log, pi, sqrt
from string import ascii_letters
from typing import Any

import numpy as np

from tests.external.adapters.windows import convolve
from tests.external.judging import later, ops


def direct(name: str) -> Any:
    """A function of the same arguments, under graphc's name."""
    return lambda *arguments, **options: getattr(ops, name)(*arguments, **options)


def spread(name: str) -> Any:
    """A variance or deviation; NumPy's name for the correction is ddof."""
    return lambda x, axis=None, ddof=0, keepdims=False: getattr(ops, name)(
        x, axis=axis, correction=ddof, keepdims=keepdims
    )


def atleast(rank: int) -> Any:
    """New axes of size 1, where NumPy puts them."""

    def raised(x: Any) -> Any:
        one = {0: (1,) * rank, 1: (1, x.shape[-1], 1)[:rank] if x.ndim else (), 2: (*x.shape, 1)}
        return x if x.ndim >= rank else ops.reshape(x, x.shape if rank == 1 and x.ndim else one[x.ndim])

    return raised


def dot(a: Any, b: Any) -> Any:
    if not a.ndim or not b.ndim:
        return a * b
    return ops.tensordot(a, b, axes=((-1,), (-min(b.ndim, 2),)))


def inner(a: Any, b: Any) -> Any:
    return ops.tensordot(a, b, axes=((-1,), (-1,))) if a.ndim and b.ndim else a * b


def einsum(*arguments: Any) -> Any:
    """A contraction by text, or by lists of axis numbers."""
    if isinstance(arguments[0], str):
        return ops.einsum(*arguments)
    operands, subscripts = arguments[: len(arguments) // 2 * 2 : 2], arguments[1::2]
    given = ",".join(lettered(s) for s in subscripts[: len(operands)])
    out = f"->{lettered(arguments[-1])}" if len(arguments) % 2 else ""
    return ops.einsum(given + out, *operands)


def lettered(axes: Any) -> str:
    return "".join("..." if a in ("...", Ellipsis) else ascii_letters[a] for a in axes)


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """Vectors may lie along a different axis of each array."""
    if axis is not None:
        axisa = axisb = axisc = axis
    found = ops.cross(ops.moveaxis(a, axisa, -1), ops.moveaxis(b, axisb, -1), axis=-1)
    return ops.moveaxis(found, -1, axisc)


def difference(x: Any, n: int = 1, axis: int = -1) -> Any:
    for _ in range(n):
        x = part(x, axis, slice(1, None)) - part(x, axis, slice(None, -1))
    return x


def part(x: Any, axis: int, where: slice) -> Any:
    return x[(slice(None),) * (axis % x.ndim) + (where,)]


def slope(x: Any, axis: int) -> Any:
    """Differences to both sides, and to one side at the ends."""
    inside = (part(x, axis, slice(2, None)) - part(x, axis, slice(None, -2))) / 2
    first = part(x, axis, slice(1, 2)) - part(x, axis, slice(0, 1))
    last = part(x, axis, slice(-1, None)) - part(x, axis, slice(-2, -1))
    return ops.concat([first, inside, last], axis=axis)


def gradient(x: Any, axis: Any = None) -> Any:
    wanted = range(x.ndim) if axis is None else axis if isinstance(axis, list) else [axis]
    found = [slope(x, a) for a in wanted]
    return found[0] if len(found) == 1 else ops.stack(found, axis=0)


def pad(x: Any, widths: Any, mode: str = "constant") -> Any:
    if mode != "constant":
        later(f"gx.pad of mode {mode}")()
    return ops.pad(x, [tuple(pair) for pair in np.broadcast_to(widths, (x.ndim, 2)).tolist()])


def rollaxis(x: Any, axis: int, start: int = 0) -> Any:
    order = [a for a in range(x.ndim) if a != axis]
    order.insert(start if start <= axis else start - 1, axis)
    return ops.transpose(x, order)


def split(along: int | None) -> Any:
    """Equal parts, stacked as the case stores them."""

    def parted(x: Any, count: Any, axis: int = 0) -> Any:
        return ops.stack(ops.split(x, int(count), axis=along or axis), axis=0)

    return parted


def columns(xs: Any) -> Any:
    return ops.stack([xs[i] for i in range(xs.shape[0])], axis=-1) if xs.ndim == 2 else ops.expand_dims(xs, 0)


def hstack(xs: Any) -> Any:
    return ops.concat([xs[i] for i in range(xs.shape[0])], axis=0 if xs.ndim == 2 else 1)


def betaln(a: Any, b: Any) -> Any:
    return ops.gammaln(a) + ops.gammaln(b) - ops.gammaln(a + b)


def multigammaln(a: Any, d: Any) -> Any:
    found = ops.const(float(d * (d - 1) / 4 * log(pi)), "float64")
    for j in range(int(d)):
        found = found + ops.gammaln(a - j / 2)
    return found


def logsumexp(x: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Any:
    """With weights, the sum that they make, shifted by the largest number."""
    if b is None:
        return ops.logsumexp(x, axis=axis, keepdims=keepdims)
    top = ops.stop_gradient(ops.max(x))
    return ops.log(ops.sum(np.asarray(b, float) * ops.exp(x - top), axis=axis, keepdims=keepdims)) + top


def standardised(function: Any) -> Any:
    """A function of a normal variable with a place and a scale."""
    return lambda x, loc=0.0, scale=1.0: function((x - loc) / scale, scale)


def normal_logpdf(z: Any, scale: Any) -> Any:
    return -0.5 * z * z - 0.5 * log(2 * pi) - ops.log(scale)


def normal_cdf(z: Any, scale: Any) -> Any:
    return 0.5 * ops.erfc(-z / sqrt(2))


NORMAL = {
    "pdf": standardised(lambda z, scale: ops.exp(normal_logpdf(z, scale))),
    "logpdf": standardised(normal_logpdf),
    "cdf": standardised(normal_cdf),
    "logcdf": standardised(lambda z, scale: ops.log(normal_cdf(z, scale))),
    "logsf": standardised(lambda z, scale: ops.log(normal_cdf(-z, scale))),
}
"""Of SciPy's distributions, the normal one; the functions of the others have the same names."""

RENAMED = {
    "absolute": "abs",
    "fabs": "abs",
    "sub": "subtract",
    "mul": "multiply",
    "fmax": "maximum",
    "fmin": "minimum",
    "mod": "remainder",
    "expit": "sigmoid",
    "psi": "digamma",
}

SAME = (
    "add divide arccosh arcsinh arctanh ceil cosh exp exp2 expm1 floor log log10 log1p log2 logaddexp maximum minimum "
    "remainder sign sin sinh sqrt square tan tanh arctan2 hypot erf erfc erfcinv erfinv gammaln diag kron matmul max "
    "mean min moveaxis prod sort sum swapaxes tensordot trace transpose tril triu gamma gammainc "
    "gammaincc gammasgn rgamma i0 i1 iv ive j0 jv y0 y1 yn partition"
)

TABLE = {
    **{name: direct(name) for name in SAME.split()},
    **{name: direct(other) for name, other in RENAMED.items()},
    **dict.fromkeys(("angle", "conjugate", "imag", "real", "real_if_close"), later("complex numbers")),
    "atleast_1d": atleast(1),
    "atleast_2d": atleast(2),
    "atleast_3d": atleast(3),
    "beta": lambda a, b: ops.exp(betaln(a, b)),
    "betaln": betaln,
    "column_stack": columns,
    "convolve": convolve,
    "cross": cross,
    "deg2rad": lambda x: x * (pi / 180),
    "radians": lambda x: x * (pi / 180),
    "diff": difference,
    "dot": dot,
    "dsplit": split(2),
    "einsum": einsum,
    "gradient": gradient,
    "hsplit": split(1),
    "hstack": hstack,
    "inner": inner,
    "logaddexp2": lambda x, y: ops.logaddexp(x * log(2), y * log(2)) / log(2),
    "logit": lambda x: ops.log(x) - ops.log1p(-x),
    "multigammaln": multigammaln,
    "normalized_dirichlet_logpdf": later("scipy.stats.dirichlet"),
    "normalized_dirichlet_pdf": later("scipy.stats.dirichlet"),
    "logsumexp": logsumexp,
    "pad": pad,
    "polygamma": lambda n, x: ops.polygamma(int(n), x) if n else ops.digamma(x),
    "repeat": lambda x, repeats, axis=None: ops.repeat(x, repeats, axis=axis),
    "rollaxis": rollaxis,
    "split": split(None),
    "std": spread("std"),
    "tile": lambda x, reps: ops.tile(x, reps),
    "var": spread("var"),
}
