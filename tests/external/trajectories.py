"""Published training runs, loss by loss: seeded notebooks, and scikit-learn's MLPClassifier.

The recipes are those of ``published.json`` and ``sklearn_mlp.py``, written in graphc's language and started from the
stored arrays.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import graphc as gx
from graphc import nn, optim
from tests.external.harness import (
    RIGHT,
    WRONG,
    Case,
    Outcome,
    Suite,
    compared,
    joined,
)
from tests.support import find_case

FOLDER = "trajectories"
SKLEARN = 1e-15  # what the README claims of an independent engine
ALPHA = 1e-4  # MLPClassifier's default L2 term

Arrays = dict[str, Any]
Recipe = tuple[gx.Model, tuple[Any, ...], Callable[[int], float]]


def load(path: Path) -> Arrays:
    """The arrays of a case."""
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def starting_params(arrays: Arrays) -> list[Any]:
    """The parameters p0, p1, ... as the case starts them."""
    names = [f"p{i}" for i in range(len(arrays)) if f"p{i}" in arrays]
    return [gx.param(n, arrays[n].shape, init=arrays[n], dtype="float64") for n in names]


def circles(arrays: Arrays) -> Recipe:
    """2-10-5-1, examples in columns: relu, relu, sigmoid; mean binary cross-entropy of the probability."""
    x, y = gx.input("x", (2, "m"), "float64"), gx.input("y", (1, "m"), "float64")
    W1, b1, W2, b2, W3, b3 = starting_params(arrays)
    a = gx.sigmoid(W3 @ gx.relu(W2 @ gx.relu(W1 @ x + b1) + b2) + b3)
    loss = gx.mean(-y * gx.log(a) - (1 - y) * gx.log(1 - a))
    data = arrays["X"].T.copy(), arrays["y"][None].astype("float64")
    return gx.Model(a, loss), data, lambda k: 0.01


def moons(arrays: Arrays) -> Recipe:
    """2-16-16-1, examples in columns: relu, relu, linear; hinge loss, and L2 over every parameter."""
    x, y = gx.input("x", (2, "m"), "float64"), gx.input("y", (1, "m"), "float64")
    params = W1, b1, W2, b2, W3, b3 = starting_params(arrays)
    score = W3 @ gx.relu(W2 @ gx.relu(W1 @ x + b1) + b2) + b3
    penalty = sum((gx.sum(p * p) for p in params[1:]), gx.sum(W1 * W1))
    loss = gx.mean(gx.relu(1 - y * score)) + 1e-4 * penalty
    data = arrays["X"].T.copy(), arrays["y"][None].astype("float64")
    return gx.Model(score, loss), data, lambda k: 1 - 0.9 * k / 100


def spiral(arrays: Arrays) -> Recipe:
    """A linear softmax classifier of three spiral arms, with L2 on its weights."""
    x, y = gx.input("x", ("n", 2), "float64"), gx.input("y", ("n",), "int64")
    W, b = starting_params(arrays)
    scores = x @ W + b
    loss = nn.cross_entropy(scores, y) + 0.5e-3 * gx.sum(W * W)
    return gx.Model(scores, loss), (arrays["X"], arrays["y"]), lambda k: 1.0


def descend(recipe: Recipe, steps: int) -> tuple[Arrays, list[float]]:
    """Full-batch gradient descent by the generated train step: the last parameters, and the loss before each step."""
    model, data, rate = recipe
    params, losses = model.params, []
    train_step = model.module(optim.sgd(1.0)).train_step
    for k in range(steps):
        params, _, _, loss = train_step(params, {}, {}, *data, lr=rate(k))
        losses.append(float(loss))
    return params, losses


def check_published(recipe: Callable[[Arrays], Recipe], path: Path) -> Outcome:
    """The published losses to their stated tolerance, and where stored, the accuracy of the trained network."""
    row = json.loads(path.with_name("published.json").read_text(encoding="utf-8"))[path.stem]
    arrays, every = load(path), row["every"]
    made = recipe(arrays)
    params, losses = descend(made, every * (len(row["loss"]) - 1) + 1)
    parts = [("losses", compared(losses[::every], row["loss"], row["tol"]))]
    if "X_test" in arrays:
        params, _ = descend((made[0].set_params(params), *made[1:]), every - 1)
        parts.append(("accuracy", check_accuracy(made[0].set_params(params), arrays, row)))
    return joined(parts)


def check_accuracy(model: gx.Model, arrays: Arrays, row: Any) -> Outcome:
    """The printed accuracies of a network that answers with a probability."""
    sets = (("X", "y", "train_acc"), ("X_test", "y_test", "test_acc"))
    found = [float(np.mean((model.predict(arrays[x].T) > 0.5) == arrays[y])) for x, y, _ in sets]
    verdict = RIGHT if found == [row[key] for _, _, key in sets] else WRONG
    return Outcome(verdict, f"train {found[0]:.4f}, test {found[1]:.4f}")


PUBLISHED = (
    Case("micrograd_moons", f"{FOLDER}/micrograd_moons.npz", partial(check_published, moons)),
    Case("cs231n_linear", f"{FOLDER}/cs231n_linear.npz", partial(check_published, spiral)),
    Case("init_zeros", f"{FOLDER}/init_zeros.npz", partial(check_published, circles), full=True),
    Case("init_he", f"{FOLDER}/init_he.npz", partial(check_published, circles), full=True),
)


class Epochs:
    """A stream of batches that takes the next stored order of the examples each time it is read."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays, self.orders = arrays, iter(arrays["order"])

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        rows = next(self.orders)
        yield self.arrays["X"][rows], self.arrays["Y"][rows]


def classifier(arrays: Arrays) -> gx.Model:
    """MLPClassifier: one hidden layer of relu, cross-entropy, and α/2n of the squared weights."""
    (_, features), (_, classes) = arrays["X"].shape, arrays["Y"].shape
    x, y = gx.input("x", ("n", features), "float64"), gx.input("y", ("n", classes), "float64")
    names = "W1", "b1", "W2", "b2"
    W1, b1, W2, b2 = (gx.param(n, arrays[n].shape, init=arrays[n], dtype="float64") for n in names)
    z = gx.relu(x @ W1 + b1) @ W2 + b2
    entropy = nn.cross_entropy(z, y) if classes > 1 else nn.binary_cross_entropy(z, y)
    return gx.Model(z, entropy + 0.5 * ALPHA * (gx.sum(W1 * W1) + gx.sum(W2 * W2)) / gx.size(x, 0))


def check_sklearn(optimizer: optim.Optimizer, path: Path) -> Outcome:
    """scikit-learn's loss curve, epoch by epoch; these data fit in one batch."""
    arrays = load(path)
    epochs = len(arrays["order"])
    history = classifier(arrays).fit(Epochs(arrays), epochs=epochs, optimizer=optimizer, verbose=False)
    return compared([row["loss"] for row in history.rows], arrays["loss_curve"], SKLEARN)


STRATEGIES = {
    "constant": optim.sgd(0.2),
    "momentum": optim.momentum(0.2, 0.9),
    "nesterov": optim.nesterov(0.2, 0.9, form="rate_inside"),
    "adam": optim.adam(0.01, eps_on="raw"),
}
EXAMPLES = {"iris": 150, "moons": 100}


def followed(data: str) -> dict[str, optim.Optimizer]:
    """The strategies whose rate falls with the examples seen: at the end of each epoch, of one step here."""
    rate = optim.schedules.inverse_scaling(0.2, power=0.5, scale=EXAMPLES[data]).in_epochs(1)
    return {
        "invscaling": optim.sgd(rate),
        "invscaling_momentum": optim.momentum(rate, 0.9, form="rate_inside"),
        "invscaling_nesterov": optim.nesterov(rate, 0.9, form="rate_inside"),
    }


def sklearn_cases(data: str) -> Iterator[Case]:
    """The seven strategies on one data set."""
    for strategy, optimizer in {**STRATEGIES, **followed(data)}.items():
        name = f"sklearn_{data}_{strategy}"
        yield Case(name, f"{FOLDER}/{name}.npz", partial(check_sklearn, optimizer))


def stored() -> list[str]:
    """The runs in the folder."""
    folder, _ = find_case(FOLDER)
    return sorted(path.stem for path in folder.glob("*.npz")) if folder else []


SUITE = Suite(FOLDER, (*PUBLISHED, *sklearn_cases("iris"), *sklearn_cases("moons")), stored)
