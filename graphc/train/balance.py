"""Weights that make classes count alike, for a loss that declares an input for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import DataError


def class_weights(labels: Any, classes: int | None = None) -> Any:
    """A weight for each class, so that each has the same total: n / (k n_c), for n_c of n examples in class c of k.

    Args:
        labels: int[n], 0 to k - 1.
        classes: k; by default as many as occur.

    Returns:
        float64[k].

    Raises:
        DataError: labels that are none, or a class without an example.

    Example:
        >>> class_weights([0, 0, 0, 1])
        array([0.66666667, 2.        ])
    """
    found = np.asarray(labels)
    if found.dtype.kind not in "iu" or found.ndim != 1 or not found.size or found.min() < 0:
        raise DataError(
            "class weights need int labels, one per example",
            given=f"{found.dtype}[{', '.join(map(str, found.shape))}]",
            expected="int[n], from 0",
        )
    counts = np.bincount(found, minlength=classes or 0)
    if classes is not None and len(counts) > classes:
        raise DataError("a label out of range", given=str(found.max()), expected=f"0 to {classes - 1}")
    if not counts.all():
        empty = int(np.argmin(counts > 0))
        raise DataError(f"class {empty} has no example", fix="leave it out, or gather examples of it")
    return len(found) / (len(counts) * counts)


def example_weights(labels: Any, weights: Any = None, dtype: str = "float32") -> Any:
    """A weight for each example, that of its class; by default those of ``class_weights``. Their mean is then 1.

    Args:
        labels: int[n].
        weights: float[k], a weight for each class.
        dtype: of the result.

    Returns:
        An array [n], as the input that a weighted loss declares.

    Raises:
        DataError: labels that do not fit.

    Example:
        >>> example_weights([0, 0, 0, 1], [1.0, 3.0])
        array([1., 1., 1., 3.], dtype=float32)
    """
    by_class = class_weights(labels) if weights is None else np.asarray(weights, dtype=np.float64)
    found = np.asarray(labels)
    if (
        by_class.ndim != 1
        or found.dtype.kind not in "iu"
        or (found.size and not 0 <= found.min() <= found.max() < len(by_class))
    ):
        raise DataError(
            "labels and weights do not fit",
            given=f"{len(np.atleast_1d(by_class))} weights",
            expected="one for each class",
        )
    return by_class[found].astype(dtype)
