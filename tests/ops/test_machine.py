"""The table of a machine: read as data, and refused with a warning where it is not what it should be."""

from __future__ import annotations

import json

import pytest

from graphc.ops.machine import DEFAULT, Machine, known_machine, machine_file

MEASURED = Machine("mine", "2.0", 100.0, {"float32": 1e9, "float64": 5e8}, 1e9, 1 << 20, {"exp": (0.5, 1.0)})


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GRAPHC_CACHE", str(tmp_path))
    return tmp_path


def test_nothing_measured_is_the_default(cache):
    assert known_machine() is DEFAULT


def test_an_empty_variable_means_no_cache(monkeypatch):
    monkeypatch.setenv("GRAPHC_CACHE", "")
    assert machine_file() is None
    assert known_machine() is DEFAULT


def test_the_cache_is_in_the_users_folder(monkeypatch):
    monkeypatch.delenv("GRAPHC_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert str(machine_file()).replace("\\", "/").endswith("somewhere/graphc/machine.json")


def test_what_was_measured_is_known(cache):
    machine_file().write_text(MEASURED.to_text())
    assert known_machine() == MEASURED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        MEASURED.to_text().replace('"version": 1', '"version": 2'),
        MEASURED.to_text().replace("100.0", "-1"),
        MEASURED.to_text().replace("100.0", "NaN"),
        MEASURED.to_text().replace("100.0", '"fast"'),
        json.dumps({**json.loads(MEASURED.to_text()), "prices": {"exp": [1]}}),
        json.dumps({**json.loads(MEASURED.to_text()), "prices": []}),
        "[" * 50_000,
        MEASURED.to_text() + " " * 200_000,
    ],
    ids=range(13),
)
def test_a_file_that_is_damaged_is_a_warning_and_the_default(cache, text):
    machine_file().write_text(text)
    with pytest.warns(RuntimeWarning, match="is not what it should be"):
        assert known_machine() == DEFAULT
