"""Cases of autograd's own tests: value and vector-Jacobian product, in float64."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.external.adapters.numpy import NORMAL, TABLE
from tests.external.harness import Case, Outcome, Suite, absent, every
from tests.external.judging import Missing, Problem, guarded, judged
from tests.support import find_case

FILE = "autograd_cases/cases.json"
FAST = 40
"""One case of this many is in the fast set."""

STATISTICS = ("cdf", "logcdf", "logpdf", "logpmf", "logsf", "pdf", "pmf")


@cache
def archive(path: Path) -> Any:
    """The arrays, read as they are asked for."""
    return np.load(path.with_suffix(".npz"))


def adapter(row: Any) -> Any:
    """The function of a case; a distribution is named by the test that it comes from."""
    test = row["source"].split("::test_")[-1]
    if row["op"] in STATISTICS:
        if not test.startswith("norm_"):
            raise Missing(f"scipy.stats: {test}")
        return NORMAL[row["op"]]
    if row["op"] not in TABLE:
        raise Missing(row["op"])
    return TABLE[row["op"]]


def applied(row: Any, fixed: Mapping[int, Any], nodes: Mapping[str, Any]) -> list[Any]:
    """The output of the case's function."""
    arguments = [nodes.get(f"x{i}", fixed.get(i, a)) for i, a in enumerate(row["args"])]
    return [adapter(row)(*arguments, **row["kwargs"])]


def problem(row: Any, path: Path) -> Problem:
    """The case, its arrays and what is wanted; what is not differentiated by is a constant."""
    arrays, key = archive(path), row["id"]
    stored = {i: arrays[f"{key}/in{i}"] for i in range(len(row["args"])) if f"{key}/in{i}" in arrays}
    given = {f"x{i}": a for i, a in stored.items() if i in row["diff_args"]}
    return Problem(
        partial(applied, row, {i: a for i, a in stored.items() if i not in row["diff_args"]}),
        given,
        [arrays[f"{key}/out"]],
        [arrays[f"{key}/cotangent"]],
        {f"x{i}": arrays[f"{key}/vjp{i}"] for i in row["diff_args"]},
    )


def check(row: Any, path: Path) -> Outcome:
    """What came of one case."""
    return guarded(lambda: judged(problem(row, path)))


def rows() -> list[Any]:
    """Every case of the file."""
    path, _ = find_case(FILE)
    return json.loads(path.read_text(encoding="utf-8")) if path else []


def cases() -> Iterator[Case]:
    """A case for each, named by its function and number."""
    for i, row in enumerate(rows()):
        yield Case(f"{row['op']}/{row['id']}", FILE, partial(check, row), full=every(i, FAST))


SUITE = Suite("autograd", tuple(cases()) or absent(FILE), lambda: [f"{r['op']}/{r['id']}" for r in rows()])
