"""Examples held out of training, drawn from a seed of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DataError
from graphc.ops.init import name_seed
from graphc.train.data import Arrays, example_count


def split(
    arrays: Arrays, batched: list[str], share: float, seed: int, labels: str | None
) -> tuple[Arrays, Arrays]:
    """Training data and validation data; the examples of each keep their order.

    Args:
        arrays: by input name.
        batched: those that are cut along their first axis.
        share: of examples that are held out, more than 0 and less than 1.
        seed: which ones.
        labels: an input of int labels; each class gives its share, to within one example.

    Raises:
        ArgumentError: a share that is none.
        DataError: a part would be empty.
    """
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share < 1:
        raise ArgumentError("validation_split is a share between 0 and 1", given=repr(share))
    rows = example_count(arrays, batched)
    count = round(rows * share)
    if not 0 < count < rows:
        raise DataError(
            f"a share of {share:g} of {rows} examples leaves "
            f"{'nothing to validate on' if not count else 'nothing to train on'}",
            fix="another share, or validation_data",
        )
    chosen = _chosen(rows, count, seed, None if labels is None else arrays[labels])
    return _rows(arrays, batched, ~chosen), _rows(arrays, batched, chosen)


def _chosen(rows: int, count: int, seed: int, labels: Any) -> Any:
    """Which examples are held out; stratified: evenly spaced once they are sorted by class."""
    order = np.random.Generator(np.random.PCG64([seed, name_seed("split")])).permutation(rows)
    places = np.arange(count)
    if labels is not None:
        order = order[np.argsort(labels[order], kind="stable")]
        places = (2 * places + 1) * rows // (2 * count)
    chosen = np.zeros(rows, bool)
    chosen[order[places]] = True
    return chosen


def _rows(arrays: Arrays, batched: list[str], chosen: Any) -> Arrays:
    return {name: array[chosen] if name in batched else array for name, array in arrays.items()}
