"""ADBench: four objectives and their derivatives, against its golden numbers and independent references."""

from __future__ import annotations

import importlib.util
import json
import warnings
from collections.abc import Iterator, Mapping
from functools import cache, partial
from math import lgamma, log, pi, sqrt
from pathlib import Path
from typing import Any

import numpy as np

import graphc as gx
from tests.external.hand import hand_residuals
from tests.external.harness import RIGHT, WRONG, Case, Outcome, Suite, joined
from tests.external.judging import called, guarded, ops
from tests.support import find_case

FOLDER = "adbench"
LARGEST = 1e-8
"""ADBench's own bound for |x - y| / max(1, |x| + |y|)."""

GOLDEN = f"{FOLDER}/golden/adbench_published_golden.json"


@cache
def loader(root: Path) -> Any:
    """The readers that come with the cases."""
    spec = importlib.util.spec_from_file_location("adbench_loader", root / "loader.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(root: Path, kind: str, *arguments: Any) -> Any:
    """What a reader of theirs reads; they leave closing files to the interpreter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        return getattr(loader(root), kind)(*arguments)


def near(got: Any, want: Any) -> Outcome:
    """Right within ADBench's bound."""
    x, y = np.asarray(got, float).ravel(), np.asarray(want, float).ravel()
    if x.shape != y.shape:
        return Outcome(WRONG, f"{x.size} numbers instead of {y.size}")
    worst = float((np.abs(x - y) / np.maximum(1, np.abs(x) + np.abs(y))).max())
    return Outcome(RIGHT if worst < LARGEST else WRONG, f"rho {worst:.1e}")


def inputs(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """An input node for each array."""
    return {name: gx.input(name, a.shape, "float64") for name, a in arrays.items()}


# -- Gaussian mixtures --------------------------------------------------------------------------------------------


def lower_triangles(d: int) -> Any:
    """For each entry below the diagonal, column by column, the matrix that has a 1 there."""
    columns, rows = np.triu_indices(d, 1)
    basis = np.zeros((rows.size, d, d))
    basis[np.arange(rows.size), rows, columns] = 1
    return basis


def log_wishart_constant(d: int, m: int, gamma: float) -> float:
    """What the prior takes off for each component."""
    n = d + m + 1
    multigamma = d * (d - 1) / 4 * log(pi) + sum(lgamma(0.5 * n - 0.5 * j) for j in range(d))
    return n * d * log(gamma / sqrt(2)) - multigamma


def gmm_objective(alphas: Any, means: Any, icf: Any, x: Any, gamma: float, m: int) -> Any:
    """The log-likelihood of a mixture of Gaussians under a Wishart prior."""
    (n, d), (K,) = x.shape, alphas.shape
    q, below = icf[:, :d], icf[:, d:]
    total, Q = ops.sum(q, axis=1), ops.exp(q)
    L = ops.einsum("kt,tij->kij", below, gx.const(lower_triangles(d)))
    centred = ops.expand_dims(x, 1) - ops.expand_dims(means, 0)
    Qx = ops.expand_dims(Q, 0) * centred + ops.einsum("kij,nkj->nki", L, centred)
    inner = alphas + total - 0.5 * ops.sum(Qx * Qx, axis=2)
    likelihood = ops.sum(ops.logsumexp(inner, axis=1)) - n * ops.logsumexp(alphas) - n * d * 0.5 * log(2 * pi)
    squares = ops.sum(Q * Q, axis=1) + ops.sum(below * below, axis=1)
    prior = ops.sum(0.5 * gamma**2 * squares - m * total)
    return likelihood + prior - K * log_wishart_constant(d, m, gamma)


def gmm(data: Mapping[str, Any]) -> tuple[Any, Any]:
    """The objective, and its gradient in ADBench's order."""
    given = {name: data[name] for name in ("alphas", "means", "icf", "x")}
    nodes = inputs(given)
    y = gmm_objective(**nodes, gamma=data["gamma"], m=data["m"])
    value, *grads = called([y, *gx.grad(y, [nodes[name] for name in ("alphas", "means", "icf")])], given)
    return value, np.concatenate([g.ravel() for g in grads])


# -- bundle adjustment --------------------------------------------------------------------------------------------


def projected(cam: Any, X: Any) -> Any:
    """Points through cameras: rotation by an angle about an axis, perspective, radial distortion."""
    rotation = cam[:, :3]
    angle = ops.sqrt(ops.sum(rotation * rotation, axis=1, keepdims=True))
    axis, Y, c, s = rotation / angle, X - cam[:, 3:6], ops.cos(angle), ops.sin(angle)
    along = ops.sum(axis * Y, axis=1, keepdims=True)
    turned = Y * c + ops.cross(axis, Y, axis=-1) * s + axis * along * (1 - c)
    p = turned[:, :2] / turned[:, 2:3]
    r = ops.sum(p * p, axis=1, keepdims=True)
    p = p * (1 + cam[:, 9:10] * r + cam[:, 10:11] * r * r)
    return p * cam[:, 6:7] + cam[:, 7:9]


def bundle(data: Mapping[str, Any]) -> tuple[Any, Any, Any, Any]:
    """Residuals, those of the weights, and the Jacobian: a row is 11 of the camera, 3 of the point, the weight."""
    cams, X = data["cams"][data["obs"][:, 0]], data["X"][data["obs"][:, 1]]
    given = {"cam": cams, "X": X, "w": data["w"], "feats": data["feats"]}
    n = inputs(given)
    r = ops.expand_dims(n["w"], 1) * (projected(n["cam"], n["X"]) - n["feats"])
    weights = 1 - n["w"] * n["w"]
    wrt = [n["cam"], n["X"], n["w"]]
    rows = [gx.grad(ops.sum(r[:, k]), wrt) for k in range(2)]
    found = called([r, weights, gx.grad(ops.sum(weights), n["w"]), *rows[0], *rows[1]], given)
    blocks = [np.column_stack(found[i : i + 3]) for i in (3, 6)]
    return found[0], found[1], np.stack(blocks, axis=1), found[2]


# -- hand ---------------------------------------------------------------------------------------------------------


def hand(data: Mapping[str, Any], model: Mapping[str, Any]) -> tuple[Any, Any]:
    """The residuals, and their Jacobian by the angles; before those, where points slide, by their own two places."""
    given = {name: data[name] for name in ("theta", "us") if data[name] is not None}
    nodes = inputs(given)
    r = hand_residuals(nodes["theta"], nodes.get("us"), data, model)
    y = ops.reshape(r, -1)
    own = [gx.grad(ops.sum(r[:, k]), nodes["us"]) for k in range(3)] if "us" in nodes else []
    value, jacobian, *places = called([r, gx.jacobian(y, nodes["theta"]), *own], given)
    if places:
        jacobian = np.concatenate([np.stack(places, axis=1).reshape(-1, 2), jacobian], axis=1)
    return value, jacobian


# -- recurrent network --------------------------------------------------------------------------------------------


def lstm_objective(main: Any, extra: Any, state: Any, seq: Any) -> Any:
    """Cells whose weights are diagonal, as a loop; the objective has the 2 that all of ADBench's tools have."""
    layers, (count, width) = main.shape[0] // 2, seq.shape
    start = [[state[2 * i + k] for i in range(layers)] for k in (0, 1)]

    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        carry, z = lstm_cells(carry, x[0] * extra[0], main, width)
        y = z * extra[1] + extra[2]
        return carry, ops.sum(x[1] * (y - ops.log(ops.sum(ops.exp(y)) + 2)))

    _, terms = ops.scan(step, start, (seq[:-1], seq[1:]))
    return -ops.sum(terms) / ((count - 1) * width)


def lstm_cells(carry: Any, z: Any, main: Any, width: int) -> tuple[Any, Any]:
    """One step of all layers: their next states and outputs, and the output of the last."""
    h, c = (list(part) for part in carry)
    for i in range(len(h)):
        gates = ops.concat([z, h[i], z, h[i]]) * main[2 * i] + main[2 * i + 1]
        f, g, o, new = (gates[k * width : (k + 1) * width] for k in range(4))
        c[i] = c[i] * ops.sigmoid(f) + ops.sigmoid(g) * ops.tanh(new)
        h[i] = z = ops.sigmoid(o) * ops.tanh(c[i])
    return [h, c], z


@cache
def lstm(path: Path) -> tuple[Any, Any]:
    """The objective, and its gradient in ADBench's order."""
    data = read(path.parents[2], "lstm", path)
    given = {name: data[name] for name in ("main", "extra", "state", "seq")}
    nodes = inputs(given)
    y = lstm_objective(**nodes)
    value, *grads = called([y, *gx.grad(y, [nodes["main"], nodes["extra"]])], given)
    return value, np.concatenate([g.ravel() for g in grads])


# -- cases --------------------------------------------------------------------------------------------------------


def data_file(root: Path, *parts: str) -> Path:
    """A file of inputs."""
    return root.joinpath("data", *parts)


def check_gmm(path: Path) -> Outcome:
    """A stored reference."""
    root, want = path.parents[1], arrays_of(path)
    folder, name = path.stem.removeprefix("gmm_").split("_", 1)
    value, gradient = gmm(read(root, "gmm", data_file(root, "gmm", folder, f"{name}.txt")))
    return joined([("value", near(value, want["value"])), ("gradient", near(gradient, want["gradient"]))])


def check_hand(path: Path) -> Outcome:
    """A stored reference."""
    root, want, name = path.parents[1], arrays_of(path), path.stem.removeprefix("hand_")
    given = read(root, "hand", data_file(root, "hand", f"{name}.txt"), "complicated" in name)
    value, jacobian = hand(given, read(root, "hand_model"))
    return joined([("value", near(value, want["value"])), ("jacobian", near(jacobian, want["jacobian"]))])


def check_lstm(path: Path) -> Outcome:
    """A stored reference."""
    value, gradient = lstm(data_file(path.parents[1], "lstm", f"{path.stem}.txt"))
    want = arrays_of(path)
    return joined([("value", near(value, want["value"])), ("gradient", near(gradient, want["gradient"]))])


def check_ba(path: Path) -> Outcome:
    """A stored reference: all observations of a file are one, so the first stands for all."""
    root, want = path.parents[1], arrays_of(path)
    r, w, J, jw = bundle(read(root, "ba", data_file(root, "ba", f"{path.stem.removeprefix('ba_')}.txt")))
    found = {"reproj_err": r[0], "w_err": w[0], "J": J[0], "J_w": jw[0]}
    return joined([(key, near(got, want[key])) for key, got in found.items()])


def arrays_of(path: Path) -> dict[str, Any]:
    """All arrays of a file."""
    with np.load(path) as archive:
        return dict(archive)


def check_golden(which: str, path: Path) -> Outcome:
    """The numbers printed in ADBench's own tests."""
    want, root = json.loads(path.read_text(encoding="utf-8"))[which], path.parents[1]
    if which == "ba":
        r, w, J, jw = bundle(read(root, "ba", root / want["input"]))
        pairs = [(r, "reproj_err"), (w, "w_err"), (np.concatenate([J.ravel(), jw]), "J_vals")]
    elif which == "gmm":
        value, slope = gmm(read(root, "gmm", root / want["input"]))
        pairs = [(value, "objective"), (slope, "gradient")]
    elif which == "lstm":
        value, slope = lstm(root / want["input"])
        pairs = [(value, "objective"), (slope, "gradient")]
    else:
        given = read(root, "hand", root / want["input"], which == "hand_complicated")
        value, slope = hand(given, read(root, "hand_model"))
        pairs = [(value, "objective"), (slope, "jacobian")]
    return joined([(key, near(got, want[key])) for got, key in pairs])


CHECKS = {"gmm": check_gmm, "hand": check_hand, "ba": check_ba, "lstm": check_lstm}


def stored() -> list[str]:
    """The references in the folder, and the golden numbers."""
    folder, _ = find_case(f"{FOLDER}/reference")
    golden, _ = find_case(GOLDEN)
    names = sorted(path.stem for path in folder.glob("*.npz")) if folder else []
    which = json.loads(golden.read_text(encoding="utf-8")) if golden else {}
    return [*names, *(f"golden_{key}" for key, part in which.items() if isinstance(part, dict))]


def case(name: str) -> Case:
    """The case of a name: a reference or golden numbers."""
    golden = name.startswith("golden_")
    kind = name.removeprefix("golden_").split("_")[0]
    file = GOLDEN if golden else f"{FOLDER}/reference/{name}.npz"
    check = partial(check_golden, name.removeprefix("golden_")) if golden else CHECKS[kind]
    return Case(name, file, lambda path: guarded(lambda: check(path)), full=kind in ("hand", "lstm"))


def cases() -> Iterator[Case]:
    """A case for each reference and each set of golden numbers."""
    yield from (case(name) for name in stored() or ("golden_gmm",))


SUITE = Suite(FOLDER, tuple(cases()), stored)
