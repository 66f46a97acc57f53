"""Values and derivatives at the edges: functions of one variable, and of a row of logits.

Each function is tried as graphc's own card, where it has one, and as people write it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from math import pi, sqrt
from pathlib import Path
from typing import Any

import numpy as np

import graphc as gx
from graphc import nn
from tests.external.grading import Grade, graded, number, numbers
from tests.external.harness import Case, Outcome, Suite
from tests.external.reference import bce_reference, row_reference
from tests.support import find_case

UNARY, VECTOR = "stability/unary.json", "stability/vector.json"
DTYPES = ("float32", "float64")
Function = Callable[[Any], Any]


def logistic(x: Any) -> Any:
    """The sigmoid, as people write it."""
    return 1 / (1 + gx.exp(-x))


FORMS: dict[str, dict[str, Function]] = {
    "sigmoid": {
        "card": gx.sigmoid,
        "1/(1+exp(-x))": logistic,
        "exp(x)/(1+exp(x))": lambda x: gx.exp(x) / (1 + gx.exp(x)),
    },
    "log_sigmoid": {
        "card": gx.log_sigmoid,
        "log(card)": lambda x: gx.log(gx.sigmoid(x)),
        "log(1/(1+exp(-x)))": lambda x: gx.log(logistic(x)),
        "-log(1+exp(-x))": lambda x: -gx.log(1 + gx.exp(-x)),
    },
    "softplus": {"card": gx.softplus, "log(1+exp(x))": lambda x: gx.log(1 + gx.exp(x))},
    "tanh": {
        "card": gx.tanh,
        "exponentials": lambda x: (gx.exp(x) - gx.exp(-x)) / (gx.exp(x) + gx.exp(-x)),
    },
    "gelu_erf": {"card": gx.gelu, "x/2*(1+erf)": lambda x: 0.5 * x * (1 + gx.erf(x / sqrt(2)))},
    "gelu_tanh": {
        "card": gx.gelu_tanh,
        "x/2*(1+tanh)": lambda x: 0.5 * x * (1 + gx.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))),
    },
    "silu": {
        "card": gx.silu,
        "x*card": lambda x: x * gx.sigmoid(x),
        "x*(1/(1+exp(-x)))": lambda x: x * logistic(x),
        "x/(1+exp(-x))": lambda x: x / (1 + gx.exp(-x)),
    },
    "expm1": {"card": gx.expm1, "exp(x)-1": lambda x: gx.exp(x) - 1},
    "elu": {"card": gx.elu, "where": lambda x: gx.where(x > 0, x, gx.exp(x) - 1)},
    "log1p": {"card": gx.log1p, "log(1+x)": lambda x: gx.log(1 + x)},
    "log1mexp": {"log(1-exp(x))": lambda x: gx.log(1 - gx.exp(x))},
}
"""Function to its forms."""

KNOWN: dict[str, str] = {}
"""What fails grade A today, and why."""


def called(program: gx.Program, dtype: str, *arrays: Any) -> Any:
    """A call at the edges, where NumPy would warn of what the tables want; the results have the dtype asked for."""
    with np.errstate(all="ignore"):
        found = program(*arrays)
    assert all(array.dtype == dtype for array in (found if isinstance(found, tuple) else (found,)))
    return found


def check_unary(function: Function, key: str, path: Path) -> Outcome:
    """Value and derivative of one form of one function at every point of its table."""
    rows, dtype = json.loads(path.read_text(encoding="utf-8"))[key], key.split("/")[1]
    at, value, slope = (np.array([number(row[i]) for row in rows]) for i in range(3))
    x = gx.input("x", ("n",), dtype)
    y = function(x)
    program = gx.compile((y, gx.grad(gx.sum(y), x)))
    got, derived = called(program, dtype, at)
    parts = graded(at, got, value, dtype), graded(at, derived, slope, dtype)
    return Outcome(sum(parts, Grade()).outcome.verdict, "value {}; derivative {}".format(*parts))


def unary_cases() -> Iterator[Case]:
    """Every form of every function."""
    for function, forms in FORMS.items():
        for form, body in forms.items():
            name = f"{function}/float64/{form}"
            check = partial(check_unary, body, f"{function}/float64")
            yield Case(name, UNARY, check, known=KNOWN.get(name, ""))


def shares(x: Any) -> Any:
    """The softmax of rows, as people write it."""
    return gx.exp(x) / gx.sum(gx.exp(x), axis=-1, keepdims=True)


ROW_FORMS: dict[str, dict[str, Callable[[Any, Any], Any]]] = {
    "card": {
        "logsumexp": lambda x, t: gx.logsumexp(x, axis=-1),
        "softmax": lambda x, t: gx.softmax(x),
        "log_softmax": lambda x, t: gx.log_softmax(x),
        "ce0": lambda x, t: nn.cross_entropy(x, t, "sum"),
    },
    "naive": {
        "logsumexp": lambda x, t: gx.log(gx.sum(gx.exp(x), axis=-1)),
        "softmax": lambda x, t: shares(x),
        "log_softmax": lambda x, t: gx.log(shares(x)),
        "ce0": lambda x, t: -gx.sum(gx.log(shares(x))[:, 0]),
    },
}
"""Form to its functions of a row of logits and its label; ce0 is the cross-entropy of label 0."""


def row_program(form: str, function: str, size: int, dtype: str) -> gx.Program:
    """One function of rows of one size, in one form."""
    x, t = gx.input("x", (1, size), dtype), gx.input("t", (1,), "int64")
    if function == "d_ce0":
        return gx.compile(gx.grad(ROW_FORMS[form]["ce0"](x, t), x))
    return gx.compile(ROW_FORMS[form][function](x, t))


def wanted_rows(path: Path, dtype: str, function: str) -> Iterator[tuple[Any, Any]]:
    """Rows of logits with their true values: stored, or for a dtype that is not stored, of the same rows by mpmath."""
    tables = json.loads(path.read_text(encoding="utf-8"))
    for row in tables.get(dtype) or tables["float32"]:
        x = numbers(row["x"])
        yield x, numbers(row[function]) if dtype in tables else row_reference(x)[function]
    for row in tables["special"]:
        if function in row:
            x = numbers(row["x"])
            yield x, np.broadcast_to(numbers(row[function]), () if function == "logsumexp" else x.shape)


def check_rows(form: str, function: str, dtype: str, path: Path) -> Outcome:
    """One function of a row of logits, in one form, on every row of the table."""
    programs: dict[int, gx.Program] = {}
    grade = Grade()
    for x, want in wanted_rows(path, dtype, function):
        if x.size not in programs:
            programs[x.size] = row_program(form, function, x.size, dtype)
        data = (x[None].astype(dtype), np.zeros(1, np.int64))
        got = called(programs[x.size], dtype, *data[: len(programs[x.size].declared.arguments)])
        grade += graded(x, np.reshape(got, want.shape), want, dtype)
    return grade.outcome


def row_cases() -> Iterator[Case]:
    """Every function of a row, in every form, for both dtypes."""
    for dtype in DTYPES:
        for form, functions in ROW_FORMS.items():
            for function in (*functions, "d_ce0"):
                name = f"{function}/{dtype}/{form}"
                yield Case(
                    name, VECTOR, partial(check_rows, form, function, dtype), known=KNOWN.get(name, "")
                )


BCE_FORMS: dict[str, Callable[[Any, Any], Any]] = {
    "card": lambda z, t: nn.binary_cross_entropy(z, t, "none"),
    "of card": lambda z, t: nn.binary_cross_entropy(gx.sigmoid(z), t, "none", from_logits=False),
    "naive": lambda z, t: -t * gx.log(logistic(z)) - (1 - t) * gx.log(1 - logistic(z)),
}
"""Binary cross-entropy of logits: graphc's loss, its loss of probabilities, and as people write it."""


def check_bce(form: str, dtype: str, path: Path) -> Outcome:
    """Loss and gradient of one form at every logit and target of the table."""
    tables = json.loads(path.read_text(encoding="utf-8"))
    rows = np.array(
        [numbers(row) for row in tables.get(f"bce_logits_{dtype}") or tables["bce_logits_float32"]]
    )
    if f"bce_logits_{dtype}" not in tables:
        rows[:, 2:] = [bce_reference(x, t) for x, t in rows[:, :2]]
    z, t = gx.input("z", ("n",), dtype), gx.input("t", ("n",), dtype)
    loss = BCE_FORMS[form](z, t)
    got, slope = called(gx.compile((loss, gx.grad(gx.sum(loss), z))), dtype, rows[:, 0], rows[:, 1])
    parts = graded(rows[:, 0], got, rows[:, 2], dtype), graded(rows[:, 0], slope, rows[:, 3], dtype)
    return Outcome(sum(parts, Grade()).outcome.verdict, "value {}; derivative {}".format(*parts))


def bce_cases() -> Iterator[Case]:
    """Every form for both dtypes."""
    for dtype in DTYPES:
        for form in BCE_FORMS:
            name = f"bce_logits/{dtype}/{form}"
            yield Case(name, VECTOR, partial(check_bce, form, dtype), known=KNOWN.get(name, ""))


def stored() -> list[str]:
    """The functions of unary.json with their dtypes."""
    path, _ = find_case(*UNARY.split("/"))
    return list(json.loads(path.read_text(encoding="utf-8"))) if path else []


SUITE = Suite("stability", (*unary_cases(), *row_cases(), *bce_cases()), stored)
