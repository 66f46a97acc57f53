"""What people do wrong at first, and the whole text that they get: each message names the place and a way out."""

from __future__ import annotations

import linecache

import pytest

import graphc as gx
from graphc.errors import GraphcError
from tests.bad_programs import PROGRAMS

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
