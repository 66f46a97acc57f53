"""The data that ``--data`` names, in the form that a model takes."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import Any

import numpy as np

from graphc import datasets
from graphc.cli.parser import DATA_NAMES
from graphc.datasets import Dataset
from graphc.errors import UsageError
from graphc.ir.node import Node
from graphc.train.model import Model


def read_data(name: str, target: str | None, model: Model) -> Dataset:
    """A data set by name or from a file, its target as the model declares it.

    Raises:
        UsageError: an unknown name, ``--target`` for a built-in set, or a model that does not take one x and one y.
        DataError, FileFormatError: a file that cannot be used.
    """
    _one_each(model)
    if name in DATA_NAMES:
        if target is not None:
            raise UsageError(f"--target is for files; {name} has one target", fix="leave --target out")
        found: Dataset = getattr(datasets, name)()
    elif name.lower().endswith((".npz", ".csv")):
        found = datasets.load(name, target=target)
    else:
        near = difflib.get_close_matches(name, DATA_NAMES, n=1)
        fix = f"did you mean {near[0]}?" if near else f"use {', '.join(DATA_NAMES)}, FILE.npz or FILE.csv"
        raise UsageError(f"there is no data set {name!r}", fix=fix)
    return replace(found, y=_fitting(found.y, model.graph.leaf(model.y_names[0])))


def _one_each(model: Model) -> None:
    if len(model.x_names) != 1 or len(model.y_names) != 1:
        raise UsageError(
            f"data from the command line are one x and one y, but {model.name} reads "
            f"{', '.join(model.x_names) or 'nothing'} and its loss {', '.join(model.y_names) or 'nothing more'}",
            fix="train it in Python with model.fit",
        )


def _fitting(y: Any, leaf: Node) -> Any:
    """Whole numbers for a float input, and one number per row for an input of shape (batch, 1)."""
    if leaf.type.is_float and y.dtype.kind in "iu":
        y = y.astype(leaf.dtype)
    if leaf.ndim == 2 and leaf.shape[1] == 1 and np.ndim(y) == 1:
        y = y[:, None]
    return y
