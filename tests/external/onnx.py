"""Node tests of the ONNX backend: forward values of every operation that graphc can say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

import graphc as gx
from tests.external.adapters import onnx_math, onnx_optim, onnx_shape
from tests.external.adapters.onnx_math import Inputs
from tests.external.harness import RIGHT, WRONG, Case, Outcome, Suite, absent, every
from tests.external.judging import TOLERANCE, Missing, called, difference, guarded
from tests.support import find_case

FILE = "onnx/cases.json"
FAST = 20
"""One case of this many is in the fast set."""

SINGLE = 1e-5
"""For float32, relative to the larger of 1 and the value; the tests themselves allow 1e-3."""

PRINTED = {"test_averagepool_2d_ceil_last_window_starts_on_pad": 1e-4}
"""Tests whose outputs are written with four digits."""

TABLE = {**onnx_math.TABLE, **onnx_shape.TABLE, **onnx_optim.TABLE}


@cache
def archive(path: Path) -> Any:
    """The arrays, read as they are asked for."""
    return np.load(path.with_suffix(".npz"))


def check(row: Any, path: Path) -> Outcome:
    """What came of one case."""
    return guarded(lambda: compared(row, archive(path)))


def compared(row: Any, stored: Any) -> Outcome:
    """The outputs of the graph that the node becomes, against those stored."""
    arrays = [stored[f"{row['name']}/in/{name}"] if name else None for name in row["inputs"]]
    outs, given = built(row, arrays)
    kept = [(o, n) for o, n in zip(outs, row["outputs"], strict=False) if n in row["graph_outputs"]]
    found = called([out for out, _ in kept], given)
    if len(kept) < len(row["graph_outputs"]):
        return Outcome(WRONG, f"{len(kept)} outputs instead of {len(row['graph_outputs'])}")
    for got, (_, name) in zip(found, kept, strict=True):
        want = stored[f"{row['name']}/out/{name}"]
        told = difference(
            got, want, PRINTED.get(row["name"], SINGLE if want.dtype == "float32" else TOLERANCE)
        )
        if told:
            return Outcome(WRONG, f"{name}: {told}")
    return Outcome(RIGHT)


def built(row: Any, arrays: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    """The outputs as nodes, and the arrays of the inputs that they read."""
    given: dict[str, Any] = {}

    @cache
    def declare(i: int) -> Any:
        given[f"x{i}"] = arrays[i]
        return gx.input(f"x{i}", arrays[i].shape, str(arrays[i].dtype))

    if row["op"] not in TABLE:
        raise Missing(row["op"])
    attributes = {**row["attrs"], "outputs": len(row["outputs"])}
    found = TABLE[row["op"]](Inputs(arrays, declare), attributes)
    return list(found) if isinstance(found, (tuple, list)) else [found], given


def rows() -> list[Any]:
    """Every case of the file."""
    path, _ = find_case(FILE)
    return json.loads(path.read_text(encoding="utf-8")) if path else []


def named(row: Any) -> str:
    """The name of a case, behind its operation."""
    return f"{row['op']}/{row['name'].removeprefix('test_')}"


def cases() -> Iterator[Case]:
    """A case for each."""
    for i, row in enumerate(rows()):
        yield Case(named(row), FILE, partial(check, row), full=every(i, FAST))


SUITE = Suite("onnx", tuple(cases()) or absent(FILE), lambda: [named(row) for row in rows()])
