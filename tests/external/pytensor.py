"""Cases of PyTensor's testers: values with broadcasting and mixed dtypes, and gradients by differences."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache, partial
from math import pi
from pathlib import Path
from typing import Any

import numpy as np

import graphc as gx
from tests.external.harness import DIFFERS, RIGHT, WRONG, Case, Outcome, Suite, absent, every
from tests.external.judging import TOLERANCE, called, difference, guarded, ops
from tests.support import find_case

FILE = "pytensor_cases/cases.json"
FAST = 12
"""One case of this many is in the fast set."""

STEP = 1e-6
SLOPE = 1e-7
"""A central difference at that step, relative to the larger of 1 and the value: rounding and third derivatives."""

SINGLE = 4 * float(np.finfo(np.float32).eps)
"""For float32, relative to the larger of 1 and the value."""

BACKWARDS = "where the lower bound is above the upper one, graphc's clip and NumPy's give the upper"
HELD = "graphc has integers of 32 and 64 bits: others are held as int64, and their functions are float32"


def over(name: str) -> Any:
    """A function of one operand, or of two, over as many as there are."""

    def folded(*operands: Any) -> Any:
        found = operands[0] if len(operands) > 1 else getattr(ops, name)(operands[0])
        for operand in operands[1:]:
            found = getattr(ops, name)(found, operand)
        return found

    return folded


TABLE = {
    "Abs": over("abs"),
    "Add": over("add"),
    "Mul": over("multiply"),
    "Sub": over("subtract"),
    "Pow": over("power"),
    "TrueDiv": over("divide"),
    "Neg": over("negative"),
    "CeilIntDiv": lambda x, y: -ops.floor_divide(-x, y),
    "Clip1": lambda x, low, high: ops.clip(x, low, high),
    "BackwardsClip": lambda x, low, high: ops.clip(x, low, high),
    "Deg2rad": lambda x: x * (pi / 180),
    "Rad2deg": lambda x: x * (180 / pi),
    "DenseDot": over("matmul"),
    "Inv": over("reciprocal"),
    "Mod": over("remainder"),
    "RoundHalfAwayFromZero": lambda x: ops.sign(x) * ops.floor(ops.abs(x) + 0.5),
    "RoundHalfToEven": over("round"),
    "Sgn": over("sign"),
    "Sqr": over("square"),
    "Switch": lambda c, x, y: ops.where(ops.not_equal(c, 0), x, y),
    "OnesLike": over("ones_like"),
    "ZerosLike": over("zeros_like"),
}
"""Tester to function; the others have graphc's names."""


def short(tester: str) -> str:
    """The name of a tester, without what all have."""
    return tester.removeprefix("Test").removesuffix("Broadcast")


def function(row: Any, arrays: Mapping[str, Any]) -> Any:
    """The function of a case, of its inputs; an Alloc stretches one to the shape of the output."""
    name = short(row["tester"])
    if name.startswith("Alloc"):
        return lambda x, *sizes: ops.broadcast_to(x, arrays["out0"].shape)
    return TABLE.get(name, over(name.lower()))


def held(array: Any) -> Any:
    """An array in a dtype that graphc has."""
    return array.astype("int64") if array.dtype.kind in "iu" and array.dtype.itemsize < 4 else unsigned(array)


def unsigned(array: Any) -> Any:
    return array.astype("int64") if array.dtype.kind == "u" else array


def check(row: Any, path: Path) -> Outcome:
    """What came of one case."""
    stored = archive(path)
    arrays = {name.split("/")[1]: stored[name] for name in stored.files if name.startswith(f"{row['id']}/")}
    return guarded(lambda: check_value(row, arrays) if row["kind"] == "good" else check_gradient(row, arrays))


def check_value(row: Any, arrays: Mapping[str, Any]) -> Outcome:
    """The value, and its dtype; where the dtype differs by convention, the value to the coarser one."""
    given = {f"x{i}": held(arrays[f"in{i}"]) for i in range(row["n_in"])}
    nodes = [gx.input(name, a.shape, str(a.dtype)) for name, a in given.items()]
    (got,), want = called([function(row, arrays)(*nodes)], given), arrays["out0"]
    if row["tester"] == "TestBackwardsClip" and np.array_equal(got, np.clip(*given.values())):
        return Outcome(DIFFERS, BACKWARDS)
    told = difference(got, want, TOLERANCE if got.dtype == "float64" else SINGLE)
    if told and got.dtype != want.dtype and any(a.dtype.kind in "iu" for a in arrays.values()):
        return check_held(got, want)
    return Outcome(WRONG if told else RIGHT, told)


def check_held(got: Any, want: Any) -> Outcome:
    """The value in the dtype wanted, where integers stay integers, and in float32 where they do not."""
    both = [a.astype(want.dtype if want.dtype.kind in "iu" else "float32") for a in (got, want)]
    told = difference(*both, SINGLE)
    return Outcome(WRONG if told else DIFFERS, told or HELD)


def check_gradient(row: Any, arrays: Mapping[str, Any]) -> Outcome:
    """The value, and for each input the product with a cotangent along a direction, against a central difference."""
    value = check_value(row, arrays)
    if value.verdict != RIGHT:
        return value
    given = {f"x{i}": arrays[f"in{i}"] for i in range(row["n_in"])}
    nodes = {name: gx.input(name, a.shape, str(a.dtype)) for name, a in given.items()}
    generator = np.random.default_rng(0)
    weights = generator.standard_normal(arrays["out0"].shape)
    total = gx.sum(function(row, arrays)(*nodes.values()) * gx.const(weights, "float64"))
    wrt = [name for name, a in given.items() if a.dtype.kind == "f"]
    slopes = called(gx.grad(total, [nodes[name] for name in wrt]), given)
    ways = [generator.standard_normal(given[name].shape) for name in wrt]
    got = [np.sum(s * way) for s, way in zip(slopes, ways, strict=True)]
    want = [sloped(total, given, name, way) for name, way in zip(wrt, ways, strict=True)]
    told = difference(np.asarray(got), np.asarray(want), SLOPE)
    return Outcome(WRONG if told else RIGHT, told)


def sloped(total: Any, given: Mapping[str, Any], name: str, way: Any) -> float:
    """The central difference of a scalar along a direction of one input."""
    up, down = (called([total], {**given, name: given[name] + step * way})[0] for step in (STEP, -STEP))
    return float(up - down) / (2 * STEP)


@cache
def archive(path: Path) -> Any:
    """The arrays, read as they are asked for."""
    return np.load(path.with_suffix(".npz"))


def rows() -> list[Any]:
    """Every case of the file."""
    path, _ = find_case(FILE)
    return json.loads(path.read_text(encoding="utf-8")) if path else []


def named(row: Any) -> str:
    """The name of a case."""
    return f"{short(row['tester'])}/{row['kind']}-{row['case']}"


def cases() -> Iterator[Case]:
    """A case for each, named by its tester."""
    for i, row in enumerate(rows()):
        yield Case(named(row), FILE, partial(check, row), full=every(i, FAST))


SUITE = Suite("pytensor", tuple(cases()) or absent(FILE), lambda: [named(row) for row in rows()])
