"""Initialisers: how a parameter starts. Each is a distribution and the equation of its width, with its source.

The same text initialises a model in this process and in an exported file. A parameter's generator is seeded from
(seed, name), so adding a layer does not change the others.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.node import Array
from graphc.ir.origin import here
from graphc.ir.types import shape_text
from graphc.ops.initialisers import ALIASES, FAMILIES, GAINS, INITIALISERS, Family
from graphc.ops.moves import _name_seed

OWN = "function"
"""The name of an initialiser that is a function of the user's."""


@dataclass(frozen=True)
class Init:
    """How a leaf starts: a named initialiser with its options, an array, or a function of the user's.

    Use ``gx.init("normal", std=0.1)`` to make one.
    """

    name: str
    options: tuple[tuple[str, Any], ...] = ()
    value: Array | None = None
    function: Callable[..., Any] | None = None

    def draw(self, shape: tuple[int, ...], owner: str = "this parameter") -> tuple[Family, tuple[float, ...]]:
        """The distribution and its numbers, for a leaf of this shape.

        Raises:
            ShapeError: a rank that this initialiser does not take.
        """
        row = INITIALISERS[self.name]
        least, most = row.rank
        if not least <= len(shape) <= most:
            raise ShapeError(
                f"{owner} cannot start as {self.name}",
                given=f"rank {len(shape)}: {shape_text(shape)}",
                expected=f"rank {least}" if least == most else f"rank {least} or more",
            )
        family, numbers = row.numbers(shape, {**row.options, **dict(self.options)})
        return FAMILIES[family], tuple(float(n) for n in numbers)

    def expression(self, shape: tuple[int, ...], name: str) -> str:
        """The text that draws it inside a generated ``init``; ``name`` is a string literal."""
        if self.name == OWN:
            return f"np.asarray(own[{name}](generator({name}), {shape!r}))"
        family, numbers = self.draw(shape)
        if family is FAMILIES["constant"] and not numbers[0]:
            return f"np.zeros({shape!r})"
        return family.text.format(name=name, shape=repr(shape), numbers=", ".join(map(repr, numbers)))

    def helper(self, shape: tuple[int, ...]) -> str:
        """The function that this text calls, where that is one of ``ops.draws``."""
        return self.draw(shape)[0].helper if self.name in INITIALISERS else ""

    def with_fan_in(self, fan_in: float) -> Init:
        """The same with another fan_in, where it reads one and none was given."""
        row = INITIALISERS.get(self.name)
        if row is None or "fan_in" not in row.options or "fan_in" in dict(self.options):
            return self
        return Init(self.name, tuple(sorted({**dict(self.options), "fan_in": fan_in}.items())))

    def __str__(self) -> str:
        if self.value is not None:
            return "array"
        inner = ", ".join(f"{k}={v if isinstance(v, str) else format(v, 'g')}" for k, v in self.options)
        return f"{self.name}({inner})" if inner else self.name


def init(name: str, **options: Any) -> Init:
    """An initialiser with options.

    Args:
        name: ``zeros``, ``ones``, ``constant``, ``normal``, ``uniform``, ``truncated_normal``, ``xavier_normal``,
            ``xavier_uniform``, ``he_normal``, ``he_uniform``, ``lecun_normal``, ``lecun_uniform``, ``orthogonal``,
            ``identity`` or ``sparse``; ``glorot`` and ``kaiming`` are other names of ``xavier`` and ``he``.
        options: ``value`` of constant; ``std`` and ``mean`` of normal; ``bound``, or ``low`` and ``high``, of uniform;
            ``std``, ``mean``, ``low`` and ``high`` (in multiples of std) of truncated_normal; ``gain`` of orthogonal
            and identity; ``sparsity`` and ``std`` of sparse. Those of Xavier, He and LeCun take ``mode`` (``fan_in``,
            ``fan_out``, ``fan_avg``), ``gain`` (a number, or an activation: ``linear``, ``sigmoid``, ``tanh``,
            ``relu``, ``leaky_relu`` with its ``slope``, ``selu``), and ``fan_in`` and ``fan_out`` in place of those of
            the shape.

    Raises:
        ArgumentError: an unknown name or option, or options that do not go together.

    Example:
        >>> str(init("normal", std=0.1))
        'normal(std=0.1)'
        >>> str(init("he_normal", mode="fan_out", gain="tanh"))
        'he_normal(gain=1.66667, mode=fan_out)'
    """
    name = ALIASES.get(name, name) if isinstance(name, str) else name
    if not isinstance(name, str) or name not in INITIALISERS:
        near = difflib.get_close_matches(str(name), [*INITIALISERS, *ALIASES], n=1)
        fix = f"did you mean {near[0]}?" if near else None
        raise ArgumentError(f"no initialiser {name!r:.60}", expected=", ".join(INITIALISERS), fix=fix)
    row = INITIALISERS[name]
    given = {key: _option(name, key, value, row.options) for key, value in options.items()}
    given = _with_gain(given)
    whole = {**{k: v for k, v in row.options.items() if v is not None}, **given}
    row.check({**row.options, **whole})
    return Init(name, tuple(sorted(whole.items())))


def _option(name: str, key: str, value: Any, known: Mapping[str, Any]) -> Any:
    """A word, or a finite number."""
    words = {"mode": True, "gain": known.get("gain", 0) is None}.get(key, False)
    if key in known and words and isinstance(value, str):
        return value
    try:
        fits = key in known and not isinstance(value, (bool, str)) and math.isfinite(value)
    except TypeError:
        fits = False
    if not fits or key == "mode":
        expected = ", ".join(known) or "no options"
        raise ArgumentError(f"{name} does not take {key}={value!r:.40}", expected=expected)
    return float(value)


def _with_gain(options: dict[str, Any]) -> dict[str, Any]:
    """The number that an activation stands for."""
    word, slope = options.get("gain"), options.get("slope")
    if slope is not None and word != "leaky_relu":
        raise ArgumentError("slope is of gain='leaky_relu'", given=f"gain={word!r}")
    if not isinstance(word, str):
        return options
    if word not in GAINS:
        near = difflib.get_close_matches(word, GAINS, n=1)
        raise ArgumentError(
            f"no gain is known for {word!r:.40}",
            expected=f"a number, or one of {', '.join(GAINS)}",
            fix=f"did you mean {near[0]!r}?" if near else None,
        )
    rest = {k: v for k, v in options.items() if k != "slope"}
    return {**rest, "gain": GAINS[word](0.01 if slope is None else slope)}


def as_init(value: Any, shape: tuple[Any, ...], owner: str) -> Init:
    """An initialiser from what a user writes: a name, an ``Init``, a number, an array or a function.

    Raises:
        ArgumentError, ShapeError: what is none, or does not fit the shape.
    """
    if isinstance(value, (Init, str)):
        made = init(value) if isinstance(value, str) else value
        if made.name in INITIALISERS:
            made.draw(shape, owner)
        return made
    if callable(value):
        return Init(OWN, function=value)
    array = np.asarray(value)
    if array.ndim == 0 and array.dtype.kind in "fiub":
        return init("constant", value=float(array))
    if array.dtype.kind not in "fiub":
        raise ArgumentError(
            f"the start of {owner} is a name, a number, an array or a function", given=f"{value!r:.60}"
        )
    if array.shape != shape:
        raise ShapeError(
            f"the starting array of {owner} has another shape",
            given=shape_text(array.shape),
            expected=shape_text(shape),
            where=here(),
            fix="transpose or reshape the array, or declare the shape that it has",
        )
    return Init("array", (), Array(array))


def name_seed(name: str) -> int:
    """A stable 64-bit number for a name, mixed with the user's seed."""
    return int(_name_seed(name))  # type: ignore[no-untyped-call]


def initial_value(
    init: Init, shape: tuple[int, ...], dtype: str, name: str, seed: int
) -> np.ndarray[Any, Any]:
    """The starting array of the leaf ``name``.

    Raises:
        ArgumentError, ShapeError: a function of the user's that is not there, or gives something else.
    """
    if init.value is not None:
        return init.value.value.astype(dtype)
    rng = np.random.Generator(np.random.PCG64([seed, name_seed(name)]))
    if init.name == OWN:
        return _from_function(init, rng, shape, name).astype(dtype)
    family, numbers = init.draw(shape, name)
    return np.asarray(family.draw(rng, shape, *numbers), dtype=dtype)


def _from_function(init: Init, rng: Any, shape: tuple[int, ...], name: str) -> np.ndarray[Any, Any]:
    if init.function is None:
        raise ArgumentError(
            f"{name} starts by a function that was not saved with the model",
            fix="set it with model.set_params, or declare the model anew",
        )
    value = np.asarray(init.function(rng, shape))
    if value.shape != shape or value.dtype.kind not in "fiub":
        raise ShapeError(
            f"the function that {name} starts by gives something else",
            given=f"{value.dtype.name}{shape_text(value.shape)}",
            expected=f"numbers of shape {shape_text(shape)}",
        )
    return value
