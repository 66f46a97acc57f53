"""Initialisers: how a parameter starts. Each is a distribution and the equation of its width, with its source.

The same text initialises a model in this process and in an exported file. A parameter's generator is seeded from
(seed, name), so adding a layer does not change the others.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.node import Array
from graphc.ir.types import shape_text
from graphc.ops.moves import _name_seed

Fans = tuple[int, int]

INITIALISERS: dict[str, tuple[str, Callable[..., float]]] = {
    "zeros": ("constant", lambda fan_in, fan_out: 0.0),
    "ones": ("constant", lambda fan_in, fan_out: 1.0),
    "constant": ("constant", lambda fan_in, fan_out, value: value),
    "normal": ("normal", lambda fan_in, fan_out, std: std),
    "uniform": ("uniform", lambda fan_in, fan_out, bound: bound),
    # Glorot and Bengio 2010, eq. 12 and 16: the variance is 2 / (fan_in + fan_out)
    "xavier_normal": ("normal", lambda fan_in, fan_out: math.sqrt(2.0 / (fan_in + fan_out))),
    "xavier_uniform": ("uniform", lambda fan_in, fan_out: math.sqrt(6.0 / (fan_in + fan_out))),
    # He et al. 2015, eq. 10: the variance is 2 / fan_in, for relu
    "he_normal": ("normal", lambda fan_in, fan_out: math.sqrt(2.0 / fan_in)),
    "he_uniform": ("uniform", lambda fan_in, fan_out: math.sqrt(6.0 / fan_in)),
}
"""Name to a distribution and its number: the value of ``constant``, the std of ``normal``, the bound of ``uniform``."""

DRAW: dict[str, Callable[..., Any]] = {
    "constant": lambda rng, shape, number: np.full(shape, number),
    "normal": lambda rng, shape, number: rng.normal(0.0, number, shape),
    "uniform": lambda rng, shape, number: rng.uniform(-number, number, shape),
}
"""Distributions over a generator. Drawn in float64, then cast; ``DRAW_SOURCE`` is the same for generated code."""

DRAW_SOURCE: dict[str, tuple[str, ...]] = {
    "normal": (
        "    def normal(name, std, shape):",
        "        return generator(name).normal(0.0, std, shape)",
    ),
    "uniform": (
        "    def uniform(name, bound, shape):",
        "        return generator(name).uniform(-bound, bound, shape)",
    ),
}
"""Distributions as functions inside a generated ``init``; a test holds them to ``DRAW``."""

OPTIONS: dict[str, dict[str, float]] = {
    "constant": {"value": 0.0},
    "normal": {"std": 0.01},
    "uniform": {"bound": 0.05},
}


@dataclass(frozen=True)
class Init:
    """How a leaf starts: a named initialiser with its options, or an array.

    Use ``gx.init("normal", std=0.1)`` to make one.
    """

    name: str
    options: tuple[tuple[str, float], ...] = ()
    value: Array | None = None

    def draw(self, shape: tuple[int, ...]) -> tuple[str, float]:
        """The distribution and its number, for a leaf of this shape."""
        family, equation = INITIALISERS[self.name]
        return family, float(equation(*fans(shape), **dict(self.options)))

    def expression(self, shape: tuple[int, ...], name: str) -> str:
        """The text that draws it inside a generated ``init``; ``name`` is a string literal."""
        family, number = self.draw(shape)
        if family == "constant":
            return f"np.full({shape!r}, {number!r})" if number else f"np.zeros({shape!r})"
        return f"{family}({name}, {number!r}, {shape!r})"

    def __str__(self) -> str:
        if self.value is not None:
            return "array"
        inner = ", ".join(f"{k}={v:g}" for k, v in self.options)
        return f"{self.name}({inner})" if inner else self.name


def init(name: str, **options: float) -> Init:
    """An initialiser with options.

    Args:
        name: one of ``zeros ones constant normal uniform xavier_normal xavier_uniform he_normal he_uniform``.
        options: ``value`` of constant, ``std`` of normal, ``bound`` of uniform.

    Raises:
        ArgumentError: an unknown name or option.

    Example:
        >>> str(init("normal", std=0.1))
        'normal(std=0.1)'
    """
    if name not in INITIALISERS:
        near = difflib.get_close_matches(str(name), INITIALISERS, n=1)
        fix = f"did you mean {near[0]}?" if near else None
        raise ArgumentError(f"no initialiser {name!r}", expected=", ".join(INITIALISERS), fix=fix)
    known = OPTIONS.get(name, {})
    for key, value in options.items():
        if key not in known or not math.isfinite(value):
            raise ArgumentError(
                f"{name} does not take {key}={value}", expected=", ".join(known) or "no options"
            )
    return Init(name, tuple(sorted({**known, **{k: float(v) for k, v in options.items()}}.items())))


def as_init(value: Any, shape: tuple[Any, ...], owner: str) -> Init:
    """An initialiser from what a user writes: a name, an ``Init``, a number or an array."""
    if isinstance(value, Init):
        return value
    if isinstance(value, str):
        return init(value)
    array = np.asarray(value)
    if array.ndim == 0 and array.dtype.kind in "fiub":
        return init("constant", value=float(array))
    if array.dtype.kind not in "fiub":
        raise ArgumentError(f"the start of {owner} is a name or an array", given=f"{value!r:.60}")
    if array.shape != shape:
        raise ShapeError(
            f"the starting array of {owner} has another shape",
            given=shape_text(array.shape),
            expected=shape_text(shape),
        )
    return Init("array", (), Array(array))


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Units in and out: of an (in, out) matrix; a vector is its own fan; further leading axes are windows."""
    if len(shape) < 2:
        n = shape[0] if shape else 1
        return max(n, 1), max(n, 1)
    window = math.prod(shape[:-2])
    return max(window * shape[-2], 1), max(window * shape[-1], 1)


def name_seed(name: str) -> int:
    """A stable 64-bit number for a name, mixed with the user's seed."""
    return int(_name_seed(name))  # type: ignore[no-untyped-call]


def initial_value(
    init: Init, shape: tuple[int, ...], dtype: str, name: str, seed: int
) -> np.ndarray[Any, Any]:
    """The starting array of the leaf ``name``."""
    if init.value is not None:
        return init.value.value.astype(dtype)
    rng = np.random.Generator(np.random.PCG64([seed, name_seed(name)]))
    family, number = init.draw(shape)
    return np.asarray(DRAW[family](rng, shape, number), dtype=dtype)
