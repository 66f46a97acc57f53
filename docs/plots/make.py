"""The pictures of the gallery: ``python -m docs.plots.make`` writes them beside this file, each by one line.

They are made from seeds; another version of matplotlib draws them a little otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import graphc as gx
from graphc import datasets, nn, optim, train

FOLDER = Path(__file__).parent
DPI = 110


def new_model() -> Any:
    """A classifier of digits."""
    x, t = gx.input("x", ("batch", 64)), gx.input("t", ("batch",), dtype="int64")
    logits = nn.dense(nn.dense(x, 48, activation="relu", name="hidden"), 10, name="output")
    return gx.Model(logits, nn.cross_entropy(logits, t), metrics=["accuracy"], optimizer=optim.adam(2e-3))


@cache
def digits_model() -> tuple[Any, Any, Any]:
    """The classifier after 15 epochs, its history and its test data."""
    model = new_model()
    data, test = datasets.digits().split(test=0.25, seed=0)
    history = model.fit(data, epochs=15, batch_size=64, validation_data=test, verbose=False)
    return model, history, test


@cache
def spirals_model() -> tuple[Any, Any]:
    """A classifier of three spirals, and its data."""
    data = datasets.spirals(seed=0)
    x, t = gx.input("x", ("batch", 2)), gx.input("t", ("batch",), dtype="int64")
    h = nn.dense(nn.dense(x, 32, activation="tanh", name="first"), 32, activation="tanh", name="second")
    logits = nn.dense(h, 3, name="scores")
    model = gx.Model(logits, nn.cross_entropy(logits, t), optimizer=optim.adam(0.01))
    model.fit(data, epochs=80, verbose=False)
    return model, data


def deep_sigmoids() -> tuple[Any, Any]:
    """Eight layers of sigmoids at their start: gradients vanish."""
    x, t = gx.input("x", ("batch", 64)), gx.input("t", ("batch",), dtype="int64")
    h = x
    for i in range(8):
        h = nn.dense(h, 32, activation="sigmoid", name=f"layer{i + 1}")
    logits = nn.dense(h, 10, name="output")
    return gx.Model(logits, nn.cross_entropy(logits, t)), datasets.digits()


def schedule() -> Any:
    """Two schedules in one picture."""
    s = optim.schedules
    ax = gx.plot.schedule(s.cosine(0.1, steps=200), 200)
    return gx.plot.schedule(s.step(0.1, every=50, factor=0.5), 200, ax=ax)


def confusion() -> Any:
    """What the classifier of digits takes for what."""
    model, _, test = digits_model()
    return gx.plot.confusion_matrix(model.predict(test.x), test.y)


PICTURES: dict[str, Callable[[], Any]] = {
    "history": lambda: gx.plot.history(digits_model()[1]),
    "activation": lambda: gx.plot.activation("gelu"),
    "schedule": schedule,
    "decision_boundary": lambda: gx.plot.decision_boundary(*spirals_model()),
    "confusion_matrix": confusion,
    "gradient_flow": lambda: gx.plot.gradient_flow(*deep_sigmoids()),
    "loss_surface": lambda: gx.plot.loss_surface(*spirals_model()),
    "rate_search": lambda: gx.plot.rate_search(train.find_rate(new_model(), datasets.digits())),
}


def write(folder: Path = FOLDER) -> None:
    """Draw them all."""
    for name, draw in PICTURES.items():
        draw().figure.savefig(folder / f"{name}.png", dpi=DPI, metadata={"Software": None})


if __name__ == "__main__":
    write()
