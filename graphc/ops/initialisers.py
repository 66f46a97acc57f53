"""The table of initialisers: a distribution, the equation of its numbers, its options and its source each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from graphc.errors import ArgumentError
from graphc.ops.draws import _identity, _orthogonal, _sparse, _truncated_normal

Shape = tuple[int, ...]
Options = Mapping[str, Any]
Numbers = tuple[float, ...]

MODES = ("fan_in", "fan_out", "fan_avg")

GAINS: Mapping[str, Callable[[float], float]] = MappingProxyType(
    {
        "linear": lambda slope: 1.0,
        "sigmoid": lambda slope: 1.0,
        "tanh": lambda slope: 5 / 3,
        "relu": lambda slope: math.sqrt(2.0),
        "leaky_relu": lambda slope: math.sqrt(2.0 / (1.0 + slope**2)),
        "selu": lambda slope: 0.75,
    }
)
"""The gain before an activation, as PyTorch has it; ``slope`` is that of leaky relu below 0."""


@dataclass(frozen=True)
class Family:
    """A distribution.

    Attributes:
        draw: ``(rng, shape, *numbers) -> float64 array``; it is cast then.
        text: the expression in generated code, of ``{name}``, ``{shape}`` and ``{numbers}``.
        lines: the local function of a generated ``init`` that the expression calls, where there is one.
        helper: the function above it that the expression calls, where there is one.
    """

    draw: Callable[..., Any]
    text: str
    lines: tuple[str, ...] = ()
    helper: str = ""


def _full(rng: Any, shape: Shape, value: float) -> Any:
    import numpy as np

    return np.full(shape, value)


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "constant": Family(_full, "np.full({shape}, {numbers})"),
        "normal": Family(
            lambda rng, shape, std: rng.normal(0.0, std, shape),
            "normal({name}, {numbers}, {shape})",
            (
                "    def normal(name, std, shape):",
                "        return generator(name).normal(0.0, std, shape)",
            ),
        ),
        "shifted": Family(
            lambda rng, shape, mean, std: rng.normal(mean, std, shape),
            "generator({name}).normal({numbers}, {shape})",
        ),
        "uniform": Family(
            lambda rng, shape, bound: rng.uniform(-bound, bound, shape),
            "uniform({name}, {numbers}, {shape})",
            (
                "    def uniform(name, bound, shape):",
                "        return generator(name).uniform(-bound, bound, shape)",
            ),
        ),
        "between": Family(
            lambda rng, shape, low, high: rng.uniform(low, high, shape),
            "generator({name}).uniform({numbers}, {shape})",
        ),
        "truncated_normal": Family(
            _truncated_normal,
            "_truncated_normal(generator({name}), {shape}, {numbers})",
            helper="_truncated_normal",
        ),
        "orthogonal": Family(
            _orthogonal, "_orthogonal(generator({name}), {shape}, {numbers})", helper="_orthogonal"
        ),
        "identity": Family(
            lambda rng, shape, gain: _identity(shape, gain),  # type: ignore[no-untyped-call]
            "_identity({shape}, {numbers})",
            helper="_identity",
        ),
        "sparse": Family(_sparse, "_sparse(generator({name}), {shape}, {numbers})", helper="_sparse"),
    }
)
"""Every distribution: as a function and as generated code; a test holds one to the other."""


@dataclass(frozen=True)
class Initialiser:
    """One row of the table.

    Attributes:
        numbers: ``(shape, options) -> (family, its numbers)``.
        equation: what it draws, for people.
        options: with their defaults; None for one that may be left out.
        check: raises ArgumentError for options that do not go together.
        rank: which ranks it takes: the least and the largest.
        source: where it is from.
    """

    numbers: Callable[[Shape, Options], tuple[str, Numbers]]
    equation: str
    options: Options = field(default_factory=dict)
    check: Callable[[Options], None] = lambda options: None
    rank: tuple[int, int] = (0, 32)
    source: str = ""


# -- widths -------------------------------------------------------------------------------------------------------


def fans(shape: Shape) -> tuple[int, int]:
    """Units in and out: of an (in, out) matrix; a vector is its own fan; further leading axes are windows.

    A convolution's kernel is (..., in / groups, channels), so its fan_in is what one output reads; its fan_out counts
    the channels of all groups, as PyTorch's does.

    Example:
        >>> fans((64, 10)), fans((3, 3, 16, 32))
        ((64, 10), (144, 288))
    """
    if len(shape) < 2:
        n = shape[0] if shape else 1
        return max(n, 1), max(n, 1)
    window = math.prod(shape[:-2])
    return max(window * shape[-2], 1), max(window * shape[-1], 1)


def chosen_fan(shape: Shape, options: Options, mode: str) -> float:
    """The fan that a mode asks for; given fans stand for those of the shape."""
    fan_in, fan_out = (
        own if own is not None else found
        for own, found in zip((options.get("fan_in"), options.get("fan_out")), fans(shape), strict=True)
    )
    return {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[
        options.get("mode") or mode
    ]


def _scaled(family: str, mode: str, square: float, source: str) -> Initialiser:
    """The variance is gain² / fan; the std of a normal is its root, the bound of a uniform √3 times that."""

    def numbers(shape: Shape, options: Options) -> tuple[str, Numbers]:
        own = options.get("gain")
        squared = square if own is None else own * own
        fan = chosen_fan(shape, options, mode)
        return family, (math.sqrt((3.0 * squared if family == "uniform" else squared) / fan),)

    width = "gain · √(3 / fan)" if family == "uniform" else "gain / √fan"
    kind = "uniform between ±" if family == "uniform" else "normal, std "
    optional = {"gain": None, "slope": None, "mode": None, "fan_in": None, "fan_out": None}
    told = f"{kind}{width}; {mode}, gain {'1' if square == 1 else '√2'}"
    return Initialiser(numbers, told, optional, _check_scaled, source=source)


# -- checks -------------------------------------------------------------------------------------------------------


def _check_scaled(options: Options) -> None:
    if options.get("mode") is not None and options["mode"] not in MODES:
        raise ArgumentError("unknown mode of fans", given=repr(options["mode"]), expected=", ".join(MODES))
    for key in ("gain", "fan_in", "fan_out"):
        if options.get(key) is not None and not options[key] > 0:
            raise ArgumentError(f"{key} is above 0", given=repr(options[key]))


def _check_normal(options: Options) -> None:
    if options["std"] < 0:
        raise ArgumentError("std is at least 0", given=repr(options["std"]))


def _check_uniform(options: Options) -> None:
    low, high = options.get("low"), options.get("high")
    if (low is None) != (high is None):
        raise ArgumentError("low and high go together", fix="give both, or bound alone")
    if low is not None and high is not None and not low < high:
        raise ArgumentError("low is below high", given=f"low={low:g}, high={high:g}")
    if options["bound"] < 0:
        raise ArgumentError("bound is at least 0", given=repr(options["bound"]))


LEAST_KEPT = 1e-3


def _check_truncated(options: Options) -> None:
    _check_normal(options)
    low, high = options["low"], options["high"]
    if not low < high:
        raise ArgumentError("the bounds of a truncation rise", given=f"low={low:g}, high={high:g}")
    root = math.sqrt(2.0)
    kept = 0.5 * (math.erfc(low / root) - math.erfc(high / root))
    if kept < LEAST_KEPT:
        raise ArgumentError(
            "so little of a normal distribution is between these bounds that drawing from it takes too long",
            given=f"low={low:g}, high={high:g}: {kept:.1e} of it",
            expected=f"at least {LEAST_KEPT:g}",
            fix="gx.init('uniform', low=..., high=...)",
        )


def _check_sparse(options: Options) -> None:
    _check_normal(options)
    if not 0 <= options["sparsity"] <= 1:
        raise ArgumentError("sparsity is a share between 0 and 1", given=repr(options["sparsity"]))


# -- the table ----------------------------------------------------------------------------------------------------


def _uniform(shape: Shape, options: Options) -> tuple[str, Numbers]:
    if options.get("low") is not None:
        return "between", (options["low"], options["high"])
    return "uniform", (options["bound"],)


def _normal(shape: Shape, options: Options) -> tuple[str, Numbers]:
    if options.get("mean"):
        return "shifted", (options["mean"], options["std"])
    return "normal", (options["std"],)


def _named(family: str, *keys: str) -> Callable[[Shape, Options], tuple[str, Numbers]]:
    return lambda shape, options: (family, tuple(options[key] for key in keys))


GLOROT = "Glorot and Bengio 2010, eq. 12 and 16"
HE = "He et al. 2015, eq. 10"
LECUN = "LeCun et al. 1998, section 4.6"

INITIALISERS: Mapping[str, Initialiser] = MappingProxyType(
    {
        "zeros": Initialiser(lambda shape, options: ("constant", (0.0,)), "0"),
        "ones": Initialiser(lambda shape, options: ("constant", (1.0,)), "1"),
        "constant": Initialiser(_named("constant", "value"), "value", {"value": 0.0}),
        "normal": Initialiser(
            _normal, "normal, mean (0) and std", {"std": 0.01, "mean": None}, _check_normal
        ),
        "uniform": Initialiser(
            _uniform,
            "uniform between ±bound, or between low and high",
            {"bound": 0.05, "low": None, "high": None},
            _check_uniform,
        ),
        "truncated_normal": Initialiser(
            _named("truncated_normal", "mean", "std", "low", "high"),
            "mean + std · z, z normal between low and high; its std is smaller than std (by 0.8796 for ±2)",
            {"std": 0.01, "mean": 0.0, "low": -2.0, "high": 2.0},
            _check_truncated,
        ),
        "xavier_normal": _scaled("normal", "fan_avg", 1.0, GLOROT),
        "xavier_uniform": _scaled("uniform", "fan_avg", 1.0, GLOROT),
        "he_normal": _scaled("normal", "fan_in", 2.0, HE),
        "he_uniform": _scaled("uniform", "fan_in", 2.0, HE),
        "lecun_normal": _scaled("normal", "fan_in", 1.0, LECUN),
        "lecun_uniform": _scaled("uniform", "fan_in", 1.0, LECUN),
        "orthogonal": Initialiser(
            _named("orthogonal", "gain"),
            "gain · Q, QᵀQ = I (QQᵀ = I where rows are fewer); axes before the last count as rows",
            {"gain": 1.0},
            rank=(2, 32),
            source="Saxe et al. 2014",
        ),
        "identity": Initialiser(
            _named("identity", "gain"),
            "gain · I, in the middle of a kernel's window",
            {"gain": 1.0},
            rank=(2, 32),
            source="Le et al. 2015",
        ),
        "sparse": Initialiser(
            _named("sparse", "sparsity", "std"),
            "normal with std; ⌈sparsity · rows⌉ of each column are 0",
            {"sparsity": 0.9, "std": 0.01},
            _check_sparse,
            rank=(2, 2),
            source="Martens 2010, section 5",
        ),
    }
)
"""Every initialiser by name."""

ALIASES: Mapping[str, str] = MappingProxyType(
    {
        f"{other}_{kind}": f"{name}_{kind}"
        for other, name in (("glorot", "xavier"), ("kaiming", "he"))
        for kind in ("normal", "uniform")
    }
)
"""Other names that people know."""
