"""What people do wrong at first, and the whole text that they get: each message names the place and a way out."""

from __future__ import annotations

import linecache

import pytest

import graphc as gx
from graphc.errors import GraphcError, ShapeError
from tests.bad_programs import PROGRAMS
from tests.bad_shapes import SHAPES

HEAD = """
import numpy as np
import graphc as gx
from graphc import nn, optim
"""

PLACELESS = (
    "unknown name",
    "unknown argument",
    "unknown parameter to explain",
    "gradient of a vector",
    "optimizer as text",
)
"""Mistakes in a call, whose line the traceback shows; nothing was declared wrong."""


def outcome(text):
    """The error of a program, which is a file of its own in messages."""
    source = f"{text}\n"
    linecache.cache["net.py"] = (len(source), None, source.splitlines(keepends=True), "net.py")
    try:
        exec(compile(source, "net.py", "exec"), dict(vars_of_head()))
    except GraphcError as error:
        return error
    finally:
        del linecache.cache["net.py"]
    raise AssertionError("this program is not refused")


def vars_of_head():
    space = {"__name__": "net"}
    exec(HEAD, space)
    return space


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_whole_message(name):
    text, message = PROGRAMS[name]
    assert str(outcome(text)) == message


IN_LAYERS = (
    "shapes in a layer",
    "a window larger than the picture",
    "a layer over a named size",
    "residual connection",
    "softmax over a missing axis, in a layer",
    "a recurrent step, in a layer",
)


def test_twenty_five_mismatches_name_operands_and_sizes_at_the_line_and_one_fix():
    assert len(SHAPES) >= 25
    for name in SHAPES:
        error = outcome(PROGRAMS[name][0])
        assert isinstance(error, ShapeError), name
        assert error.given, name
        assert error.where, name
        assert error.where.startswith("net.py:"), name
        assert error.fix, name
    for name in IN_LAYERS:
        assert " in layer " in outcome(PROGRAMS[name][0]).what, name


def test_there_are_more_than_twelve():
    assert len(PROGRAMS) > 12


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_message_names_a_place_and_a_way_out(name):
    error = outcome(PROGRAMS[name][0])
    assert error.where or name in PLACELESS
    assert "net.py:" in (error.where or "net.py:")
    assert error.fix


def test_messages_survive_pickling():
    import pickle

    error = outcome(PROGRAMS["shapes in a layer"][0])
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))


def test_every_error_is_also_what_python_would_raise():
    bases = {
        "shapes in a layer": ValueError,
        "integers into a layer": TypeError,
        "unknown name": LookupError,
        "missing input": TypeError,
        "bool of a node": TypeError,
        "loss not finite": ArithmeticError,
        "label out of range": ValueError,
    }
    for name, kind in bases.items():
        assert isinstance(outcome(PROGRAMS[name][0]), kind)
    assert issubclass(gx.GraphcError, Exception)
