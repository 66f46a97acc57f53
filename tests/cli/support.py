"""What the tests of the command line share: a small model file, and a call that captures both streams."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphc.cli import main

NET = '''\
"""A small network."""
import graphc as gx
from graphc import nn

x = gx.input("x", ("batch", 2))
t = gx.input("t", ("batch",), dtype="int64")
z = nn.dense(nn.dense(x, 8, activation="tanh", name="hidden"), 3, name="output")
model = gx.Model(z, nn.cross_entropy(z, t), metrics={"accuracy": nn.accuracy(z, t)}, name="spiral_net")

y = gx.input("y", ("batch", 1))
p = nn.dense(x, 1, name="line")
line = gx.Model(p, nn.mse(p, y), name="line")

if __name__ == "__main__":
    raise SystemExit("only as a program")
'''


def write_net(folder: Path, name: str = "net.py", text: str = NET) -> str:
    """The path of a model file in a folder."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """The exit code, standard output and standard error of one command."""
    capsys.readouterr()
    code = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err
