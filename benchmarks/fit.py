"""The training loop: ``fit`` against the same steps in a bare loop.

    OMP_NUM_THREADS=1 python -m benchmarks.fit                # 20 epochs of 22 batches of the digits

A network of 64, 32 and 10 units with Adam. All start from the same values and take the same number of steps; the data
are checked and the module is compiled beforehand. The bare loop calls ``train_step`` for each batch; ``epochs`` calls
``train_epoch``, as ``fit`` does; ``fit, watched`` has a callback that looks at each step, so that it takes single ones;
``fit, scored`` evaluates the accuracy on the training rows, and loss and accuracy on the others, after each epoch. The
table has the median time a step and its ratio to the bare loop.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import graphc as gx
from benchmarks.timing import interleaved, table
from graphc import datasets, nn, optim, train
from graphc.train.run import Seeds

BATCH = 64
OPTIMIZER = optim.adam(1e-3)
Cases = dict[str, Callable[[], Any]]


def network(metrics: tuple[str, ...] = ()) -> gx.Model:
    """The digits network, compiled."""
    x, t = gx.input("x", ("batch", 64)), gx.input("t", ("batch",), dtype="int64")
    h = nn.dense(x, 64, activation="relu", name="hidden1")
    h = nn.dense(h, 32, activation="tanh", name="hidden2")
    z = nn.dense(h, 10, name="output")
    model = gx.Model(z, nn.cross_entropy(z, t), metrics=list(metrics), optimizer=OPTIMIZER)
    model.compiled(OPTIMIZER)
    return model


def bare(model: gx.Model, data: Any, epochs: int) -> Callable[[], Any]:
    """``train_step`` in a loop, in a new order for each epoch."""
    model.begin(OPTIMIZER, Seeds())
    start, module = model.values, model.compiled(OPTIMIZER)
    arrays = model.checked_data(data, None)
    x, t = arrays["x"], arrays["t"]

    def run() -> Any:
        params, state, slots = start.params, start.state, start.slots
        for epoch in range(epochs):
            order = np.random.default_rng(epoch).permutation(len(x))
            for first in range(0, len(x), BATCH):
                rows = order[first : first + BATCH]
                params, state, slots, _ = module.train_step(
                    params, state, slots, x[rows], t[rows], lr=1e-3, check=False
                )
        return params

    return run


def whole(model: gx.Model, data: Any, epochs: int) -> Callable[[], Any]:
    """``train_epoch`` in the same orders, on data that were prepared once."""
    model.begin(OPTIMIZER, Seeds())
    start, module = model.values, model.compiled(OPTIMIZER)
    prepared = module.prepare(model.checked_data(data, None), check=False)

    def run() -> Any:
        params, state, slots = start.params, start.state, start.slots
        for epoch in range(epochs):
            order = np.random.default_rng(epoch).permutation(len(prepared["x"]))
            params, state, slots, _ = module.train_epoch(
                params, state, slots, prepared, order, batch_size=BATCH, lr=1e-3
            )
        return params

    return run


class Watch(train.Callback):
    """Looks at each step."""

    def on_batch_end(self, run: Any, loss: float) -> None:
        """See ``train.Callback``."""


def cases(epochs: int) -> Cases:
    """The same training six times."""
    data, others = datasets.digits().split(test=0.25, seed=0)
    plain, shown, seen, scored = network(), network(), network(), network(("accuracy",))
    watched = {"callbacks": [Watch()], "verbose": False}
    options: dict[str, Any] = {"epochs": epochs, "batch_size": BATCH}
    return {
        "bare loop": bare(network(), data, epochs),
        "epochs": whole(network(), data, epochs),
        "fit": lambda: plain.reset(0).fit(data, verbose=False, **options),
        "fit, bar": lambda: shown.reset(0).fit(data, verbose=True, **options),
        "fit, watched": lambda: seen.reset(0).fit(data, **watched, **options),
        "fit, scored": lambda: scored.reset(0).fit(data, verbose=False, validation_data=others, **options),
    }


def measured(epochs: int = 20, seconds: float = 5.0) -> list[tuple[Any, ...]]:
    """A row for each case: microseconds a step, and the ratio to the bare loop."""
    named = cases(epochs)
    times = interleaved(list(named.values()), seconds=seconds)
    steps = epochs * -(-1348 // BATCH)
    rows = zip(named, times, strict=True)
    return [(name, f"{1e6 * t / steps:.1f}", f"{t / times[0]:.2f}") for name, t in rows]


if __name__ == "__main__":
    sys.stdout.write(table(("loop", "µs a step", "ratio"), measured()) + "\n")
