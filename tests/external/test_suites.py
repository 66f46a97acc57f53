"""Every case of every suite, and that the harness sees a wrong one."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gx
from graphc import optim
from tests.external import stability, trajectories
from tests.external.grading import Grade, graded, numbers
from tests.external.harness import (
    ABSENT,
    DIFFERS,
    NOT_COVERED,
    RIGHT,
    WRONG,
    Case,
    Outcome,
    compared,
    joined,
    table,
    unrun,
)
from tests.external.reference import bce_reference, row_reference
from tests.external.suites import SUITES


def params_of(suite: Any) -> list[Any]:
    """The cases as test parameters; what is known to be wrong must be wrong."""
    found = []
    for case in suite.cases:
        marks = [pytest.mark.full] if case.full else []
        if case.known:
            marks.append(pytest.mark.xfail(reason=case.known, strict=True, raises=AssertionError))
        found.append(pytest.param(case, id=f"{suite.name}/{case.name}", marks=marks))
    return found


@pytest.mark.parametrize("case", [param for suite in SUITES for param in params_of(suite)])
def test_case(case, record_property):
    outcome = case.run()
    record_property("outcome", f"{outcome.verdict}: {outcome.note}")
    if outcome.verdict in (ABSENT, NOT_COVERED, DIFFERS):
        pytest.skip(f"{outcome.verdict}: {outcome.note}")
    assert outcome.verdict == RIGHT, outcome.note


@pytest.mark.parametrize("suite", SUITES, ids=[suite.name for suite in SUITES])
def test_no_stored_case_is_passed_over(suite):
    named = {case.name for case in suite.cases}
    assert not [
        name for name in suite.stored() if not any(n == name or n.startswith(f"{name}/") for n in named)
    ]
    assert len(named) == len(suite.cases)


def test_known_failures_name_cases():
    assert set(stability.KNOWN) <= {case.name for case in stability.SUITE.cases}


def test_a_published_run_with_another_rate_is_wrong(cases):
    path = cases("trajectories", "cs231n_linear.npz")

    def faster(arrays):
        model, data, rate = trajectories.spiral(arrays)
        return model, data, lambda k: rate(k) * (1 + 1e-5)

    assert trajectories.check_published(faster, path).verdict == WRONG


def test_a_run_of_scikit_learn_with_another_epsilon_is_wrong(cases):
    path = cases("trajectories", "sklearn_moons_adam.npz")
    assert trajectories.check_sklearn(optim.adam(0.01, eps_on="corrected"), path).verdict == WRONG


def test_a_function_without_its_stable_form_is_wrong(cases):
    path = cases("stability", "unary.json")
    sigmoid = gx.scalar_function("unstable", "tanh(x) + 1e-15")
    assert stability.check_unary(sigmoid, "tanh/float64", path).verdict == WRONG


def test_grades_are_those_of_the_tables():
    eps = float(np.finfo(np.float64).eps)
    x, want = np.array([0.0, 1.0, 2.0, 3.0, math.inf]), np.array([1e-20, 1.0, math.inf, 2.0, 0.0])
    got = np.array([2e-20, 1 + 5 * eps, 1e308, math.nan, math.nan])
    grade = graded(x, got, want, "float64")
    assert (grade.points, grade.a, grade.a_plus, grade.b) == (5, 3, 1, 4)
    assert str(grade).endswith("(x=1: 1.000000000000001 instead of 1.0)")
    assert Grade().outcome.verdict == WRONG  # no points, no proof


def test_the_reference_is_the_stored_table(cases):
    tables = json.loads(cases("stability", "vector.json").read_text(encoding="utf-8"))
    for dtype in {"float32", "float64"} & set(tables):
        for row in tables[dtype]:
            for name, value in row_reference(numbers(row["x"])).items():
                with np.errstate(over="ignore", under="ignore"):
                    rounded = (
                        value.astype(dtype) if isinstance(value, np.ndarray) else np.dtype(dtype).type(value)
                    )
                np.testing.assert_array_equal(rounded, numbers(row[name]), err_msg=f"{name} of {row['x']}")


def test_the_reference_of_logits_is_the_stored_table(cases):
    tables = json.loads(cases("stability", "vector.json").read_text(encoding="utf-8"))
    rows = np.array([numbers(row) for row in tables["bce_logits_float32"]])
    with np.errstate(under="ignore"):
        found = np.array([bce_reference(x, t) for x, t in rows[:, :2]]).astype(np.float32)
    np.testing.assert_array_equal(found, rows[:, 2:].astype(np.float32))


def test_a_missing_file_is_absent(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("GRAPHC_CASES", str(tmp_path))
    case = Case("a", "nowhere/a.npz", lambda path: Outcome(RIGHT))
    assert case.run().verdict == ABSENT


def test_numbers_are_compared_strictly():
    assert compared([1.0, 2.0], [1.0, 2.0 + 1e-9], 1e-8).verdict == RIGHT
    assert compared([1.0, 2.0], [1.0, 2.0 + 1e-7], 1e-8).verdict == WRONG
    assert compared([1.0, math.nan], [1.0, 2.0], 1e-8).verdict == WRONG
    assert compared([1.0], [1.0, 2.0], 1e-8).verdict == WRONG
    assert joined([("a", Outcome(RIGHT)), ("b", Outcome(WRONG))]).verdict == WRONG


def test_the_table_counts_and_names(tmp_path: Path):
    skipped = unrun("c", "x", DIFFERS, "another rule").check(tmp_path)
    outcomes = [("a", Outcome(RIGHT, "worst 0")), ("b", Outcome(WRONG, "worst 1")), ("c", skipped)]
    assert table([("demo", outcomes)]) == TABLE


TABLE = """\
               suite           cases run               right               wrong         not covered  convention differs              absent
                demo                   2                   1                   1                   0                   1                   0

right:
  demo/a: worst 0

wrong:
  demo/b: worst 1

convention differs:
  demo/c: another rule"""  # noqa: E501  the text itself
