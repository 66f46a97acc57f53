"""A planned step allocates little more than the sum of what must be alive at its worst moment."""

from __future__ import annotations

import pytest

from benchmarks.workloads.models import model_of, optimizer_of
from benchmarks.workloads.problems import PROBLEMS
from graphc.ir.size import evaluate
from graphc.planning.work import size_in_bytes
from tests.golden.models import MODELS

SMALL = 150_000
"""Bytes beside it that do not grow with the sizes, but for a vector of ones: what NumPy casts in, views, Python."""


def workload(name):
    problem = PROBLEMS[name]()
    return model_of(problem), optimizer_of(problem)


CASES = {
    **MODELS,
    **{name: lambda name=name: workload(name) for name in ("W1", "W2", "W3")},
    "W6": lambda: workload("W6"),
    "W9": lambda: workload("W9"),
}
MOST = {"W2": 1.2}
"""Activations with a row of ones below them have arrays of their own, which hold nothing else once they are dead."""

SLOW = ("masked", "W3", "W6", "W9")
ROWS = {"line": 1 << 17, "masked": 1 << 17, "pooled": 512, "W9": 256, "W3": 2048, "W6": 2048}


def rows_of(model, sizes):
    """The bytes of what a step takes of prepared data: the batch and ones beside it, labels as one-hot rows."""
    taken = sum(evaluate(size_in_bytes(leaf), sizes) for leaf in model.graph.leaves("input"))
    return taken + 4 * 11 * sizes["batch"]


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.full) if n in SLOW else n for n in CASES])
def test_memory_is_what_must_be_alive(name):
    model, optimizer = CASES[name]()
    found = model.report(optimizer).at(batch=ROWS.get(name, 1 << 14))
    ones = 4 * found.sizes["batch"]
    most = MOST.get(name, 1.1)
    assert found.measured <= most * found.predicted + rows_of(model, found.sizes) + ones + SMALL
    assert found.workspace <= 1.05 * found.predicted + SMALL
