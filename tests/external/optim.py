"""Trajectories of PyTorch's and Optax's optimizers over a fixed stream of gradients, 200 steps in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import graphc as gx
from graphc import optim
from tests.external.harness import RIGHT, WRONG, Case, Outcome, Suite
from tests.support import find_case

FOLDER = "optim"
RTOL = 1e-10  # what the README suggests for an open loop
FLOOR = 1e-14  # where a value passes through zero

Arrays = dict[str, Any]


def load(path: Path) -> Arrays:
    """The arrays of a file."""
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def linear_model(problem: Arrays) -> gx.Model:
    """Two parameters whose gradients are the inputs: the loss is their inner product."""
    starts = problem["P0_0"], problem["P0_1"]
    gs = [gx.input(f"G{i}", p.shape, "float64") for i, p in enumerate(starts)]
    ps = [gx.param(f"P{i}", p.shape, init=p, dtype="float64") for i, p in enumerate(starts)]
    return gx.Model(ps[0], gx.sum(gs[0] * ps[0]) + gx.sum(gs[1] * ps[1]))


def trajectory(optimizer: optim.Optimizer, problem: Arrays) -> list[Any]:
    """Both parameters after each step of the generated module."""
    module = linear_model(problem).module(optimizer)
    params, state, slots = module.init(0)
    found: list[Any] = [[], []]
    for g0, g1 in zip(problem["G_0"], problem["G_1"], strict=True):
        params, state, slots, _ = module.train_step(params, state, slots, g0, g1)
        found[0].append(np.array(params["P0"]))
        found[1].append(np.array(params["P1"]))
    return [np.array(part) for part in found]


def check(name: str, make: Callable[[], optim.Optimizer], path: Path) -> Outcome:
    """Every parameter after every step, to the suggested relative tolerance."""
    wanted = load(path)
    found = trajectory(make(), load(path.with_name("problem.npz")))
    pairs = list(zip(found, (wanted[f"{name}/A0"], wanted[f"{name}/A1"]), strict=True))
    worst = max(float(np.max(np.abs(a - b) / np.maximum(np.abs(b), FLOOR / RTOL))) for a, b in pairs)
    right = all(np.allclose(a, b, rtol=RTOL, atol=FLOOR) for a, b in pairs)
    return Outcome(RIGHT if right else WRONG, f"worst relative error {worst:.1e}, tolerance {RTOL:g}")


def coupled(decay: float, inner: optim.Optimizer) -> optim.Optimizer:
    """PyTorch's ``weight_decay`` of everything but its decoupled forms."""
    return optim.chain(optim.weight_decay(decay), inner)


CONFIGURATIONS: dict[str, Callable[[], optim.Optimizer]] = {
    "sgd": lambda: optim.sgd(0.01),
    "sgd_wd": lambda: coupled(0.1, optim.sgd(0.01)),
    "momentum": lambda: optim.momentum(0.01, 0.9),
    "momentum_dampened": lambda: optim.momentum(0.01, 0.9, form="dampened", damping=0.1),
    "momentum_wd": lambda: coupled(0.1, optim.momentum(0.01, 0.9)),
    "nesterov": lambda: optim.nesterov(0.01, 0.9),
    "sgd_maximize": lambda: optim.chain(optim.ascend(), optim.sgd(0.001)),
    "adagrad": lambda: optim.adagrad(0.1),
    "adagrad_full": lambda: coupled(0.05, optim.adagrad(0.1, lr_decay=0.01, start=0.1, eps=1e-8)),
    "rmsprop": lambda: optim.rmsprop(0.01),
    "rmsprop_centered": lambda: optim.rmsprop(0.01, alpha=0.9, centred=True),
    "rmsprop_momentum": lambda: coupled(0.05, optim.rmsprop(0.01, momentum=0.9)),
    "adadelta": lambda: optim.adadelta(1.0, 0.9, 1e-6),
    "adadelta_wd": lambda: coupled(0.05, optim.adadelta(0.5, 0.95, 1e-7)),
    "adam": lambda: optim.adam(0.01),
    "adam_l2": lambda: coupled(0.1, optim.adam(0.01)),
    "adam_amsgrad": lambda: optim.adam(0.01, amsgrad=True),
    "adam_betas": lambda: optim.adam(0.05, 0.5, 0.9, 1e-4),
    "adamw": lambda: optim.adamw(0.01, weight_decay=0.1),
    "adamw_amsgrad": lambda: optim.adamw(0.01, weight_decay=0.01, amsgrad=True),
    "nadam": lambda: optim.nadam(0.01),
    "nadam_decoupled": lambda: optim.nadam(0.01, weight_decay=0.1),
    "radam": lambda: optim.radam(0.01),
    "adamax": lambda: optim.adamax(0.01),
    "rprop": lambda: optim.rprop(0.01),
    "asgd": lambda: optim.asgd(0.01),
    "optax_lion": lambda: optim.lion(1e-3, weight_decay=0.1),
    "optax_lion_nowd": lambda: optim.lion(1e-3),
    "optax_adabelief": lambda: optim.adabelief(0.01),
    "optax_yogi": lambda: optim.yogi(0.01),
    "optax_lamb": lambda: optim.lamb(0.01, weight_decay=0.01),
    "optax_nesterov": lambda: optim.nesterov(0.01, 0.9),
    "optax_adam": lambda: optim.adam(0.01),
    "optax_rmsprop": lambda: optim.rmsprop(0.01, alpha=0.9, eps_on="inside"),
    "optax_signsgd": lambda: optim.sign_sgd(1e-3),
}


CLIPPING: dict[str, Callable[[], optim.Optimizer]] = {
    "l2_1": lambda: optim.clip_by_global_norm(1.0, eps=1e-6),
    "l2_100": lambda: optim.clip_by_global_norm(100.0, eps=1e-6),
    "l1_5": lambda: optim.clip_by_global_norm(5.0, order=1, eps=1e-6),
    "inf_0.5": lambda: optim.clip_by_global_norm(0.5, order=float("inf"), eps=1e-6),
    "value_.25": lambda: optim.clip_by_value(0.25),
}
CLIPPED_STEP = 3


def check_clipping(name: str, make: Callable[[], optim.Optimizer], path: Path) -> Outcome:
    """The gradients of one step, clipped: what descent with a rate of 1 takes off parameters that are 0."""
    wanted, problem = load(path), load(path.with_name("problem.npz"))
    grads = {f"P{i}": problem[f"G_{i}"][CLIPPED_STEP] for i in (0, 1)}
    module = linear_model(problem).module(optim.chain(make(), optim.sgd(1.0)))
    zeros = {key: np.zeros_like(g) for key, g in grads.items()}
    moved, _ = module.update(zeros, module.init(0)[2], grads, lr=1.0)
    pairs = [(-moved[f"P{i}"], wanted[f"{name}/g{i}"]) for i in (0, 1)]
    right = all(np.allclose(a, b, rtol=1e-14, atol=0) for a, b in pairs)
    worst = max(float(np.max(np.abs(a / np.where(b, b, 1) - 1)[b != 0], initial=0.0)) for a, b in pairs)
    return Outcome(RIGHT if right else WRONG, f"worst relative error {worst:.1e}, tolerance 1e-14")


def cases() -> Iterator[Case]:
    """One for each configuration."""
    for name, make in CONFIGURATIONS.items():
        yield Case(name, f"{FOLDER}/trajectories.npz", partial(check, name, make))
    for name, make in CLIPPING.items():
        yield Case(f"clipping_{name}", f"{FOLDER}/clipping.npz", partial(check_clipping, name, make))


def stored() -> list[str]:
    """The configurations that the files hold."""
    found: list[str] = []
    for file, prefix in (("trajectories.npz", ""), ("clipping.npz", "clipping_")):
        path, _ = find_case(FOLDER, file)
        found += sorted({prefix + key.partition("/")[0] for key in load(path)}) if path else []
    return found


SUITE = Suite(FOLDER, tuple(cases()), stored)
