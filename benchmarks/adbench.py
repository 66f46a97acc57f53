"""ADBench: what a gradient or Jacobian costs, in evaluations of its objective.

    OMP_NUM_THREADS=1 python -m benchmarks.adbench            # every given input
    OMP_NUM_THREADS=1 python -m benchmarks.adbench gmm 1k     # those whose names hold all of these words

The inputs are those of ``adbench`` in the folder of cases (``GRAPHC_CASES``, or ``../shared/cases``). Objective and
gradient are two programs, compiled beforehand and called in turn; the table has the median time of each and their
ratio. The second program returns value and derivatives. Source: Šrajer, Kukelova, Fitzgibbon, "A benchmark of selected
algorithmic differentiation tools on some problems in computer vision and machine learning", 2018.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import graphc as gx
from benchmarks.timing import interleaved, table
from tests.external import adbench
from tests.external.hand import hand_residuals
from tests.support import find_case


class Problem(NamedTuple):
    """Two programs over the same arrays: the objective, and the objective with its derivatives."""

    objective: Callable[..., Any]
    derivatives: Callable[..., Any]
    arrays: Mapping[str, Any]


def _problem(outputs: Any, derivatives: Any, arrays: Mapping[str, Any]) -> Problem:
    programs = [
        gx.compile(nodes, name=name) for nodes, name in ((outputs, "objective"), (derivatives, "derivatives"))
    ]
    return Problem(*programs, arrays)


def gmm(root: Path, path: Path) -> Problem:
    """The log-likelihood of a mixture of Gaussians, and its gradient by all parameters."""
    data = adbench.read(root, "gmm", path, "2.5M" in path.parts)
    arrays = {name: data[name] for name in ("alphas", "means", "icf", "x")}
    nodes = adbench.inputs(arrays)
    y = adbench.gmm_objective(**nodes, gamma=data["gamma"], m=data["m"])
    return _problem(y, [y, *gx.grad(y, [nodes[name] for name in ("alphas", "means", "icf")])], arrays)


def ba(root: Path, path: Path) -> Problem:
    """The errors of bundle adjustment, and the blocks of their Jacobian: 15 numbers for each residual."""
    data = adbench.read(root, "ba", path)
    arrays = {
        "cam": data["cams"][data["obs"][:, 0]],
        "X": data["X"][data["obs"][:, 1]],
        "w": data["w"],
        "feats": data["feats"],
    }
    n = adbench.inputs(arrays)
    r = gx.expand_dims(n["w"], 1) * (adbench.projected(n["cam"], n["X"]) - n["feats"])
    weights = 1 - n["w"] * n["w"]
    blocks = [gx.grad(gx.sum(r[:, k]), [n["cam"], n["X"], n["w"]]) for k in range(2)]
    return _problem([r, weights], [r, weights, *blocks, gx.grad(gx.sum(weights), n["w"])], arrays)


def hand(root: Path, path: Path) -> Problem:
    """The residuals of a hand model, and their Jacobian by 26 angles and, where points slide, by their two places."""
    data = adbench.read(root, "hand", path, "complicated" in path.parts[-2] + path.stem)
    arrays = {name: data[name] for name in ("theta", "us") if data[name] is not None}
    nodes = adbench.inputs(arrays)
    r = hand_residuals(nodes["theta"], nodes.get("us"), data, adbench.read(root, "hand_model"))
    own = [gx.grad(gx.sum(r[:, k]), nodes["us"]) for k in range(3)] if "us" in nodes else []
    return _problem(r, [r, gx.jacobian(gx.reshape(r, -1), nodes["theta"]), *own], arrays)


PROBLEMS: Mapping[str, Callable[[Path, Path], Problem]] = {"gmm": gmm, "ba": ba, "hand": hand}
"""Kind of input to its problem, by the name of its folder; a folder that is not here (lstm) is left out."""


MOST_OBSERVATIONS = 1_300_000
"""Larger files of bundle adjustment are left out: they repeat one observation, so only the memory grows (to 30 GB)."""


def _fits(path: Path) -> bool:
    return (
        path.parent.name != "ba" or path.stem == "test" or int(path.stem.split("_p")[1]) <= MOST_OBSERVATIONS
    )


def inputs(words: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """The inputs whose names hold all words, by kind and number."""
    folder, reason = find_case("adbench/data")
    if folder is None:
        raise SystemExit(f"there are no inputs: {reason}")
    for kind in PROBLEMS:
        paths = (p for p in (folder / kind).rglob("*.txt") if "model" not in p.parts)
        for path in sorted(paths, key=lambda p: (p.parent, [int(n) for n in re.findall(r"\d+", p.stem)])):
            name = str(path.relative_to(folder).with_suffix(""))
            if _fits(path) and all(word in name for word in words):
                yield name, path


def measured(name: str, path: Path, seconds: float = 2.0) -> list[str]:
    """One line of the table."""
    kind, root = name.split("/")[0], path.parents[path.parts[::-1].index("data")]
    problem = PROBLEMS[kind](root, path)
    calls = [lambda f=f: f(**problem.arrays) for f in (problem.objective, problem.derivatives)]
    with np.errstate(all="ignore"):
        objective, derivatives = interleaved(calls, seconds)
    return [name, f"{objective * 1e3:.3f}", f"{derivatives * 1e3:.3f}", f"{derivatives / objective:.2f}"]


def main(words: Sequence[str]) -> None:
    """Measure and print, a line as soon as it is known, then the table."""
    rows = []
    for name, path in inputs(words):
        rows.append(measured(name, path))
        print(*rows[-1], file=sys.stderr, flush=True)
    print(table(("input", "objective ms", "with derivatives ms", "ratio"), rows))


if __name__ == "__main__":
    main(sys.argv[1:])
