"""From a line of the listing back to the maths."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import graphc as gx
from graphc.explanation.blame import blame_in, without_line
from graphc.explanation.lines import places
from tests.golden.models import MODELS

CONTROL = re.compile(  # what only steers a loop, or moves values in and out of it
    r"(for|if|else|elif)\b.*:|(\w+, )*\w+(\[\w+\])? = \w+(\[\w+\])?|\w+ = np\.(empty|zeros|\w+\d+)\(.*"
    r"|\w+ = .*\.copy\(\)"
)


def loop():
    x, w = gx.input("x", ("n",)), gx.param("w", ())
    h, _ = gx.scan(lambda h, x: (gx.tanh(x * h + w), None), gx.const(0.0), x)
    return gx.Model(outputs=h, loss=gx.square(h), name="loop")


def choice():
    x, w = gx.input("x", ("n",)), gx.param("w", ())
    y = gx.cond(gx.sum(x) > 0, lambda w: gx.exp(w) * 2, lambda w: gx.sin(w) - 1, w)
    return gx.Model(outputs=y, loss=gx.mean(gx.square(x - y)), name="choice")


def nested():
    x, w = gx.input("x", ("n", "m")), gx.param("w", ())

    def row(h, x):
        inner, _ = gx.scan(lambda s, v: (gx.tanh(s * w + v), None), h, x)
        return inner, inner

    h, _ = gx.scan(row, gx.const(0.0), x)
    return gx.Model(outputs=h, loss=gx.square(h), name="nested")


def line_of(source, text):
    return next(i for i, line in enumerate(source.split("\n"), 1) if text in line)


def test_a_line_leads_to_formula_rule_and_user_line():
    model, optimizer = MODELS["two_layers"]()
    found = model.blame("d_hidden_z = ", optimizer)
    assert found.formula == "hidden.d_z = where(hidden.h > 0.0, hidden.d_h, 0.0): float32[batch, 32]"
    assert found.declared.startswith("forward value declared at models.py:")
    assert found.reasons == (
        "chain rule of relu at hidden.h, operand x: where(out > 0, 1, 0)",
        "rewritten by mask-product (harmless: safer where z is not finite)",
    )
    number = line_of(model.source(optimizer), "d_hidden_z = ")
    assert str(model.blame(number, optimizer)) == str(found)
    assert str(found).startswith(f"line {number}: d_hidden_z = ")


@pytest.mark.parametrize("name", MODELS)
def test_every_statement_has_its_line_and_every_node_one(name):
    model, optimizer = MODELS[name]()
    module = model.module(optimizer)
    known = places(module.source)
    assert {p.statement for p in known.values()} == set(module.source.statements)
    for plan in (module.model.predict, module.model.evaluate, module.model.train):
        assert without_line(module.source, plan.order) == []
    lines = module.source.text.split("\n")
    for number, place in known.items():
        name, line = re.escape(place.statement.name), lines[number - 1].strip()
        if line.startswith(("for ", "if ")):  # the heading of a loop that it begins, or of a second look
            continue
        makes = rf"{name} = |copyto\({name}(_part)?, |{name}_last.fill|\w+\(.*, out={name}(_flat)?[,)]"
        makes += rf"|_clear\({name}, "
        assert re.match(makes, line), line


def test_a_node_that_no_line_computes_is_found():
    x, y = gx.input("x", (3,)), gx.input("y", (3,))
    program = gx.compile(gx.tanh(x) + y)
    stray = gx.sin(x)
    assert without_line(program.emitted, [*program.plan.order, stray]) == [stray]


@pytest.mark.parametrize("make", [loop, choice, nested])
def test_lines_inside_loops_and_choices_lead_into_them(make):
    model = make()
    module = model.module(gx.optim.sgd(0.1))
    known = places(module.source)
    lines = module.source.text.split("\n")
    inside = 0
    for number, place in known.items():
        text = lines[number - 1].strip()
        if place.block is None and place.statement.results:
            assert CONTROL.fullmatch(text), text  # what only steers the loop
        inside += place.block is not None
    assert inside >= 4


def test_a_line_of_a_loop_names_operands_as_the_user_did():
    model = loop()
    number = line_of(model.source(gx.optim.sgd(0.1)), "np.tanh(x[t] * h + w)")
    found = model.blame(number, gx.optim.sgd(0.1))
    assert found.formula == "tanh((x * h) + w): float32[]"
    assert found.block == "h = scan(0.0, x, w)"
    assert "test_blame.py" in found.declared


def test_bad_lines_are_refused():
    x = gx.input("x", (3,))
    program = gx.compile(gx.sum(gx.tanh(gx.sin(x) @ gx.cos(x))), name="f")
    last = len(program.source.split("\n"))
    for line in (0, last + 1, True, 1.5):
        with pytest.raises(gx.GraphcError, match="the number of a line"):
            program.blame(line)
    with pytest.raises(gx.GraphcError, match="computes nothing"):
        program.blame(1)
    with pytest.raises(gx.GraphcError, match="no line that computes something"):
        program.blame("nowhere")
    two = gx.compile([gx.tanh(x).named("a"), gx.sin(x).named("b")])
    with pytest.raises(gx.GraphcError, match="2 lines have this text"):
        two.blame("np.")
    with pytest.raises(gx.GraphcError, match="blame takes a program"):
        gx.blame(x, 3)


def test_a_statement_that_is_not_in_the_text_is_left_out():
    x = gx.input("x", (3,))
    program = gx.compile(gx.tanh(x).named("y"))
    cut = replace(program.emitted, text="import numpy as np\n")
    assert places(cut) == {}
    with pytest.raises(gx.GraphcError, match="computes nothing"):
        blame_in(cut, program.graph, 1)
