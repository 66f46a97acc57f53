"""Loops: a recurrent network as a scan, held against the same steps written out.

    OMP_NUM_THREADS=1 python -m benchmarks.loops              # 20, 100 and 400 steps

An LSTM cell of 64 over a batch of 32: its loss, and the loss with the gradients of all weights. The table has the time
to declare, differentiate and compile, the lines of the listing, and the median times of a call, the two forms called
in turn. The last column is the gradient in evaluations of the loss. Results are compared before anything is timed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import graphc as gx
from benchmarks.timing import interleaved, table

BATCH, HIDDEN, FEATURES = 32, 64, 32


class Form(NamedTuple):
    """One form of the network, compiled."""

    seconds: float
    lines: int
    loss: Callable[[], Any]
    gradients: Callable[[], Any]


def cell(h: Any, c: Any, x: Any, weights: Sequence[Any]) -> tuple[Any, Any]:
    """The next h and c of an LSTM."""
    W, U, b = weights
    z = x @ W + h @ U + b
    i, f, o, g = (z[:, k * HIDDEN : (k + 1) * HIDDEN] for k in range(4))
    c = gx.sigmoid(f) * c + gx.sigmoid(i) * gx.tanh(g)
    return gx.sigmoid(o) * gx.tanh(c), c


def looped(x: Any, weights: Sequence[Any]) -> Any:
    """The last h, by a scan."""

    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        h, c = cell(*carry, x, weights)
        return (h, c), None

    start = gx.zeros((BATCH, HIDDEN))
    return gx.scan(step, (start, start), x)[0][0]


def written_out(x: Any, weights: Sequence[Any]) -> Any:
    """The last h, step by step."""
    h = c = gx.zeros((BATCH, HIDDEN))
    for t in range(x.shape[0]):
        h, c = cell(h, c, x[t], weights)
    return h


def compiled(network: Callable[..., Any], steps: int, arrays: dict[str, Any]) -> Form:
    """Programs for the loss, and for the loss with its gradients."""
    start = time.perf_counter()
    x = gx.input("x", (steps, BATCH, FEATURES))
    shapes = {"W": (FEATURES, 4 * HIDDEN), "U": (HIDDEN, 4 * HIDDEN), "b": (4 * HIDDEN,)}
    weights = [gx.param(name, shape) for name, shape in shapes.items()]
    loss = gx.mean(gx.square(network(x, weights)))
    whole = gx.compile([loss, *gx.grad(loss, weights)])
    seconds = time.perf_counter() - start
    alone = gx.compile(loss)
    lines = whole.source.count("\n")
    return Form(seconds, lines, lambda: alone(**arrays), lambda: whole(**arrays))


def measured(steps: int) -> list[list[str]]:
    """Two lines of the table: the loop, and the steps written out."""
    random = np.random.default_rng(0)
    shapes = {
        "x": (steps, BATCH, FEATURES),
        "W": (FEATURES, 4 * HIDDEN),
        "U": (HIDDEN, 4 * HIDDEN),
        "b": (4 * HIDDEN,),
    }
    arrays = {n: random.normal(size=s, scale=0.2).astype("float32") for n, s in shapes.items()}
    forms = {"scan": compiled(looped, steps, arrays), "written out": compiled(written_out, steps, arrays)}
    for a, b in zip(*(form.gradients() for form in forms.values()), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6)
    times = interleaved([f for form in forms.values() for f in (form.loss, form.gradients)])
    rows = []
    for i, (name, form) in enumerate(forms.items()):
        loss, gradients = times[2 * i : 2 * i + 2]
        numbers = [f"{form.seconds:.2f}", form.lines, f"{loss * 1e3:.2f}", f"{gradients * 1e3:.2f}"]
        rows.append([f"{steps} steps, {name}", *map(str, numbers), f"{gradients / loss:.2f}"])
    return rows


def main(steps: Sequence[str]) -> None:
    """Measure and print the table."""
    rows = [row for count in steps or ("20", "100", "400") for row in measured(int(count))]
    print(table(("network", "compile s", "lines", "loss ms", "with gradients ms", "ratio"), rows))


if __name__ == "__main__":
    main(sys.argv[1:])
