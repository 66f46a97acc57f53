"""Layers of PyTorch's with their gradients: those that graphc has; the others by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

import graphc as gx
from graphc import nn
from tests.external.harness import DIFFERS, NOT_COVERED, RIGHT, WRONG, Case, Outcome, Suite, absent, unrun
from tests.external.judging import TOLERANCE, Problem, difference, guarded, judged, ops
from tests.support import find_case

FILE = "layers/layers.npz"

SCALED = "the share that is kept is a multiple of 2**-16, and the scale is by that"

BY_NAME = {
    "bn": "nn.batch_norm",
    "ln": "nn.layer_norm",
    "gn": "nn.group_norm",
    "in2d": "nn.instance_norm",
    "rms": "nn.rms_norm",
    "rnn": "nn.rnn",
    "lstm": "nn.lstm",
    "gru": "nn.gru",
    "mlp_bn": "nn.batch_norm",
}
"""What the layers are called that graphc does not have, by how their cases begin."""


@cache
def groups(path: Path) -> dict[str, dict[str, Any]]:
    """The arrays of each layer."""
    found: dict[str, dict[str, Any]] = {}
    with np.load(path) as archive:
        for name in archive.files:
            layer, rest = name.split("/", 1)
            found.setdefault(layer, {})[rest] = archive[name]
    return found


def attention(nodes: Mapping[str, Any], causal: bool) -> list[Any]:
    """softmax(q·kᵀ/√d)·v; with a mask, a place sees those before it and itself."""
    q, k, v = (nodes[name] for name in "qkv")
    scores = q @ ops.matrix_transpose(k) / np.sqrt(q.shape[-1])
    if causal:
        seen = np.tril(np.ones(scores.shape, bool))
        scores = ops.where(gx.const(seen), scores, -np.inf)
    return [ops.softmax(scores, axis=-1) @ v]


def check_attention(causal: bool, name: str, path: Path) -> Outcome:
    """Value and gradients."""
    arrays = groups(path)[name]
    grads = {key: arrays[f"g{key}"] for key in "qkv"}
    given = {key: arrays[key] for key in "qkv"}
    return judged(Problem(partial(attention, causal=causal), given, [arrays["y"]], [arrays["cot"]], grads))


def check_dropout(rate: float, name: str, path: Path) -> Outcome:
    """In use the identity; in training, with the mask that was drawn, the formula, for values and gradients."""
    arrays = groups(path)[name]
    x, cot = arrays["x"], arrays["cot"]
    node = gx.input("x", x.shape, "float64")
    y = nn.dropout(node, rate)
    outputs = [y, gx.vjp(y, node, cot)]
    used = gx.compile(outputs, mode="eval")(x)[0]
    drawn, slope = gx.compile(outputs, mode="train")(x, rng=0)
    mask = drawn != 0
    keep = round((1 - rate) * 2**16) / 2**16
    wanted = [(used, arrays["y_eval"]), (drawn, x * mask / keep), (slope, cot * mask / keep)]
    told = [text for got, want in wanted if (text := difference(got, want, TOLERANCE))]
    unlucky = abs(mask.mean() - keep) > 4 * np.sqrt(rate * (1 - rate) / mask.size)
    if told or unlucky or abs(keep - (1 - rate)) > 2**-17:
        return Outcome(WRONG, "; ".join(told) or f"{mask.mean():.4f} is kept instead of {keep:.4f}")
    return Outcome(RIGHT) if keep == 1 - rate else Outcome(DIFFERS, SCALED)


def case(name: str) -> Case:
    """The case of a layer."""
    if name.startswith("dropout"):
        check = partial(check_dropout, float(name.removeprefix("dropout")), name)
    elif name.startswith("sdpa"):
        check = partial(check_attention, "causal" in name, name)
    else:
        reason = next((word for start, word in BY_NAME.items() if name.startswith(start)), name)
        return unrun(name, FILE, NOT_COVERED, reason)
    return Case(name, FILE, lambda path: guarded(lambda: check(path)))


def stored() -> list[str]:
    """The layers in the file."""
    path, _ = find_case(FILE)
    return list(groups(path)) if path else []


def cases() -> Iterator[Case]:
    """A case for each layer."""
    yield from (case(name) for name in stored())


SUITE = Suite("layers", tuple(cases()) or absent(FILE), stored)
