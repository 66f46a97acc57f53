"""Samples of PyTorch's OpInfo: value, vector-Jacobian product and second derivative, in float64."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.external.adapters.torch import STATIC, TABLE
from tests.external.conventions import torch_excuse
from tests.external.harness import Case, Outcome, Suite, absent, every
from tests.external.judging import Missing, Problem, guarded, judged
from tests.support import find_case

FILE = "opinfo/opinfo_float64.json"
FAST = 40
"""One case of this many is in the fast set."""


@cache
def archive(path: Path) -> Any:
    """The arrays, read as they are asked for."""
    return np.load(path.with_suffix(".npz"))


@cache
def members(path: Path) -> dict[str, list[str]]:
    """The names of the arrays of each case."""
    found: dict[str, list[str]] = {}
    for name in archive(path).files:
        found.setdefault(name.split("/")[0], []).append(name.split("/")[1])
    return found


def tensors(value: Any) -> Iterator[str]:
    """The names of the tensors in a coded argument."""
    if isinstance(value, dict):
        yield from [value["$t"]] if "$t" in value else tensors(list(value.values()))
    elif isinstance(value, list):
        for part in value:
            yield from tensors(part)


def decoded(value: Any, leaves: Mapping[str, Any]) -> Any:
    """A coded argument, with what stands for its tensors."""
    if not isinstance(value, dict):
        return value
    kind = next(iter(value), "")
    if kind in DECODERS:
        return DECODERS[kind](value[kind], leaves)
    return {k: decoded(v, leaves) for k, v in value.items()}


DECODERS: dict[str, Any] = {
    "$t": lambda inner, leaves: leaves[inner],
    "$l": lambda inner, leaves: [decoded(part, leaves) for part in inner],
    "$p": lambda inner, leaves: tuple(decoded(part, leaves) for part in inner),
    "$d": lambda inner, leaves: {k: decoded(v, leaves) for k, v in inner.items()},
    "$slice": lambda inner, leaves: slice(*inner),
    "$ellipsis": lambda inner, leaves: ...,
    "$f": lambda inner, leaves: float(inner),
    "$dtype": lambda inner, leaves: inner,
}


def applied(row: Any, fixed: Mapping[str, Any], nodes: Mapping[str, Any]) -> list[Any]:
    """The outputs of the case's function."""
    if row["op"] not in TABLE:
        raise Missing(row["op"])
    leaves = {**fixed, **nodes}
    arguments = decoded(row["args"], leaves)
    result = TABLE[row["op"]](decoded(row["input"], leaves), *arguments, **decoded(row["kwargs"], leaves))
    return list(result) if isinstance(result, (tuple, list)) else [result]


def problem(row: Any, path: Path) -> Problem:
    """The case, its arrays and what is wanted."""
    stored = {name: archive(path)[f"{row['id']}/{name}"] for name in members(path)[row["id"]]}
    given = {n: stored[n] for n in tensors([row["input"], row["args"], row["kwargs"]])}
    fixed = {n: a for n, a in given.items() if row["op"] in STATIC and a.dtype.kind != "f"}
    given = {n: a.astype("int64") if a.dtype.kind == "u" else a for n, a in given.items() if n not in fixed}
    return Problem(
        partial(applied, row, fixed),
        given,
        [stored[f"out{i}"] for i in range(row["n_out"])],
        [stored[f"cot{i}"] for i in range(row["n_out"]) if f"cot{i}" in stored],
        {n: stored[f"g_{n}"] for n in row["grads"]},
        {n: stored[f"w_{n}"] for n in row["grads"] if f"w_{n}" in stored},
        {n: stored[f"h_{n}"] for n in row["hess"]},
        excuse=torch_excuse(row, {**fixed, **given}),
    )


def check(row: Any, path: Path) -> Outcome:
    """What came of one sample."""
    return guarded(lambda: judged(problem(row, path)))


def rows() -> list[Any]:
    """Every sample of the file."""
    path, _ = find_case(FILE)
    return json.loads(path.read_text(encoding="utf-8")) if path else []


def cases() -> Iterator[Case]:
    """A case for each sample, named by its operation and number."""
    for i, row in enumerate(rows()):
        yield Case(f"{row['op']}/{row['id']}", FILE, partial(check, row), full=every(i, FAST))


SUITE = Suite(
    "opinfo", tuple(cases()) or absent(FILE), lambda: [f"{row['op']}/{row['id']}" for row in rows()]
)
