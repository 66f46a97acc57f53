"""Measuring a machine gives rates, and a table that is found again."""

from __future__ import annotations

import json
import re

import numpy as np

import graphc as gx
from graphc.ops import CARDS
from graphc.ops.machine import Machine, known_machine
from graphc.planning.choices import piece_elements
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
    assert known_machine().cache == machine.cache


def test_without_a_cache_nothing_is_kept(monkeypatch):
    monkeypatch.setenv("GRAPHC_CACHE", "")
    assert calibrate.keep(calibrate.Machine()) is None


def test_strips_and_pieces_are_as_long_as_the_cache_of_the_table_allows(tmp_path, monkeypatch):
    monkeypatch.setenv("GRAPHC_CACHE", "")
    x = gx.input("x", ("n", 512))
    y = gx.sum(gx.tanh(x) * gx.exp(-x) + gx.sin(x))
    lengths = [strip_of(y)]
    assert piece_elements() == 1 << 15
    monkeypatch.setenv("GRAPHC_CACHE", str(tmp_path))
    calibrate.keep(Machine(cache=1 << 20))
    lengths.append(strip_of(y))
    assert piece_elements() == 1 << 14
    assert lengths[0] // 2 == lengths[1]


def strip_of(y):
    source = gx.compile(y, layout="planned").source
    return int(re.search(r"strip = min\(n, (\d+)\)", source)[1])


def test_a_table_without_a_cache_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("GRAPHC_CACHE", str(tmp_path))
    data = json.loads(Machine(name="old").to_text())
    del data["cache"]
    (tmp_path / "machine.json").write_text(json.dumps(data))
    assert known_machine().name == "old"
    assert known_machine().cache == Machine().cache


def test_the_cache_is_found_among_sizes(monkeypatch):
    monkeypatch.setattr(calibrate, "_chain", lambda count, seconds: 1.0 if count <= 1 << 16 else 1.3)
    assert calibrate.cache_bytes() == 1 << 20
