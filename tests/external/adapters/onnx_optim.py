"""ONNX: one step of its optimizers, by the lines of graphc's. It counts steps from 0, and decays the weights itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc import optim

Made = Callable[[Any, int], optim.Optimizer]


def adagrad(a: Any, step: int) -> optim.Optimizer:
    """The rate falls as R / (1 + T d); ours counts from 1."""
    return optim.adagrad(1.0, lr_decay=a["decay_factor"], eps=a["epsilon"])


def adam(a: Any, step: int) -> optim.Optimizer:
    """ε stands beside the raw root; a count of 0 is not corrected."""
    return optim.adam(1.0, a["alpha"], a["beta"], a["epsilon"], eps_on="raw", bias_correction=step > 0)


def momentum(a: Any, step: int) -> optim.Optimizer:
    """The gradient is multiplied by β, but by 1 in the first step, which starts from the V that it is given."""
    undamped = step == 0 or a["beta"] == 1.0
    form = {"form": "undamped"} if undamped else {"form": "dampened", "damping": 1 - a["beta"]}
    return optim.momentum(1.0, a["alpha"], nesterov=a["mode"] == "nesterov", **form)


def update(make: Made, first: int) -> Any:
    """An operation: rate, count, then all parameters, all gradients, all of each slot.

    Args:
        make: the optimizer, from attributes and the count.
        first: what is added to the count to get the number of the step.
    """

    def operation(x: Any, a: Any) -> list[Any]:
        count = int(x.array(1))
        decay, link = (
            optim.weight_decay(a["norm_coefficient"]).links[0],
            make(a, count).links[0],
        )
        slots = len(link.slots)
        size = (len(x) - 2) // (2 + slots)
        found: list[list[Any]] = [[] for _ in range(1 + slots)]
        for i in range(size):
            theta, g, *values = (x[2 + i + size * k] for k in range(2 + slots))
            known = {
                "theta": theta,
                "lr": x[0],
                "t": x[1] + first,
                **dict(zip(link.slot_names, values, strict=True)),
            }
            g = decay.step({"theta": theta, "g": g}, theta.dtype)["g"]
            after = link.step({**known, "g": g}, theta.dtype)
            for part, name in zip(found, ("theta", *link.slot_names), strict=True):
                part.append(after[name])
        return [node for part in found for node in part]

    return operation


TABLE = {"Adagrad": update(adagrad, 1), "Adam": update(adam, 0), "Momentum": update(momentum, 1)}
"""Operation to function."""
