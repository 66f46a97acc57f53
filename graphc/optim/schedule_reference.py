"""The reference pages of schedules and initialisers, written from their docstrings and their table.

``python -m graphc.optim.schedule_reference DIR`` writes ``schedules.md`` and ``initialisers.md``; a test holds the
checked-in pages to what is written now, and every example in them is run.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from graphc.ops.initialisers import GAINS, INITIALISERS, Initialiser
from graphc.optim.schedule import Schedule, schedule
from graphc.optim.schedules import SCHEDULES

HEAD = """# Schedules

Written from the docstrings by `python -m graphc.optim.schedule_reference docs`.

A schedule is a number that follows the step `t` of training, as an equation in the same language as the network.
`t` counts from 0: the first update has t = 0. Lengths are numbers of steps; `schedule.in_epochs(steps_per_epoch)`
makes them numbers of epochs. `schedule(t)` is the value at a step, `schedule.equation(node)` a node,
`schedule.plot()` a curve (with matplotlib), `schedule.latex()` the equation.

Every optimizer but `rprop` takes one as its rate, a number among the settings may be one as well (`beta=`), and the
generated `train_step` computes it. The numbers of an equation are arguments there, so another rate or another length
compiles nothing:

```python
import graphc as gx
from graphc import nn, optim
from graphc.optim import schedule
from graphc.optim.schedules import *

x, t = gx.input("x", ("n", 3)), gx.input("t", ("n", 1))
y = nn.dense(x, 1, name="line")
model = gx.Model(y, nn.mse(y, t), name="line")
rate = warmup(cosine(0.1, steps=90), steps=10)
optimizer = optim.momentum(rate, beta=one_cycle_momentum(steps=100))
assert "def lr_schedule(t, start, steps, then_start, then_end, then_steps):" in model.source(optimizer)
```

What follows a score instead of the step is a callback: `train.ReduceOnPlateau("val_loss", factor=0.5, patience=5)`.

## One's own

`schedule(what)` takes a formula of `t` as text, or a function of its node:

```pycon
>>> root = schedule("start / sqrt(1 + t)", start=0.1)
>>> root(0), root(3)
(0.1, 0.05)
>>> faster = schedule(lambda t, start, pace: start * gx.exp(-pace * t), start=0.1, pace=0.01)
>>> round(faster(100), 6)
0.036788

```
"""

SHOWN: dict[str, Schedule] = {
    "constant": schedule(0.1),
    "step": SCHEDULES["step"](0.1, 30),
    "multi_step": SCHEDULES["multi_step"](0.1, [30, 80]),
    "exponential": SCHEDULES["exponential"](0.1, 0.9),
    "polynomial": SCHEDULES["polynomial"](0.1, 0.0, 100, 2),
    "linear": SCHEDULES["linear"](0.1, 0.0, 100),
    "inverse_time": SCHEDULES["inverse_time"](0.1, 0.5),
    "inverse_scaling": SCHEDULES["inverse_scaling"](0.1),
    "cosine": SCHEDULES["cosine"](0.1, 100),
    "cosine_restarts": SCHEDULES["cosine_restarts"](0.1, 100),
    "cyclic": SCHEDULES["cyclic"](0.01, 0.1, 20),
    "piecewise": SCHEDULES["piecewise"]([30, 80], [0.1, 0.05, 0.01]),
    "interpolated": SCHEDULES["interpolated"]([30, 80], [0.1, 0.01]),
}
"""Whose equation stands on the page; the others are told in words."""


def schedule_reference() -> str:
    """The page of all schedules, as Markdown."""
    return "\n".join([HEAD, *(line for name in SCHEDULES for line in _schedule_lines(name))])


def _schedule_lines(name: str) -> list[str]:
    make = SCHEDULES[name]
    parts = sections(make)
    signature = re.sub(
        r": [^=,)]+(\[[^\]]*\])?( \| None)?", "", str(inspect.signature(make)).partition(" ->")[0]
    )
    lines = [f"## {name}", "", f"`{name}{signature.replace('= ', '=')}`", "", parts["text"], ""]
    if name in SHOWN:
        lines += ["```math", rf"\lambda(t) = {SHOWN[name].latex()}", "```", ""]
    lines += _arguments(parts["Args"])
    lines += ["```pycon", parts["Example"], "", "```", ""]
    return [*lines, f"Source: {parts['Source']}", ""] if "Source" in parts else lines


def _arguments(text: str) -> list[str]:
    """The arguments as a list."""
    entries = re.split(r"\n(?=\w+: )", text)
    found = [re.fullmatch(r"(\w+): (.*)", " ".join(entry.split())) for entry in entries]
    return [*(f"- `{m[1]}`: {m[2]}" for m in found if m), ""]


def sections(thing: Any) -> dict[str, str]:
    """A docstring by its sections; what stands before them is ``text``.

    Example:
        >>> from graphc.optim.schedules import cosine
        >>> sections(cosine)["Source"]
        'Loshchilov and Hutter 2017, eq. 5.'
    """
    head, *rest = re.split(r"\n\n(Args|Raises|Returns|Example|Source):", inspect.getdoc(thing) or "")
    found = {"text": head.replace("``", "`"), "Args": ""}
    for name, body in zip(rest[::2], rest[1::2], strict=True):
        found[name] = inspect.cleandoc(body).replace("``", "`" if name != "Example" else "``")
    return found


INIT_HEAD = """# Initialisers

Written from the table in `ops/initialisers.py` by `python -m graphc.optim.schedule_reference docs`.

A parameter starts as `gx.param(name, shape, init=...)` or a layer's `init=` says: the name of an initialiser, one with
options (`gx.init`), a number, an array, or a function. Each parameter is drawn by a generator of its own, seeded from
(seed, its name): adding a layer changes no other. Values are drawn in float64 and rounded to the parameter's dtype. The
`init(seed)` of an exported file draws the same numbers.

```python
import numpy as np
import graphc as gx

W = gx.param("W", (64, 32), init="he_normal")
V = gx.param("V", (64, 32), init=gx.init("xavier_uniform", gain="tanh"))
U = gx.param("U", (64, 32), init=gx.init("he_normal", mode="fan_out"))
b = gx.param("b", (32,), init=0.1)
own = gx.param("own", (64, 32), init=lambda rng, shape: rng.laplace(0.0, 0.1, shape))
model = gx.Model(gx.input("x", ("n", 64)) @ (W + V + U + own) + b, name="starts")
assert abs(model.params["W"].std() / np.sqrt(2 / 64) - 1) < 0.05
```
"""

FAN_TEXT = """
## Fans

Of a matrix (in, out), fan_in = in and fan_out = out. Of a kernel (..., in / groups, channels), fan_in is what one
output reads: window · in / groups; fan_out = window · channels, for all groups together, as PyTorch has it. A vector
is its own fan. `nn.embedding` reads one row for an id, so its fan_in is 1. `fan_in=` and `fan_out=` stand for those
of the shape; `mode="fan_avg"` is their mean.

```pycon
>>> from graphc.ops.initialisers import fans
>>> fans((64, 32)), fans((3, 3, 16, 32))
((64, 32), (144, 288))

```

## Gains

`gain=` is a number, or that before an activation:
"""


def init_reference() -> str:
    """The page of all initialisers, as Markdown."""
    rows = [_init_row(name, row) for name, row in INITIALISERS.items()]
    gains = [f"| {name} | {gain(0.01):.6g} |" for name, gain in GAINS.items()]
    return "\n".join(
        [
            INIT_HEAD,
            "| name | starts as | options | source |",
            "|---|---|---|---|",
            *rows,
            FAN_TEXT,
            "| activation | gain |",
            "|---|---|",
            *gains,
            "",
            "Leaky relu takes its `slope=` (0.01): √(2 / (1 + slope²)).",
            "`glorot_...` and `kaiming_...` are other names of `xavier_...` and `he_...`.",
            "",
        ]
    )


def _init_row(name: str, row: Initialiser) -> str:
    options = ", ".join(key if value is None else f"{key}={value:g}" for key, value in row.options.items())
    return f"| `{name}` | {row.equation} | {options} | {row.source} |"


PAGES = {"schedules.md": schedule_reference, "initialisers.md": init_reference}


def main(arguments: Iterable[str]) -> None:
    """Write the pages into a folder."""
    folder = Path(*arguments)
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
