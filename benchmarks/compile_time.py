"""The time to compile a deep network: depth 10, 100, 300 and 1,000, width 32.

    OMP_NUM_THREADS=1 python -m benchmarks.compile_time            # all depths, and JAX where it is installed
    OMP_NUM_THREADS=1 python -m benchmarks.compile_time 10 100     # these depths

An MLP 32 → [32] * depth, tanh → 1 with mean squared error, batch 32: one step of gradient descent, from the declaration
to the end of the first call. Each is measured in a process of its own, after the import; seconds of the wall clock,
beside them those of the processor, since JAX compiles on several.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks.timing import table

DEPTHS = (10, 100, 300, 1000)
WIDTH = 32
RATE = 0.01
PEERS: dict[str, str] = {"graphc": "graphc", "jax": "jax"}
"""What is measured, and the module that must be there."""

LIMIT = 300
"""Seconds after which a process is stopped."""

Step = Callable[[], float]


class Measured(NamedTuple):
    """Seconds to the end of the first step; lines of the program or, for others, 0; the loss it returned."""

    seconds: float
    processor: float
    steps: int
    loss: float


def arrays(depth: int) -> tuple[list[tuple[Any, Any]], Any, Any]:
    """Weights and biases, inputs and targets: the same for all."""
    random = np.random.default_rng(0)
    sizes = [WIDTH] * (depth + 1) + [1]
    layers = [
        ((random.standard_normal((a, b)) * a**-0.5).astype(np.float32), np.zeros(b, np.float32))
        for a, b in itertools.pairwise(sizes)
    ]
    x, t = random.standard_normal((32, WIDTH)), random.standard_normal((32, 1))
    return layers, x.astype(np.float32), t.astype(np.float32)


def by_graphc(depth: int) -> tuple[Callable[[], float], Callable[[], int]]:
    """Declare, differentiate, compile and run one step; and how long the program is."""
    import graphc as gx

    layers, x_values, t_values = arrays(depth)
    programs: list[Any] = []

    def step() -> float:
        x, t = gx.input("x", (32, WIDTH)), gx.input("t", (32, 1))
        params = [(gx.param(f"W{i}", w.shape), gx.param(f"b{i}", b.shape)) for i, (w, b) in enumerate(layers)]
        h = x
        for w, b in params[:-1]:
            h = gx.tanh(h @ w + b)
        w, b = params[-1]
        loss = gx.mean(gx.square(h @ w + b - t))
        flat = [p for pair in params for p in pair]
        gradients = gx.grad(loss, flat)
        updates = {p: p - RATE * g for p, g in zip(flat, gradients, strict=True)}
        programs.append(gx.compile(loss, updates=updates))
        found, _ = programs[-1](x_values, t_values, *[p for pair in layers for p in pair])
        return float(found)

    return step, lambda: programs[-1].source.count("\n")


def by_jax(depth: int) -> tuple[Callable[[], float], Callable[[], int]]:
    """The same, traced and compiled by JAX."""
    import jax
    import jax.numpy as jnp

    layers, x, t = arrays(depth)
    params = jax.tree.map(jnp.asarray, layers)
    jax.block_until_ready(jnp.asarray(x) + 1)

    def loss(params: Any) -> Any:
        h = x
        for w, b in params[:-1]:
            h = jnp.tanh(h @ w + b)
        w, b = params[-1]
        return jnp.mean((h @ w + b - t) ** 2)

    @jax.jit
    def update(params: Any) -> Any:
        value, gradients = jax.value_and_grad(loss)(params)
        return value, jax.tree.map(lambda p, g: p - RATE * g, params, gradients)

    return lambda: float(update(params)[0]), lambda: 0


def here(peer: str, depth: int) -> Measured:
    """Measured in this process."""
    step, length = {"graphc": by_graphc, "jax": by_jax}[peer](depth)
    if peer == "graphc":
        by_graphc(1)[0]()  # what is imported when first used
    wall, processor = time.perf_counter(), time.process_time()
    loss = step()
    return Measured(time.perf_counter() - wall, time.process_time() - processor, length(), loss)


def missing(peer: str) -> str | None:
    """Why a peer cannot be measured, or None."""
    return None if importlib.util.find_spec(PEERS[peer]) else "not installed"


def measured(peer: str, depth: int) -> Measured | str:
    """Measured in a process of its own, or why not."""
    reason = missing(peer)
    if reason is not None:
        return reason
    command = [sys.executable, "-m", "benchmarks.compile_time", "--one", peer, str(depth)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return f"over {LIMIT} s"
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["failed"])[-1][:60]
    return Measured(*json.loads(done.stdout.splitlines()[-1]))


def line(depth: int, results: Mapping[str, Measured | str]) -> list[str]:
    """A line of the table: two columns for each peer."""
    row = [str(depth)]
    for result in results.values():
        cells = (
            [f"{result.seconds:.2f}", f"{result.processor:.2f}"]
            if isinstance(result, Measured)
            else ["", result]
        )
        row += cells
    return row


def main(arguments: Sequence[str]) -> None:
    """Measure and print the table."""
    if arguments[:1] == ["--one"]:
        print(json.dumps(here(arguments[1], int(arguments[2]))))
        return
    depths = tuple(map(int, arguments)) or DEPTHS
    rows = [line(depth, {peer: measured(peer, depth) for peer in PEERS}) for depth in depths]
    header = [f"{peer} {unit}" for peer in PEERS for unit in ("s", "processor s")]
    print(table(("hidden layers", *header), rows))


if __name__ == "__main__":
    main(sys.argv[1:])
