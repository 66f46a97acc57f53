"""Programs travel to other processes as the text of their graphs."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from typing import Any

import numpy as np
import pytest

import graphc as gx
from graphc.errors import ArgumentError, GraphcError, ShapeError
from tests.ir.examples import GRAPHS, arguments


def flat(result: Any) -> list[np.ndarray]:
    if isinstance(result, dict):
        return [x for key in result for x in flat(result[key])]
    if isinstance(result, (list, tuple)):
        return [x for part in result for x in flat(part)]
    return [np.asarray(result)]


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("name", [n for n in GRAPHS if n not in ("names",)])
def test_a_program_comes_back_with_every_bit(name: str, mode: str) -> None:
    program = gx.compile(GRAPHS[name](), mode=mode)
    again = pickle.loads(pickle.dumps(program))
    values = arguments(program.declared)
    rng = {"rng": 3} if program.graph.sites else {}
    with np.errstate(all="ignore"):
        ours, theirs = program(**values, **rng), again(**values, **rng)
    for a, b in zip(flat(ours), flat(theirs), strict=True):
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    assert again.name == program.name
    assert str(again.declared) == str(program.declared)
    assert str(again.graph) == str(program.graph)


def test_odd_names_come_back() -> None:
    program = gx.compile(GRAPHS["names"]())
    again = pickle.loads(pickle.dumps(program))
    values = arguments(program.declared)
    for a, b in zip(flat(program(*values.values())), flat(again(*values.values())), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_copy_of_a_copy_has_the_same_listing() -> None:
    once = copy.deepcopy(gx.compile(GRAPHS["gradients"]()))
    twice = copy.deepcopy(once)
    assert once.source == twice.source


def test_generators_of_a_program_go_on_where_they_were() -> None:
    program = gx.compile(GRAPHS["dropout"](), mode="train")
    x = np.ones((5, 3))
    rng = program.make_rng(1)
    program(x, rng=rng)
    again, later = pickle.loads(pickle.dumps((program, rng)))
    np.testing.assert_array_equal(program(x, rng=rng), again(x, rng=later))


def test_a_random_program_still_asks_for_rng() -> None:
    again = pickle.loads(pickle.dumps(gx.compile(GRAPHS["dropout"](), mode="train")))
    with pytest.raises(ArgumentError, match="needs rng"):
        again(np.ones((5, 3)))


def test_errors_travel_too() -> None:
    error = ShapeError("sizes differ", given="3", expected="4", where="model.py:1", fix="reshape")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is ShapeError
    assert str(again) == str(error)


def test_another_process_gets_the_same() -> None:
    program = gx.compile(GRAPHS["training_step"]())
    values = arguments(program.declared)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        theirs = pool.apply(program, (), values)
    for a, b in zip(flat(program(**values)), flat(theirs), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_graph_is_not_pickled_by_accident() -> None:
    with pytest.raises(GraphcError, match=r"gx\.parse"):
        pickle.dumps(GRAPHS["loss"]())
