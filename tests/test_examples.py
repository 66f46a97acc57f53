"""Every example runs as a program and prints what its docstring says, and its model can be read without training."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest

from graphc.cli import main
from tests.support import REPO

EXAMPLES = sorted((REPO / "examples").glob("*.py"))
NUMBER = re.compile(r"-?\d+\.\d+")


def promised(path):
    """The indented lines of the docstring: what it prints."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")), clean=False) or ""
    return [line.strip() for line in text.splitlines() if line.startswith("    ")]


def run(path, folder):
    done = subprocess.run(
        [sys.executable, str(path)], cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_prints_what_it_promises(path, tmp_path):
    printed = run(path, tmp_path)
    lines = promised(path)
    assert lines
    for line in lines:
        words = NUMBER.sub("#", " ".join(line.split()))
        found = [p for p in printed if NUMBER.sub("#", p) == words]
        assert found, f"{line!r} is not in {printed}"
        wanted = [float(n) for n in NUMBER.findall(line)]
        # float32 training ends a little elsewhere on another processor
        assert [float(n) for n in NUMBER.findall(found[0])] == pytest.approx(wanted, rel=0.2, abs=0.02)


def test_linear_regression_is_exact(tmp_path):
    path = REPO / "examples" / "linear_regression.py"
    assert run(path, tmp_path) == promised(path)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_and_runs_nothing_when_imported(path, capsys):
    assert len(path.read_text(encoding="utf-8").splitlines()) < 60
    if path.stem == "low_level":  # it has no model
        return
    assert main(["check", str(path)]) == 0
    assert "agree with central differences" in capsys.readouterr().out


def test_the_example_is_the_network_of_the_demo():
    outside = (REPO / "examples" / "digits.py").read_text(encoding="utf-8")
    inside = (REPO / "graphc" / "examples" / "digits.py").read_text(encoding="utf-8")
    declaration = inside[inside.index("x = gx.input") :]
    assert declaration in outside
