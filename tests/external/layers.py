"""Layers of PyTorch's with their gradients: those that graphc has; the others by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

import graphc as gx
from graphc import nn
from tests.external.harness import DIFFERS, NOT_COVERED, RIGHT, WRONG, Case, Outcome, Suite, absent, unrun
from tests.external.judging import TOLERANCE, Problem, difference, guarded, judged
from tests.support import find_case

FILE = "layers/layers.npz"

SCALED = "the share that is kept is a multiple of 2**-16, and the scale is by that"

BY_NAME = {
    "rnn": "nn.rnn",
    "lstm": "nn.lstm",
    "gru": "nn.gru",
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
    """softmax(q·kᵀ/√d)·v; causal, a place sees those before it and itself."""
    return [nn.attention(*(nodes[name] for name in "qkv"), causal=causal)]


def check_attention(causal: bool, name: str, path: Path) -> Outcome:
    """Value and gradients."""
    arrays = groups(path)[name]
    grads = {key: arrays[f"g{key}"] for key in "qkv"}
    given = {key: arrays[key] for key in "qkv"}
    return judged(Problem(partial(attention, causal=causal), given, [arrays["y"]], [arrays["cot"]], grads))


BATCH_NORMS: dict[str, dict[str, Any]] = {
    "bn1d_m03_eps1e-3": {"momentum": 0.3, "eps": 1e-3},
    "bn1d_cumulative": {"momentum": None},
    "bn1d_noaffine": {"scale": False, "shift": False},
    "bn1d_notrack": {"running": False},
}
"""What a batch normalisation is told beside the number of channels."""

NORMS: dict[str, Callable[..., Any]] = {
    "ln": nn.layer_norm,
    "ln_2d": partial(nn.layer_norm, axis=(1, 2)),
    "ln_eps1e-12": partial(nn.layer_norm, eps=1e-12),
    "ln_noaffine": nn.layer_norm,
    "gn": partial(nn.group_norm, groups=2),
    "in2d": nn.instance_norm,
    "rms": nn.rms_norm,
}


def check_batch_norm(name: str, path: Path) -> Outcome:
    """Five batches one after the other: value, gradients and running statistics of each, then the same in use."""
    arrays = groups(path)[name]
    shape = arrays["0/x"].shape
    x, cot = gx.input("x", ("n", *shape[1:]), "float64"), gx.input("cot", ("n", *shape[1:]), "float64")
    y = nn.batch_norm(x, name="bn", **BATCH_NORMS.get(name, {}))
    leaves = gx.graph_of(y).leaves("param")
    outputs = [y, *gx.vjp(y, [x, *leaves], cot)]
    train, use = (gx.compile(outputs, mode=mode) for mode in ("train", "eval"))
    values = {f"bn.{key}": arrays[key] for key in ("gamma", "beta") if key in arrays}
    channels = np.zeros(shape[1])
    states = {"bn.running_mean": channels, "bn.running_var": channels + 1, "bn.batches": np.float64(0)}
    told: list[str] = []
    for k in range(5):
        batch = {key.split("/")[1]: array for key, array in arrays.items() if key.startswith(f"{k}/")}
        found = called_with(train, {"x": batch["x"], "cot": batch["cot"], **values, **states})
        found, after = found if train.graph.updates else (found, {})
        states |= after
        wanted = [batch[key] for key in ("y_train", "gx", "ggamma", "gbeta") if key in batch]
        told += differences_of(found, wanted, f"batch {k}")
        if "running_mean" in batch:
            told += differences_of(
                [states["bn.running_mean"], states["bn.running_var"]],
                [batch["running_mean"], batch["running_var"]],
                f"running statistics {k}",
            )
            in_use = called_with(use, {"x": batch["x"], "cot": batch["cot"], **values, **states})
            told += differences_of(in_use, [batch["y_eval"], batch["gx_eval"]], f"use {k}")
    return Outcome(WRONG if told else RIGHT, "; ".join(told))


def called_with(program: Any, given: Mapping[str, Any]) -> Any:
    """A program's results; of what is given it takes what it needs."""
    names = [str(program.graph.name_of(leaf)) for leaf in program.graph.arguments]
    return program(**{name: given[name] for name in names})


def differences_of(found: Sequence[Any], wanted: Sequence[Any], what: str) -> list[str]:
    """What differs, with a word in front."""
    pairs = zip(found, wanted, strict=False)
    return [f"{what}: {text}" for got, want in pairs if (text := difference(got, want, TOLERANCE))]


def check_norm(name: str, path: Path) -> Outcome:
    """Value and gradients, those of the parameters included."""
    arrays = groups(path)[name]
    given = {key: arrays[key] for key in ("x", "weight", "bias") if key in arrays}
    extra = {} if name == "rms" else {"shift": "bias"}

    def layer(nodes: Mapping[str, Any]) -> list[Any]:
        options = {arg: nodes.get(key, False) for arg, key in {"scale": "weight", **extra}.items()}
        return [NORMS[name](nodes["x"], **options)]

    grads = {key: arrays["gx" if key == "x" else f"g_{key}"] for key in given}
    return judged(Problem(layer, given, [arrays["y"]], [arrays["cot"]], grads))


def check_network(name: str, path: Path) -> Outcome:
    """A network with batch normalisation and cross-entropy: the loss and the gradient of every parameter."""
    arrays = groups(path)[name]
    p = [gx.param(f"p{i}", arrays[f"p{i}"].shape, dtype="float64") for i in range(6)]
    h = nn.batch_norm(gx.const(arrays["X"]) @ p[0] + p[1], scale=p[2], shift=p[3], running=False)
    logits = gx.relu(h) @ p[4] + p[5]
    rows = np.eye(4)[arrays["y"]]
    smooth = 0.9 * rows + 0.1 / 4 if name.endswith("smooth") else rows
    loss = nn.cross_entropy(logits, gx.const(smooth)) + 0.005 * (gx.sum(p[0] ** 2) + gx.sum(p[4] ** 2))
    found = gx.compile([loss, *gx.grad(loss, p)], mode="train")(*(arrays[f"p{i}"] for i in range(6)))
    told = differences_of(found, [arrays["loss"], *(arrays[f"g{i}"] for i in range(6))], name)
    return Outcome(WRONG if told else RIGHT, "; ".join(told))


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
    elif name.startswith("bn"):
        check = partial(check_batch_norm, name)
    elif name.startswith("mlp_bn"):
        check = partial(check_network, name)
    elif name in NORMS:
        check = partial(check_norm, name)
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
