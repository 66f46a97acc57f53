"""The points at which forms are compared, and their values there by the code that a program has."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from graphc.ir.types import Type
from graphc.ops.bodies import arg
from graphc.ops.evaluate import evaluate
from graphc.symbolic.regions.form import Form

EXTREMES = (0.0, -0.0, 1e-30, -1e-30, 1e-8, -1e-8, 1e-4, -1e-4, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0)
FAR = (8.0, -8.0, 20.0, -20.0, 60.0, -60.0, 88.0, -88.0, 103.0, -103.0, 700.0, -700.0)
HUGE = {"float32": (1e5, 1e15, 1e25, 3e38), "float64": (1e5, 1e15, 1e160, 1e300)}
LARGEST_TOGETHER = 1e5
"""Of several inputs: the product of larger ones is infinite whatever the form."""

SPECIAL = (float("inf"), float("-inf"), float("nan"), 0.0, -0.0, 1.0, -1.0)

POINTS = 96
"""Points of a region with several inputs; half of them near the diagonal of common sizes."""


@lru_cache(maxsize=64)
def grid(kinds: str, dtype: str) -> tuple[Any, ...]:
    """Values of the inputs: one array for each, all of one length.

    The first float input runs through all extremes and a fine range; the others are drawn from them, and from
    numbers of ordinary size, by a generator of a fixed seed.
    """
    fine = np.linspace(-20, 20, 81) + 0.0137
    huge = HUGE[dtype]
    axis = np.array([*EXTREMES, *FAR, *huge, *(-x for x in huge), *fine])
    random = np.random.default_rng(0)
    if kinds.count("f") <= 1:
        columns = [axis if k == "f" else random.integers(0, 2, len(axis)) == 1 for k in kinds]
        return tuple(_typed(c, k, dtype) for c, k in zip(columns, kinds, strict=True))
    columns = []
    for kind in kinds:
        if kind == "b":
            columns.append(random.integers(0, 2, 2 * POINTS) == 1)
            continue
        wide = random.choice(axis[np.abs(axis) <= LARGEST_TOGETHER], POINTS)
        plain = random.normal(size=POINTS) * random.choice([0.1, 1.0, 4.0], POINTS)
        columns.append(np.concatenate([wide, plain]))
    return tuple(_typed(c, k, dtype) for c, k in zip(columns, kinds, strict=True))


def special_points(kinds: str, dtype: str) -> tuple[Any, ...]:
    """Infinities, nan and signed zeros, each with each where there are two inputs, by turns where there are more."""
    count = len(SPECIAL) ** min(2, len(kinds))
    random = np.random.default_rng(1)
    columns = []
    for place, kind in enumerate(kinds):
        if place < 2:
            column = np.array([SPECIAL[(i // len(SPECIAL) ** place) % len(SPECIAL)] for i in range(count)])
        else:
            column = random.choice(SPECIAL, count)
        columns.append(column != 0 if kind == "b" else column)
    return tuple(_typed(c, k, dtype) for c, k in zip(columns, kinds, strict=True))


def _typed(column: Any, kind: str, dtype: str) -> Any:
    return column if kind == "b" else column.astype(dtype)


def computed(form: Form, arrays: Sequence[Any], dtype: str, warned: set[str] | None = None) -> list[Any]:
    """The outputs of a form on arrays, each step by the code that a program has for it.

    ``warned`` receives the warnings that a program would give: overflow, divide by zero, invalid value.
    """
    noted: set[str] = set() if warned is None else warned
    types = ["bool" if k == "b" else dtype for k in form.kinds]
    size = len(arrays[0])
    inputs = [arg(i, Type(t, (size,))) for i, t in enumerate(types)]
    nodes = form.nodes(inputs, dtype)
    values: list[Any] = list(arrays)
    base = len(form.kinds)
    used = set(form.used())
    known = dict(zip(inputs, arrays, strict=True))
    with np.errstate(all="call", under="ignore", call=lambda kind, _: noted.add(kind)):
        for place, node in enumerate(nodes[base:]):
            if place in used:
                known[node] = evaluate(node, [_operand(x, known) for x in node.inputs])
            values.append(known.get(node))
    return [
        np.broadcast_to(values[r] if isinstance(r, int) else np.asarray(r, dtype), (size,))
        for r in form.outputs
    ]


def _operand(node: Any, known: dict[Any, Any]) -> Any:
    return known[node] if node in known else node.attrs["value"].value[()]
