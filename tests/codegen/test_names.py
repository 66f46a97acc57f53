"""Names become identifiers safely, whatever users call things."""

from __future__ import annotations

import keyword

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import graphc as gx
from graphc.codegen.names import identifier


@given(st.text(max_size=40))
def test_any_text_becomes_an_identifier(text):
    name = identifier(text)
    assert name.isidentifier()
    assert name.isascii()
    assert not keyword.iskeyword(name)


HOSTILE = [
    "lambda",
    "np",
    "x y",
    "1st",
    "__import__",
    "a');import os#",
    "é",
    "d_x",
    "rng",
    "list",
    "f",
    "\u202e",
    "print",
]


@pytest.mark.parametrize("name", [n for n in HOSTILE if n.isprintable()])
def test_hostile_names_only_name(name):
    x = gx.input(name, (3,))
    y = gx.tanh(gx.param(f"{name}.W", (3,), init="ones") * x).named(name)
    program = gx.compile({"y": y, "g": gx.grad(gx.sum(y), x)}, name="f")
    result = program([0.0, 1.0, 2.0], np.ones(3))
    assert np.allclose(result["y"], np.tanh([0.0, 1.0, 2.0]))
    assert "import os" not in program.source.replace(name, "")


def test_equal_identifiers_are_told_apart():
    a, b = gx.input("a.b", ()), gx.input("a_b", ())
    assert gx.compile(a - b)(3.0, 1.0) == 2.0


def test_unprintable_names_are_refused_where_they_are_given():
    with pytest.raises(gx.GraphcError, match="printable"):
        gx.input("a\nb", ())


def test_results_are_named_like_the_variable():
    x = gx.input("x", ("n",))
    energy = gx.exp(x) * gx.sin(x)
    assert "energy = " in gx.compile(energy).source


@pytest.mark.parametrize("name", ['""" + print("run") + """', "\\N{x}", "\\", '"', "\\x", "s\\"])
def test_no_name_leaves_the_docstring(name):
    x, s = gx.input("x", ("n",)), gx.state(name, ())
    program = gx.compile({name: gx.sum(x)}, updates={s: s + 1.0})
    assert 'print("run")' not in program.source
    assert program(np.ones(2), 0.0) == ({name: 2.0}, {name: 1.0})
