"""The forms that are shipped: those of the regions that the activations and losses of ``nn`` make.

``python -m graphc.nn.forms`` derives them anew and writes ``symbolic/regions/shipped.json``, so that ordinary use
imports neither SymPy nor mpmath. A test derives some of them and compares.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from graphc.derivatives import grad, vjp
from graphc.ir.graph import graph_of
from graphc.ir.node import Node, engine
from graphc.nn import losses
from graphc.nn.activations import ACTIVATIONS
from graphc.ops.leaves import input
from graphc.rewrite.pipeline import SIMPLIFY, TO_CODE, run
from graphc.rewrite.regions import Found, choose_forms, regions_of
from graphc.stages import resolve
from graphc.symbolic.regions.choice import derive
from graphc.symbolic.regions.store import SHIPPED, key_of, stored_choice

DTYPES = ("float32", "float64")

NOT_ALONE = ("prelu", "glu", "softmax", "log_softmax", "softmin")
"""Activations that are more than a function of one number."""

BINARY = {
    "binary_cross_entropy of logits": lambda x, t: losses.binary_cross_entropy(x, t),
    "soft_margin": losses.soft_margin,
    "log_cosh": losses.log_cosh,
    "poisson_nll": losses.poisson_nll,
}


def activation_regions(name: str, dtype: str) -> list[Found]:
    """What an activation and its derivative leave to be chosen, with and without the value being read."""
    x, v = input("x", ("n", "m"), dtype=dtype), input("v", ("n", "m"), dtype=dtype)
    y = ACTIVATIONS[name](x)
    slope = vjp(y, x, v)
    return [*regions_in([y, slope]), *regions_in([slope])]


def loss_regions(function: Callable[[Node, Node], Node], dtype: str) -> list[Found]:
    """Likewise of a loss of values and targets."""
    x, t = input("x", ("n", "m"), dtype=dtype), input("t", ("n", "m"), dtype=dtype)
    loss = function(x, t)
    return regions_in([loss, grad(loss, x)])


def regions_in(outputs: Any, level: str = "default") -> list[Found]:
    """The regions of a program, before forms are chosen."""
    passes = tuple(step for step in (*SIMPLIFY, *TO_CODE) if step is not choose_forms)
    declared = resolve(graph_of(outputs), "train")
    with engine():
        return list(regions_of(run(declared, passes, level)))


def builtin_regions() -> Iterator[Found]:
    """Every region that a built-in activation or loss makes, in both dtypes."""
    for dtype in DTYPES:
        for name in ACTIVATIONS:
            if name not in NOT_ALONE:
                yield from activation_regions(name, dtype)
        for function in BINARY.values():
            yield from loss_regions(function, dtype)


def table_text() -> str:
    """The text of ``shipped.json``: a line for each region."""
    lines: dict[str, str] = {}
    for found in builtin_regions():
        choice = stored_choice(derive(found.form, found.dtype))
        entry = {"dtype": found.dtype, "region": found.form.data(), "choice": choice.data()}
        lines[key_of(found.form, found.dtype)] = json.dumps(entry, ensure_ascii=False)
    return "[\n" + ",\n".join(lines.values()) + "\n]\n"


if __name__ == "__main__":
    SHIPPED.write_text(table_text(), encoding="utf-8")
