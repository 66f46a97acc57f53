"""Tables fit a terminal, and are whole where nobody looks."""

from __future__ import annotations

import os
import sys

import pytest

import graphc as gx
from graphc import nn
from graphc.runtime import tables

ROWS = [("a" * 40, "1"), ("b", "22")]


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 40 columns."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(tables.shutil, "get_terminal_size", lambda: os.terminal_size((40, 24)))


def model() -> gx.Model:
    x, y = gx.input("x", ("batch", 64)), gx.input("y", ("batch", 10))
    h = nn.dense(x, 32, activation="relu", name="a_rather_long_name_of_a_layer")
    h = nn.dense(h, 10, name="output")
    return gx.Model(h, nn.mse(h, y))


def test_a_table_is_as_wide_as_its_cells() -> None:
    assert tables.columns(("name", "n"), ROWS, (1,), rule=True) == [
        "name" + " " * 39 + "n",
        "-" * 40 + "  --",
        "a" * 40 + "   1",
        "b" + " " * 41 + "22",
    ]


def test_texts_are_cut_and_numbers_are_not(narrow: None) -> None:
    lines = tables.columns(("name", "n"), ROWS, (1,))
    assert [len(line) for line in lines] == [40, 40, 40]
    assert lines[1] == "a" * 35 + "…   1"


def test_a_summary_fits_the_terminal(narrow: None) -> None:
    lines = str(model().summary()).split("\n")[2:-2]
    assert max(map(len, lines)) <= 40
    assert lines[0].startswith("layer")


def test_a_summary_in_a_file_is_whole() -> None:
    assert "a_rather_long_name_of_a_layer" in str(model().summary())


def test_without_a_standard_output_nothing_has_to_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert tables.width() is None
