"""Initialisers of PyTorch's and optax's: fans, variances, bounds and orthogonality, and the same of forty draws."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

import graphc as gx
from graphc.ops.init import Init, initial_value
from graphc.ops.initialisers import GAINS, fans
from tests.external.harness import NOT_COVERED, RIGHT, WRONG, Case, Outcome, Suite, unrun
from tests.support import find_case

FILE = "optim/initializers.json"
DRAWS = 40

INITS: dict[str, Init] = {
    "xavier_uniform": gx.init("xavier_uniform"),
    "xavier_normal": gx.init("xavier_normal"),
    "xavier_uniform_gain_tanh": gx.init("xavier_uniform", gain="tanh"),
    "he_uniform_fan_in": gx.init("he_uniform"),
    "he_normal_fan_in": gx.init("he_normal"),
    "he_normal_fan_out": gx.init("he_normal", mode="fan_out"),
    "he_uniform_leaky_0.2": gx.init("he_uniform", gain="leaky_relu", slope=0.2),
    "lecun_normal": gx.init("lecun_normal"),
    "lecun_uniform": gx.init("lecun_uniform"),
    "torch_Linear_default": gx.init("he_uniform", gain="leaky_relu", slope=math.sqrt(5)),
    "trunc_normal_std.02": gx.init("truncated_normal", std=0.02),
    "orthogonal_gain1.5": gx.init("orthogonal", gain=1.5),
}
"""Each stored rule as an initialiser of graphc's."""


@cache
def rows(path: Path) -> dict[str, Any]:
    """Everything in the file."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def here(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape (out, in, ...kernel) in graphc's order: (...kernel, in, out)."""
    return (*shape[2:], shape[1], shape[0])


def check(name: str, path: Path) -> Outcome:
    """One rule for one shape."""
    row = rows(path)[name]
    rule, numbers = re.fullmatch(r"(.*)\((.*)\)", name).groups()  # type: ignore[union-attr]
    shape = here(tuple(int(n) for n in numbers.split(",")))
    values = np.stack([initial_value(INITS[rule], shape, "float64", "W", seed) for seed in range(DRAWS)])
    if "max_dev" in row:
        return check_orthogonal(values, 1.5)
    if fans(shape) != (row["fan_in"], row["fan_out"]):
        return Outcome(WRONG, f"fans {fans(shape)}")
    return check_spread(values, row)


def check_orthogonal(values: Any, gain: float) -> Outcome:
    """WᵀW = gain² I on the smaller side, of every draw."""
    flat = values.reshape(len(values), -1, values.shape[-1])
    flat = flat if flat.shape[1] >= flat.shape[2] else np.swapaxes(flat, 1, 2)
    worst = float(np.abs(np.swapaxes(flat, 1, 2) @ flat - gain**2 * np.eye(flat.shape[2])).max())
    return Outcome(RIGHT if worst <= 1e-13 else WRONG, f"worst deviation {worst:.1e} from gain² I")


def check_spread(values: Any, row: Any) -> Outcome:
    """The variance within five standard errors, and no value outside the bound."""
    bound = row["bound"]
    allowed = 5 * math.sqrt((2 if bound is None else 0.8) / values.size)
    error = abs(float(values.var()) / row["var"] - 1)
    largest = float(np.abs(values).max())
    right = error < allowed and (bound is None or 0.99 * bound < largest <= bound)
    note = f"variance off by {error:.1e} of it, {allowed:.1e} allowed over {values.size} draws"
    return Outcome(RIGHT if right else WRONG, note if right else f"{note}; largest {largest}, bound {bound}")


def check_gains(path: Path) -> Outcome:
    """The gain of each activation."""
    for name, want in rows(path)["gains"].items():
        word, slope = re.fullmatch(r"(\w+)(?:\((.*)\))?", name).groups()  # type: ignore[union-attr]
        if abs(GAINS[word](float(slope or 0.01)) - want) > 1e-15 * want:
            return Outcome(WRONG, name)
    return Outcome(RIGHT)


def stored() -> list[str]:
    """The rules in the file."""
    path, _ = find_case(FILE)
    return list(rows(path)) if path else []


def cases() -> Iterator[Case]:
    """A case for each."""
    for name in stored() or INITS:
        if name == "gains":
            yield Case(name, FILE, check_gains)
        elif name.partition("(")[0] in INITS:
            yield Case(name, FILE, partial(check, name))
        else:
            yield unrun(name, FILE, NOT_COVERED, name)


SUITE = Suite("initialisers", tuple(cases()), stored)
