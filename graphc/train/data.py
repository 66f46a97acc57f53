"""What people pass as data, turned into arrays by input name, checked once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from graphc.codegen.labels import LabelRange
from graphc.errors import ArgumentError, DataError, ShapeError
from graphc.ir.graph import Graph, unknown_name
from graphc.ir.node import Node
from graphc.ops.evaluate import describe_array
from graphc.runtime.arguments import check_arrays
from graphc.runtime.labels import refuse_labels

Arrays = dict[str, Any]


def named_arrays(x: Any, y: Any, x_names: Sequence[str], y_names: Sequence[str]) -> Arrays:
    """Arrays by input name, from ``(x, y)``, dicts, tuples, or an object with ``x`` and ``y`` (a data set).

    Raises:
        ArgumentError: too few or too many arrays.
        UnknownNameError: a name that is no input.
    """
    if y is None and hasattr(x, "x") and hasattr(x, "y"):
        x, y = x.x, x.y
    elif y is None and isinstance(x, tuple) and len(x) == 2 and y_names:
        x, y = x
    return {**_side(x, x_names, [*x_names, *y_names], "x"), **_side(y, y_names, [*x_names, *y_names], "y")}


def _side(value: Any, names: Sequence[str], known: Sequence[str], side: str) -> Arrays:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        for key in value:
            if key not in known:
                raise unknown_name(str(key), list(known), "input")
        return dict(value)
    values = list(value) if isinstance(value, (tuple, list)) and len(names) > 1 else [value]
    if len(values) != len(names):
        raise ArgumentError(
            f"{side} holds {len(values)} arrays",
            expected=f"{len(names)}: {', '.join(names)}",
            fix="or pass a dict by name",
        )
    return dict(zip(names, values, strict=True))


def checked(
    arrays: Arrays, graph: Graph, wanted: Sequence[Node], labels: Mapping[Node, LabelRange]
) -> Arrays:
    """The wanted inputs in their declared dtypes and shapes; non-empty, finite, labels in range.

    Raises:
        DataError: empty data, a non-finite value (with its place), or a label out of range.
        ArgumentError, ShapeError, DTypeError: missing inputs, wrong shapes or dtypes.
    """
    missing = [n for n in wanted if str(graph.name_of(n)) not in arrays]
    if missing:
        raise ArgumentError(
            f"the data hold no values for {', '.join(str(graph.name_of(n)) for n in missing)}",
            given=", ".join(arrays) or "nothing",
            expected=", ".join(f"{graph.name_of(n)}: {n.type}" for n in wanted),
            where=place_of(missing[0]),
            fix="pass inputs as x and targets as y, or all of them in one dict by name",
        )
    names = [str(graph.name_of(leaf)) for leaf in wanted]
    result = check_arrays([(arrays[name], leaf, name) for leaf, name in zip(wanted, names, strict=True)])
    for array, leaf, name in zip(result, wanted, names, strict=True):
        _refuse_bad_values(array, leaf, name, labels)
    return dict(zip(names, result, strict=True))


def _refuse_bad_values(array: Any, leaf: Node, name: str, labels: Mapping[Node, LabelRange]) -> None:
    if array.size == 0:
        raise DataError(
            f"{name} is empty",
            given=describe_array(array),
            expected="at least one example",
            where=place_of(leaf),
            fix="check how the data were read or filtered",
        )
    if leaf.type.is_float and not np.isfinite(array).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(np.atleast_1d(array)))[0])
        value = np.atleast_1d(array)[index]
        raise DataError(
            f"{name} holds {value}",
            given=f"the first at index [{', '.join(map(str, index))}]",
            expected="finite numbers",
            where=place_of(leaf),
            fix="drop or fill such values first",
        )
    if leaf in labels:
        refuse_labels(array, leaf, name, labels[leaf])


def place_of(leaf: Node) -> str | None:
    """Where the user declared it, if that is known."""
    return str(leaf.about.origin) if leaf.about.origin else None


def example_count(arrays: Arrays, batched: Sequence[str]) -> int:
    """The number of examples.

    Raises:
        ShapeError: no input has a named first size to cut batches along.
    """
    if not batched:
        raise ShapeError(
            "no input has a named first size to cut batches along",
            fix='declare the first size of an input by name, such as ("batch", 64)',
        )
    return int(np.shape(arrays[batched[0]])[0])


def batches(arrays: Arrays, order: Any, batch_size: int, batched: Sequence[str]) -> Iterator[Arrays]:
    """Mini-batches in this order of examples; the last may be smaller."""
    for start in range(0, len(order), batch_size):
        yield rows_of(arrays, order[start : start + batch_size], batched)


def rows_of(arrays: Arrays, rows: Any, batched: Sequence[str]) -> Arrays:
    """These rows of the inputs that are cut, and all of the others."""
    return {name: array[rows] if name in batched else array for name, array in arrays.items()}


def is_stream(x: Any, y: Any) -> bool:
    """Whether the data is an iterable of batches rather than arrays."""
    if y is not None or isinstance(x, (Mapping, np.ndarray, tuple, list)) or hasattr(x, "x"):
        return False
    return callable(x) or any(hasattr(x, name) for name in ("__iter__", "__next__", "epoch_batches"))
