"""The helper functions of the generated programs, against mpmath."""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from graphc.ops import kernels

Array = np.ndarray[Any, Any]
FUNCTIONS = {name: f for name, f in vars(kernels).items() if inspect.isfunction(f)}
DTYPES = [np.float32, np.float64]
INF, NAN = np.inf, np.nan


@pytest.fixture(autouse=True)
def strict_arithmetic() -> Iterator[None]:
    """Nothing warns; only a result that becomes 0 or subnormal is nobody's concern."""
    with np.errstate(all="raise", under="ignore"), mp.workdps(40):
        yield


def magnitudes(dtype: type[np.floating[Any]]) -> Array:
    """Zero, every scale down to the smallest subnormal and up to the largest number, and dense where it matters."""
    info, rng = np.finfo(dtype), np.random.default_rng(7)
    small, large = np.log(float(info.smallest_subnormal)), np.log(float(info.max))
    points = np.concatenate(
        [
            np.linspace(0, 7, 1200),
            np.linspace(7, 120, 300),
            np.linspace(120, 760, 300),
            np.abs(rng.normal(0, 2, 800)),
            np.exp(rng.uniform(small, large, 400)),
            [1e-300, 1e300] if dtype is np.float64 else [1e-30, 1e30],
        ]
    ).astype(dtype)
    ends = np.array([0, info.smallest_subnormal, info.tiny, info.eps, info.max], dtype)
    return np.unique(np.concatenate([points, ends]))


def signed(dtype: type[np.floating[Any]]) -> Array:
    x = magnitudes(dtype)
    return np.concatenate([-x[::-1], x])


def inside(dtype: type[np.floating[Any]]) -> Array:
    """Between -1 and 1, dense at the ends."""
    x = magnitudes(dtype)
    near = 1 - np.exp(-np.linspace(0.1, 16 if dtype is np.float32 else 36, 900)).astype(dtype)
    x = np.unique(np.concatenate([x[x < 1], near[near < 1]]))
    return np.concatenate([-x[::-1], x])


def positive(dtype: type[np.floating[Any]]) -> Array:
    """Above 0, dense around 1 and 2, where the logarithm of gamma vanishes."""
    near = [at + np.linspace(-1e-2, 1e-2, 101) for at in (1, 2)]
    return np.unique(np.concatenate([magnitudes(dtype)[1:], *near])).astype(dtype)


def errors(got: Array, want: list[Any]) -> tuple[float, float]:
    """The worst error in units of eps * max(1, |f|), and in units in the last place; infinities must agree."""
    info = np.finfo(got.dtype)
    eps, least, largest = float(info.eps), float(info.smallest_subnormal), float(info.max)
    scaled = ulps = 0.0
    for g, w in zip(got.ravel().tolist(), want, strict=True):
        if abs(w) > largest * (1 + eps / 4):
            assert g == np.copysign(INF, float(mp.sign(w)))
            continue
        error = float(abs(mp.mpf(g) - w))
        last_place = max(eps * 2.0 ** float(mp.floor(mp.log(abs(w), 2))), least) if w else least
        scaled = max(scaled, error / (eps * max(1.0, float(abs(w)))))
        ulps = max(ulps, error / last_place)
    return scaled, ulps


def sigmoid(x: Any) -> Any:
    return mp.exp(x) / (1 + mp.exp(x)) if x < 0 else 1 / (1 + mp.exp(-x))


def softplus(x: Any) -> Any:
    return max(x, mp.mpf(0)) + mp.log1p(mp.exp(-abs(x)))


def log_cosh(x: Any) -> Any:
    if abs(x) < 1e-3:
        return mp.log1p(2 * mp.sinh(x / 2) ** 2)
    return abs(x) - mp.log(2) + mp.log1p(mp.exp(-2 * abs(x)))


def xlogx(x: Any) -> Any:
    return x * mp.log(x) if x else mp.mpf(0)


def log1mexp(x: Any) -> Any:
    if x == 0:
        return -mp.inf
    return mp.log(-mp.expm1(x)) if x > -1 else mp.log1p(-mp.exp(x))


def erfc(x: Any) -> Any:
    return mp.erfc(x) if abs(x) < 1e3 else mp.mpf(0 if x > 0 else 2)


def gammaln(x: Any) -> Any:
    return mp.log(abs(mp.gamma(x))) if abs(x) < 1e3 else mp.loggamma(x).real


def tails(dtype: type[np.floating[Any]]) -> Array:
    """Between 0 and 2, dense towards both, down to the smallest that is not subnormal."""
    info = np.finfo(dtype)
    low, high = np.geomspace(float(info.tiny), 1, 2000), 2 - np.geomspace(float(info.eps) * 2, 1, 300)
    return np.unique(np.concatenate([low, high]).astype(dtype))


def erfcinv(y: Any) -> Any:
    """By Newton's method with the digits of mpmath, from the value in float64 of an expansion of the tail."""
    if y > 1:
        return -erfcinv(2 - y)
    if y > 0.5:
        return mp.erfinv(1 - y)
    w = -mp.log(y)
    x = mp.sqrt(w - mp.log(mp.sqrt(mp.pi * w))) if w > 2 else mp.mpf(1) / 2
    for _ in range(9):
        x += (mp.log(mp.erfc(x)) + w) * mp.erfc(x) * mp.sqrt(mp.pi) / 2 * mp.exp(x * x)
    return x


UNARY: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Array]]] = {
    "_erf": (mp.erf, signed),
    "_sigmoid": (sigmoid, signed),
    "_softplus": (softplus, signed),
    "_log_cosh": (log_cosh, signed),
    "_xlogx": (xlogx, magnitudes),
    "_log1mexp": (log1mexp, lambda dtype: -magnitudes(dtype)),
    "_erfc": (erfc, signed),
    "_erfinv": (mp.erfinv, inside),
    "_erfcinv": (erfcinv, tails),
    "_gammaln": (gammaln, positive),
    "_digamma": (mp.digamma, positive),
}
ULPS = {
    "_erfc": 8,
    "_erfinv": 6,
    "_erfcinv": 6,
    "_gammaln": INF,
    "_digamma": INF,
}  # the last two pass through 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_unary_is_accurate_everywhere(name: str, dtype: type[np.floating[Any]]) -> None:
    reference, points = UNARY[name]
    x = points(dtype)
    got = FUNCTIONS[name](x)
    assert got.dtype == dtype
    scaled, ulps = errors(got, [reference(mp.mpf(v)) for v in x.tolist()])
    assert scaled <= (3 if name in ULPS else 2)
    assert ulps <= ULPS.get(name, 4)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["_sigmoid", "_softplus"])
def test_an_exponential_that_overflows_changes_nothing_beside_it(
    name: str, dtype: type[np.floating[Any]]
) -> None:
    """Bits do not hang on what else is in an array; an array that is written over gives the same."""
    x, function = signed(dtype), FUNCTIONS[name]
    near = np.abs(x) < (88 if dtype is np.float32 else 709)
    whole, out = function(x), np.empty_like(x)
    np.testing.assert_array_equal(function(x[near]), whole[near])
    np.testing.assert_array_equal(function(x, out=out), whole)
    for part in (x, x[near]):
        over = part.copy()
        assert function(over, out=over) is over
        np.testing.assert_array_equal(over, function(part))
    assert function(x[0]).dtype == dtype
    assert function(x[0]).ndim == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "x", "want"),
    [
        ("_erf", [NAN, INF, -INF, 0.0, -0.0], [NAN, 1, -1, 0.0, -0.0]),
        ("_sigmoid", [NAN, INF, -INF, 0.0, -0.0], [NAN, 1, 0.0, 0.5, 0.5]),
        ("_softplus", [NAN, INF, -INF], [NAN, INF, 0.0]),
        ("_log_cosh", [NAN, INF, -INF, 0.0, -0.0], [NAN, INF, INF, 0.0, 0.0]),
        ("_xlogx", [NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, -1e-40], [NAN, INF, NAN, 0, 0, 0, NAN, NAN]),
        ("_erfc", [NAN, INF, -INF, 0.0, -0.0, 1e4, -1e4], [NAN, 0, 2, 1, 1, 0, 2]),
        ("_erfinv", [NAN, 1.0, -1.0, 0.0, -0.0, 1.5, -1.5, INF], [NAN, INF, -INF, 0.0, -0.0, NAN, NAN, NAN]),
        ("_erfcinv", [NAN, 0.0, -0.0, 2.0, 1.0, -1.0, 2.5, INF], [NAN, INF, INF, -INF, 0.0, NAN, NAN, NAN]),
        ("_gammaln", [NAN, INF, 0.0, -0.0, -1.0, -3.0], [NAN, INF, INF, INF, INF, INF]),
        ("_digamma", [NAN, INF, 0.0, -0.0, -1.0, -3.0], [NAN, INF, -INF, INF, NAN, NAN]),
        ("_log1mexp", [NAN, INF, -INF, 0.0, -0.0, 1.0, 1e4], [NAN, NAN, 0, -INF, -INF, NAN, NAN]),
    ],
)
def test_unary_special_values(
    name: str, x: list[float], want: list[float], dtype: type[np.floating[Any]]
) -> None:
    got = FUNCTIONS[name](np.array(x, dtype))
    np.testing.assert_array_equal(got, np.array(want, dtype), strict=True)
    if name in {"_erf", "_sigmoid", "_softplus"}:  # the others return a zero of either sign
        np.testing.assert_array_equal(np.signbit(got[1:]), np.signbit(want[1:]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_unary_keeps_shape_and_argument(name: str, dtype: type[np.floating[Any]]) -> None:
    f = FUNCTIONS[name]
    x = -np.abs(np.random.default_rng(0).normal(size=(3, 4, 5))).astype(dtype)
    x = (
        -x
        if name == "_xlogx"
        else np.tanh(x)
        if name == "_erfinv"
        else np.exp(x)
        if name == "_erfcinv"
        else x
    )
    before, want = x.copy(), f(x)
    assert want.shape == x.shape
    np.testing.assert_array_equal(x, before)
    np.testing.assert_allclose(f(x.T[::2]), want.T[::2], rtol=4 * np.finfo(dtype).eps)
    assert f(x[:0]).shape == (0, 4, 5)
    for scalar in (x[0, 0, 0], np.array(x[0, 0, 0])):
        got = f(scalar)
        assert isinstance(got, np.generic)
        assert got.dtype == dtype
        assert got == pytest.approx(want[0, 0, 0], rel=4 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_gamma_family_left_of_zero(dtype: type[np.floating[Any]]) -> None:
    x = np.random.default_rng(4).uniform(-40, 0, 3000).astype(dtype)
    x = x[x != np.round(x)]
    values = [mp.mpf(v) for v in x.tolist()]
    # near a zero the two halves of the reflection cancel
    assert errors(kernels._gammaln(x), [gammaln(v) for v in values])[0] <= 8
    assert errors(kernels._digamma(x), [mp.digamma(v) for v in values])[0] <= 8


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_polygamma(n: int, dtype: type[np.floating[Any]]) -> None:
    x = np.concatenate([np.geomspace(1e-3, 1e4, 200), np.linspace(0.1, 10, 200)]).astype(dtype)
    got = kernels._polygamma(n, x)
    assert got.dtype == dtype
    assert errors(got, [mp.polygamma(n, mp.mpf(v)) for v in x.tolist()])[0] <= 2
    for at, want in [
        (0, -INF if n % 2 == 0 else INF),
        (INF, 0),
        (-2, NAN if n % 2 == 0 else INF),
        (NAN, NAN),
    ]:
        np.testing.assert_array_equal(kernels._polygamma(n, dtype(at)), dtype(want), strict=True)
    assert np.all(np.isnan(kernels._polygamma(np.array([-1, 0, 171]), x[:3])))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_polygamma_below_zero(n: int, dtype: type[np.floating[Any]]) -> None:
    x = np.concatenate([-np.geomspace(1e-3, 1e4, 30), np.linspace(-10.05, -0.05, 50)]).astype(dtype)
    x = x[x != np.round(x)]
    got = kernels._polygamma(n, x)
    assert got.dtype == dtype
    # for even n the two sides of the reflection, each some ten times the sum, cancel half-way between two poles
    assert errors(got, [mp.polygamma(n, mp.mpf(v)) for v in x.tolist()])[0] <= (16 if n % 2 == 0 else 4)


def test_erf_stays_within_one_and_is_odd() -> None:
    for dtype in DTYPES:
        x = magnitudes(dtype)
        y = kernels._erf(x)
        assert np.all(y <= 1)
        assert np.all(y[x >= 6] == 1)
        np.testing.assert_array_equal(kernels._erf(-x), -y)


@pytest.mark.parametrize("dtype", DTYPES)
def test_xlogy(dtype: type[np.floating[Any]]) -> None:
    rng = np.random.default_rng(3)
    y = magnitudes(dtype)[1:]
    x = rng.normal(size=y.size).astype(dtype)
    got = kernels._xlogy(x, y)
    assert got.dtype == dtype
    scaled, ulps = errors(got, [mp.mpf(a) * mp.log(b) for a, b in zip(x.tolist(), y.tolist(), strict=True)])
    assert scaled <= 2
    assert ulps <= 4
    for a, b, want in [
        (0, 0, 0), (-0.0, 0, 0), (0, -1, 0), (0, INF, 0), (0, -INF, 0), (0, NAN, NAN),
        (NAN, 1, NAN), (1, NAN, NAN), (1, 0, -INF), (-1, 0, INF), (1, -1, NAN), (2, INF, INF),
    ]:  # fmt: skip
        scalar = kernels._xlogy(dtype(a), dtype(b))
        assert isinstance(scalar, np.generic)
        np.testing.assert_array_equal(scalar, dtype(want), strict=True)
    assert kernels._xlogy(x[:4, None], y[:3]).shape == (4, 3)


# ---------------------------------------------------------------------------- over an axis


def rows(dtype: type[np.floating[Any]]) -> list[Array]:
    rng = np.random.default_rng(11)
    big = float(np.finfo(dtype).max)
    made = [rng.normal(0, scale, n) for scale in (1e-3, 1, 30, 1e4) for n in (1, 2, 10, 100)]
    made += [
        np.array(v) for v in ([1e4, 1e4], [-1e4, -1e4], [0, -INF], [-INF, 5, 5], [big, -big], [-big, -big])
    ]
    return [row.astype(dtype) for row in made]


def exact(row: Array) -> tuple[Any, list[Any]]:
    """logsumexp and log_softmax, the second without the cancellation of the first."""
    values = [mp.mpf(v) for v in row.tolist()]
    first = max(range(len(values)), key=lambda i: values[i])
    shifted = [v - values[first] for v in values]
    rest = mp.log1p(mp.fsum(mp.exp(v) for i, v in enumerate(shifted) if i != first))
    return values[first] + rest, [v - rest for v in shifted]


@pytest.mark.parametrize("dtype", DTYPES)
def test_logsumexp_softmax_and_its_logarithm(dtype: type[np.floating[Any]]) -> None:
    for row in rows(dtype):
        total, logs = exact(row)
        finite = np.isfinite(row)
        x = row[:, None] * np.ones(2, dtype)

        got = kernels._logsumexp(x, 0, keepdims=False)
        assert (got.dtype, got.shape) == (dtype, (2,))
        assert errors(got[:1], [total])[0] <= 2

        got = kernels._softmax(x, 0)
        assert (got.dtype, got.shape) == (dtype, x.shape)
        assert errors(got[:, 0], [mp.exp(v) for v in logs])[0] <= 4

        got = kernels._log_softmax(x, 0)
        assert (got.dtype, got.shape) == (dtype, x.shape)
        assert errors(got[finite, 0], [v for v, ok in zip(logs, finite, strict=True) if ok])[0] <= 4
        assert np.all(got[~finite] == -INF)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("row", "total"),
    [
        ([-INF, -INF], -INF),
        ([INF, 0], INF),
        ([INF, INF], INF),
        ([INF, -INF], INF),
        ([NAN, 0], NAN),
        ([NAN, INF], NAN),
        ([NAN, -INF], NAN),
    ],
)
def test_infinite_rows(row: list[float], total: float, dtype: type[np.floating[Any]]) -> None:
    x = np.array([row, [0, 1]], dtype)  # the row below stays as it is
    np.testing.assert_array_equal(kernels._logsumexp(x, 1, keepdims=False)[0], dtype(total))
    for f in (kernels._softmax, kernels._log_softmax):
        assert np.all(np.isnan(f(x, 1)[0]))
    np.testing.assert_array_equal(kernels._softmax(x, 1)[1], kernels._softmax(x[1:], 1)[0])


@pytest.mark.parametrize("axis", [0, 1, -1, (0, 2), (-1, 1), (0, 1, 2), None])
@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp_axes(axis: Any, keepdims: bool) -> None:
    x = np.random.default_rng(2).normal(size=(2, 3, 4))
    got = kernels._logsumexp(x, axis, keepdims)
    want = np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))
    np.testing.assert_allclose(got, want, rtol=1e-14)
    assert np.shape(got) == np.shape(want)
    assert isinstance(got, np.generic) == (np.ndim(want) == 0)
    np.testing.assert_allclose(kernels._softmax(x, axis).sum(axis=axis), 1, rtol=1e-14)
    np.testing.assert_allclose(np.exp(kernels._log_softmax(x, axis)), kernels._softmax(x, axis), rtol=1e-14)


def test_nothing_to_sum() -> None:
    x = np.zeros((3, 0), np.float32)
    np.testing.assert_array_equal(kernels._logsumexp(x, 1, keepdims=False), np.full(3, -INF, np.float32))
    assert kernels._softmax(x, 1).shape == kernels._log_softmax(x, 1).shape == (3, 0)


# ----------------------------------------------------------------------------------- masks


@pytest.mark.parametrize("n", [1, 10, 64, 65, 500])
@pytest.mark.parametrize("shape", [(), (0,), (7,), (3, 4)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_one_hot(n: int, shape: tuple[int, ...], dtype: str) -> None:
    drawn = np.random.default_rng(5).integers(0, n, shape)
    for t in (np.asarray(drawn)[()], np.asarray(drawn, "int32")[()]):
        got = kernels._one_hot(t, n, dtype)
        want = (np.asarray(t)[..., None] == np.arange(n)).astype(dtype)
        np.testing.assert_array_equal(got, want, strict=True)


@pytest.mark.parametrize("n", [10, 100])
def test_one_hot_of_a_bad_label_leaves_the_other_rows_alone(n: int) -> None:
    got = kernels._one_hot(np.array([3, -1, 5]), n, "float32")
    np.testing.assert_array_equal(got[[0, 2]], kernels._one_hot(np.array([3, 5]), n, "float32"))
    with pytest.raises(IndexError):
        kernels._one_hot(np.array([3, n, 5]), n, "float32")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_argmax_one_hot(axis: int, dtype: type[np.floating[Any]]) -> None:
    x = np.random.default_rng(9).integers(0, 3, (3, 4, 5)).astype(dtype)  # many ties
    got = kernels._argmax_one_hot(x, axis)
    assert (got.dtype, got.shape) == (x.dtype, x.shape)
    np.testing.assert_array_equal(got.sum(axis=axis), 1)
    np.testing.assert_array_equal(got.argmax(axis=axis), x.argmax(axis=axis))
    np.testing.assert_array_equal(
        kernels._argmax_one_hot(x.T, axis), kernels._argmax_one_hot(x.T.copy(), axis)
    )


# ------------------------------------------------------------------------- the copied text


@pytest.mark.parametrize("name", FUNCTIONS)
def test_text_stands_on_its_own(name: str) -> None:
    text = inspect.getsource(FUNCTIONS[name])
    (function,) = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    assert (ast.get_docstring(function) or "").count("\n") == 0
    assert not function.decorator_list
    used = {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    made = {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    made |= {argument.arg for argument in function.args.args}
    assert used - made - set(dir(builtins)) <= {"np", *FUNCTIONS}
