"""Prices of operations: the table, or what was measured here."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from graphc.ops.machine import DEFAULT, machine_file
from graphc.symbolic.regions import store
from graphc.symbolic.regions.form import read_form
from graphc.symbolic.regions.prices import price


@pytest.fixture
def measured(tmp_path, monkeypatch):
    monkeypatch.setenv("GRAPHC_CACHE", str(tmp_path))
    machine_file().write_text(replace(DEFAULT, prices={"exp": (9.0, 8.0), "erf": (1.0, 2.0)}).to_text())


def first_shipped():
    dtype, data = json.loads(next(iter(store.shipped())))
    return read_form(data), dtype


def test_the_table_counts_where_nothing_was_measured():
    assert price("exp", "float32") == 0.61


def test_what_was_measured_counts(measured):
    assert price("exp", "float32") == 9.0
    assert price("erf", "float64") == 2.0
    assert price("tanh", "float32") == 0.4


def test_choices_by_other_prices_are_not_taken_over(measured, monkeypatch):
    form, dtype = first_shipped()
    assert store.recall(form, dtype) is None
    ours = store.file_name(form, dtype)
    monkeypatch.setenv("GRAPHC_CACHE", "")
    assert store.recall(form, dtype) is not None
    assert store.file_name(form, dtype) != ours
