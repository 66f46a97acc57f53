"""What a terminal gets: tables as wide as it is, colours unless NO_COLOR is set; and plain text where nobody looks."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

import graphc as gx
from graphc import nn
from graphc.check.report import GradientReport, VariableCheck
from graphc.cli import console, main, shown
from graphc.runtime import tables
from tests.cli.support import write_net

COLOUR = re.compile(r"\x1b\[[\d;]*m")


@pytest.fixture
def screen(monkeypatch, capsys):
    """A terminal of 80 columns."""
    for module in (console, shown, tables):
        monkeypatch.setattr(module, "terminal", lambda stream=None: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    return capsys


def printed(screen, *words):
    """The lines that a command prints into it."""
    assert main([str(word) for word in words]) in (0, 1)
    return screen.readouterr().out.splitlines()


def plain(lines):
    return [COLOUR.sub("", line) for line in lines]


@pytest.fixture
def net(tmp_path):
    return write_net(tmp_path)


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
@pytest.mark.parametrize("words", [("check",), ("explain",), ("show", "--what", "plan")], ids=" ".join)
def test_what_is_printed_fits_the_terminal(screen, net, monkeypatch, words, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = plain(printed(screen, words[0], net, *words[1:]))
    unbroken = [line for line in lines if not any(len(word) > columns - 20 for word in line.split())]
    assert max(map(len, unbroken)) <= columns
    assert len(lines) > 5


@pytest.mark.parametrize(
    "words", [("check",), ("explain",), ("show",), ("opt", "--print-after-each")], ids=" ".join
)
def test_colours_are_left_out_on_request(screen, net, monkeypatch, words):
    assert any(COLOUR.search(line) for line in printed(screen, words[0], net, *words[1:]))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not any(COLOUR.search(line) for line in printed(screen, words[0], net, *words[1:]))


def test_colours_change_no_character_of_a_listing(screen, net):
    coloured = plain(printed(screen, "show", net))
    words = [sys.executable, "-m", "graphc", "show", net]
    piped = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ})
    assert coloured == piped.stdout.splitlines()
    assert not COLOUR.search(piped.stdout)


def test_a_check_is_a_table_in_a_terminal(screen, net):
    lines = printed(screen, "check", net)
    assert "agree with central differences" in lines[0]
    assert plain(lines)[1].split() == ["element", "gradient", "difference", "error", "along", "complex", "of"]
    assert all(line.startswith("\x1b[32mok\x1b[0m ") for line in lines[2:])


def test_a_gradient_that_is_wrong_is_red(screen):
    good = VariableCheck("b", (), 1, 0, (), 1.0, 1.0, 1e-12)
    bad = VariableCheck("w", (2,), 2, 0, (1,), 3.0, 2.0, 0.5)
    text = shown.checked(GradientReport((good, bad), 1e-6, suspect="tanh"))
    lines = text.split("\n")
    assert lines[0].startswith("\x1b[31mgradients differ from")
    assert lines[2].startswith("\x1b[32mok\x1b[0m ")
    assert lines[3].startswith("\x1b[31mBAD\x1b[0m")
    assert lines[4] == "  suspect: tanh"


def test_a_table_is_cut_where_it_is_widest(screen, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("NO_COLOR", "1")
    text = console.grid(("name", "n"), [("x" * 50, "1"), ("y", "22")], right=(1,))
    assert text.split("\n") == ["name" + " " * 25 + "n", "x" * 25 + "…   1", "y" + " " * 27 + "22"]


def test_a_table_in_a_file_is_not_cut(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    assert console.grid(("name",), [("x" * 50,)]) == "name\n" + "x" * 50
    assert console.table([("a", "x y " * 30)]) == "  a  " + "x y " * 30
    assert console.folded("x y " * 30) == "x y " * 30


def test_a_long_text_goes_on_below_itself(screen, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    assert console.table([("key", "one two three four five six seven")]) == (
        "  key  one two three four five\n       six seven"
    )
    assert console.folded("  a = one two three four five six") == "  a = one two three four five\n      six"


def test_a_terminal_that_claims_no_width_is_not_believed(screen, monkeypatch):
    monkeypatch.setenv("COLUMNS", "3")
    assert tables.width() == tables.NARROWEST


def test_the_summary_of_a_model_fits(screen, monkeypatch):
    x = gx.input("x", ("batch", 4))
    model = gx.Model(nn.dense(x, 2, name="a_layer_with_quite_a_long_name"), name="net")
    lines = plain(shown.layers(model.summary()).split("\n"))
    assert lines[2].split() == ["layer", "output", "parameters", "numbers", "flops"]
    monkeypatch.setenv("COLUMNS", "50")
    narrow = plain(shown.layers(model.summary()).split("\n"))
    assert max(map(len, narrow)) <= 50
    assert any("…" in line for line in narrow)


def test_what_goes_is_red_and_what_comes_is_green(screen):
    x = gx.input("x", ())
    text = shown.difference(gx.changes(gx.graph_of(x + 1), gx.graph_of(gx.exp(x))))
    assert "\x1b[31m  - " in text
    assert "\x1b[32m  + " in text


COMMANDS = [
    "demo",
    "train",
    "draw",
    "view",
    "show",
    "explain",
    "derive",
    "export",
    "check",
    "opt",
    "diff",
    "bench",
]


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_help_fits_the_terminal(screen, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    for words in (["--help"], *([command, "--help"] for command in COMMANDS)):
        assert main(words) == 0
        lines = screen.readouterr().out.splitlines()
        assert max(map(len, lines)) <= columns
        assert any("graphc" in line for line in lines)


def test_help_in_a_file_is_as_it_was_written(capsys):
    assert main(["--help"]) == 0
    assert (
        "  graphc demo                                   train on real digits in seconds; "
        in capsys.readouterr().out
    )


def test_what_does_not_fit_beside_goes_below():
    row = "  graphc explain net.gx hidden1.W   the chain rule"
    assert console.told(row, 40).splitlines() == ["  graphc explain net.gx hidden1.W", "      the chain rule"]
    command = "  graphc train net.py --data digits --save net.gx"
    assert console.told(command, 40).splitlines() == [
        "  graphc train net.py --data digits",
        "      --save net.gx",
    ]
    assert console.told("", 40) == ""
