"""Measuring a machine gives rates, and a table that is found again."""

from __future__ import annotations

import numpy as np

from graphc.ops import CARDS
from graphc.ops.machine import known_machine
from graphc.runtime import calibrate


def test_cards_that_are_one_function_are_found():
    assert calibrate.function_of(CARDS["exp"]) is np.exp
    assert calibrate.function_of(CARDS["add"]) is np.add
    assert calibrate.function_of(CARDS["negative"]) is np.negative
    assert calibrate.function_of(CARDS["matmul"]) is None
    assert calibrate.function_of(CARDS["sigmoid"]) is None


def test_a_function_that_takes_no_floats_has_no_price():
    assert calibrate.price(CARDS["bitwise_and"], "float32", 0.0) is None


def test_a_dear_function_costs_more():
    assert calibrate.price(CARDS["power"], "float64", 0.0) > 0
    assert calibrate.price(CARDS["less"], "float32", 0.0) > 0


def test_what_was_measured_is_kept_and_found(tmp_path, monkeypatch):
    monkeypatch.setenv("GRAPHC_CACHE", str(tmp_path / "new"))
    monkeypatch.setattr(calibrate, "copy_rate", lambda seconds: 1e9)
    machine = calibrate.measure_machine(0.0)
    assert {"add", "exp", "tanh"} <= set(machine.prices)
    assert calibrate.keep(machine) == tmp_path / "new" / "machine.json"
    assert known_machine().prices == machine.prices


def test_without_a_cache_nothing_is_kept(monkeypatch):
    monkeypatch.setenv("GRAPHC_CACHE", "")
    assert calibrate.keep(calibrate.Machine()) is None
