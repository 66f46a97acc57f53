"""Rules that are wrong on purpose, each found and named; and no alarm where nothing is wrong."""

from __future__ import annotations

import dataclasses
from random import Random

import numpy as np
import pytest

import graphc as gx
from graphc.check import check_grad
from graphc.errors import NonFiniteError
from graphc.ir.node import apply
from graphc.ops import CARDS
from graphc.ops.card import pointwise
from graphc.rewrite import pipeline
from graphc.rewrite.rule import ROUNDING, STABLE, STRUCTURE, Rule
from graphc.rewrite.rules import RULES
from graphc.rewrite.rules.holes import x as hole_x
from tests.programs.generator import make_program
from tests.programs.table import ROWS

RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(0.5, 1.5, (5, 4))


def wrong(name, **change):
    return dataclasses.replace(CARDS[name], name=f"wrong_{name}", **change)


def formula(name, text, numpy, *partials):
    return pointwise(f"wrong_{name}", text, numpy, partials=partials)


PARTIALS = {
    "a little too large": lambda x: formula("sin", "sin(x)", "np.sin({x})", "cos(x) + 0.00001")(x),
    "the square forgotten": lambda x: wrong("tanh", partials=("1 - out",))(x),
    "the sign": lambda x: wrong("cos", partials=("sin(x)",))(x),
    "of the other operand": lambda x: wrong("arctan2", partials=("x/(x*x + y*y)", "y/(x*x + y*y)"))(x, x + 1),
    "zero by accident": lambda x: wrong("multiply", partials=("y", "0"))(x, gx.sin(x)),
}

TRANSPOSES = {
    "not rolled back": lambda x: apply(
        wrong("roll", transpose=(lambda g, x, *, shift, axis: g,)), x, shift=(1,), axis=(0,)
    ),
    "the wrong triangle": lambda x: apply(wrong("tril", transpose=(lambda g, x, *, k: gx.triu(g),)), x, k=0),
    "summed from the wrong end": lambda x: apply(
        wrong("cumsum", transpose=(lambda g, x, *, axis: gx.cumsum(g, axis),)), x, axis=0
    ),
    "one factor not transposed": lambda x: apply(
        wrong("matmul", transpose=(lambda g, x, y: g @ y, lambda g, x, y: gx.matrix_transpose(x) @ g)),
        x,
        gx.const(RANDOM.normal(size=(4, 4))),
    ),
}

GRADIENTS = {
    "of a softmax without its sum": lambda x: apply(
        wrong("softmax", gradient=lambda g, out, x, *, axis: (g * out,)), x, axis=1
    ),
    "of a composite": lambda x: gx.composite(
        "wrong_cube", lambda x: x * x * x, gradient=lambda g, x: (2 * g * x * x,)
    )(x),
    "of a composite, in one operand": lambda x: gx.composite(
        "wrong_product", lambda x, y: x * y, gradient=lambda g, x, y: (g * y, g * y)
    )(x, gx.exp(x)),
}


@pytest.mark.parametrize(
    ("kind", "what"),
    [(kind, what) for kind in (PARTIALS, TRANSPOSES, GRADIENTS) for what in kind],
    ids=lambda value: value if isinstance(value, str) else f"of {len(value)}",
)
def test_a_wrong_derivative_is_named(kind, what):
    x = gx.param("x", X.shape, dtype="float64")
    y = kind[what](gx.sin(x) + 1.5)
    report = check_grad(gx.square(y) + gx.tanh(x), x, {"x": X})
    assert not report.ok
    assert report.worst.name == "x"
    assert report.suspect is not None
    assert report.suspect.startswith(("wrong_", "call wrong_", "composite wrong_"))
    assert "test_planted.py" in report.suspect


softplus, square, sqrt, tanh = (CARDS[n] for n in ("softplus", "square", "sqrt", "tanh"))

REWRITES = {
    "a stable form of another function": (
        Rule(
            "wrong-softplus",
            CARDS["log"](1 + CARDS["exp"](hole_x)),
            softplus(hole_x * 1.001),
            STABLE,
            "stabilise",
        ),
        lambda x: gx.log(1 + gx.exp(x)),
    ),
    "a root that loses a factor": (
        Rule("wrong-root", sqrt(square(hole_x)), hole_x * 0.5, STABLE, "stabilise"),
        lambda x: gx.sqrt(gx.square(x)),
    ),
    "in the backward pass alone": (
        Rule(
            "wrong-slope",
            1 - square(tanh(hole_x)),
            1 - square(square(tanh(hole_x))),
            ROUNDING,
            "cost",
            grows=True,
        ),
        lambda x: gx.tanh(x),
    ),
    "a sum over too much": (
        Rule(
            "wrong-sum",
            CARDS["sin"](CARDS["cos"](hole_x)),
            CARDS["cos"](CARDS["sin"](hole_x)),
            STRUCTURE,
            "clean",
        ),
        lambda x: gx.sin(gx.cos(x)),
    ),
}


@pytest.mark.parametrize("what", REWRITES)
def test_a_wrong_rewrite_is_named(what, monkeypatch):
    rule, build = REWRITES[what]

    def planted(phase):
        return tuple(r for r in (rule, *RULES) if r.phase == phase)

    monkeypatch.setattr(pipeline, "rules_of", planted)
    x = gx.param("x", X.shape, dtype="float64")
    report = check_grad(gx.sum(build(x) * gx.sin(x)), x, {"x": X})
    assert not report.ok
    assert report.suspect is not None
    assert f"the rule {rule.name}, at " in report.suspect
    assert "test_planted.py" in report.suspect


def test_there_are_fifteen_and_more():
    assert len(PARTIALS) + len(TRANSPOSES) + len(GRADIENTS) + len(REWRITES) >= 15


# -- directions and the complex step ---------------------------------------------------------------------------------


def test_one_wrong_element_of_many_is_found_along_a_direction():
    x = gx.input("x", (3000,), dtype="float64")
    place = np.zeros(3000)
    place[1234] = 1e-3
    bent = gx.composite(
        "bent", lambda x: gx.sin(x), gradient=lambda g, x: (g * (gx.cos(x) + gx.const(place)),)
    )
    report = check_grad(gx.sum(bent(x)), x, {"x": np.linspace(0, 1, 3000)}, elements=5)
    assert not report.ok
    assert report.worst.index == (1234,)
    assert report.worst.error == pytest.approx(1e-3, rel=1e-3)
    assert report.worst.elements == 6


def test_the_complex_step_has_no_rounding_to_speak_of():
    x = gx.input("x", (4,), dtype="float64")
    y = gx.sum(gx.softplus(x) * gx.sigmoid(x) + gx.maximum(x, 0.3) ** 3 + gx.softmax(x) * gx.abs(x))
    (found,) = check_grad(y, x, {"x": [-2.0, 0.1, 0.5, 3.0]}).variables
    assert found.complex_step is not None
    assert found.complex_step < 1e-14
    assert found.along < 1e-9


def test_where_there_is_no_complex_step_the_report_says_so():
    x = gx.input("x", (2,), dtype="float64")
    report = check_grad(gx.sum(gx.erf(x)), x, {"x": [0.1, 0.2]})
    assert report.ok
    assert report.variables[0].complex_step is None
    assert str(report).endswith("no complex step: erf has no form for complex numbers here")


@pytest.mark.parametrize(
    "name", [n for n, c in CARDS.items() if c.kind == "pointwise" and c.domain is not None]
)
def test_the_complex_step_agrees_with_every_derived_partial(name):
    card = CARDS[name]
    leaves = [gx.input(f"x{i}", (), dtype="float64") for i in range(len(card.operands))]
    try:
        y = card(*leaves)
    except gx.GraphcError:
        pytest.skip("not a function of floats alone")
    if not y.type.is_float:
        pytest.skip("not a float")
    middle = {f"x{i}": low + 0.37 * (high - low) for i, (low, high) in enumerate(card.domain)}
    for found in check_grad(y, leaves, middle).variables:
        assert found.error < 1e-6
        assert found.complex_step is None or found.complex_step < 1e-12


def test_outputs_that_are_not_finite_are_refused_and_the_place_is_named():
    x = gx.input("x", (2,), dtype="float64")
    with pytest.raises(NonFiniteError, match="the outputs are nan") as caught:
        check_grad(gx.sum(gx.log(x)), x, {"x": [1.0, -1.0]})
    assert "log(x), where 1 of 2 values are not finite, at [1] with x = -1" in str(caught.value)


# -- no false alarm --------------------------------------------------------------------------------------------------


def random_program(seed):
    random = Random(seed)
    steps = [(random.choice(list(ROWS)), random.randrange(2**20)) for _ in range(random.randint(1, 4))]
    return make_program(steps, seed, "float64")


@pytest.mark.full
def test_two_hundred_random_programs_raise_no_alarm():
    checked, outside, exact = 0, 0, 0
    for seed in range(210):
        program = random_program(seed)
        outputs = [program.loss, *program.wrt]  # all arguments are read, so that every named size is known
        read = gx.graph_of(outputs).arguments
        values = {
            str(x.name): v
            for x, v in zip(program.leaves, program.values(seed).values(), strict=True)
            if x in read
        }
        try:
            report = check_grad(outputs, list(program.wrt), values, mode=program.mode, elements=6, seed=seed)
        except NonFiniteError:
            outside += 1  # a step that is not held within its domain: there is no value to differentiate
            continue
        assert report.ok, f"{seed}: {program}\n{report}"
        checked += 1
        exact += any(v.complex_step is not None for v in report.variables)
    assert checked >= 200
    assert outside <= 10
    assert exact >= 100
