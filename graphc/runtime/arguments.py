"""Checks at the door of a program: names, dtypes, shapes and sizes, once per call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.ir.graph import Graph, unknown_name
from graphc.ir.node import Node
from graphc.ir.size import Size, evaluate, names_of
from graphc.ir.types import shape_text
from graphc.ops.evaluate import describe_array, size_values

Sizes = dict[str, tuple[int, str]]
"""Each size by its text: its value, and the argument that set it."""

_KINDS = {"b": "bool", "i": "int", "u": "int", "f": "float"}


def bind_arguments(graph: Graph, args: Sequence[Any], kwargs: Mapping[str, Any], name: str) -> list[Any]:
    """Arrays in the graph's order, cast to the declared dtypes.

    Raises:
        ArgumentError: missing, surplus or doubled arguments.
        UnknownNameError: a name that is no argument.
        DTypeError, ShapeError: an array that does not fit its declaration.
    """
    leaves = graph.arguments
    if len(args) > len(leaves):
        raise ArgumentError(
            f"{name} takes {len(leaves)} arguments", given=str(len(args)), expected=_names(graph, leaves)
        )
    given: dict[Node, Any] = dict(zip(leaves, args, strict=False))
    for key, value in kwargs.items():
        leaf = _keyword(graph, key)
        if leaf in given:
            raise ArgumentError(f"{name} got {key} twice", fix="pass it by position or by name")
        given[leaf] = value
    defaults = {leaf: leaf.attrs["default"] for leaf in leaves if leaf.op.role == "hyper"}
    missing = [n for n in leaves if n not in given and defaults.get(n) is None]
    if missing:
        raise ArgumentError(
            f"{name} is missing {', '.join(str(graph.name_of(n)) for n in missing)}",
            given=_names(graph, [n for n in leaves if n in given]) or "no arguments",
            expected=_names(graph, leaves),
            where=_where(missing[0]),
            fix="pass every argument, in this order or by name",
        )
    return check_arrays([(given.get(n, defaults.get(n)), n, str(graph.name_of(n))) for n in leaves])


def _keyword(graph: Graph, key: str) -> Node:
    """The argument of this name; else one whose name resembles it, as ``hidden1_W`` does ``hidden1.W``."""
    from graphc.codegen.names import identifier

    names = {str(graph.name_of(n)): n for n in graph.arguments}
    if key not in names:
        names = {identifier(name): leaf for name, leaf in names.items()}
    if key not in names:
        raise unknown_name(key, [str(graph.name_of(n)) for n in graph.arguments], "argument")
    return names[key]


def _names(graph: Graph, leaves: Sequence[Node]) -> str:
    return ", ".join(f"{graph.name_of(n)}: {n.type}" for n in leaves)


def check_arrays(given: Sequence[tuple[Any, Node, str]]) -> list[Any]:
    """Values with their leaves and names, as arrays of the declared dtypes whose sizes agree across the call."""
    arrays = [cast_array(value, leaf.dtype, name, leaf) for value, leaf, name in given]
    sizes: Sizes = {}
    # all names first: the size 2*n of the first argument may need the n of the last
    for array, (_, leaf, name) in zip(arrays, given, strict=True):
        if array.ndim == leaf.ndim:
            for dim, n in zip(leaf.shape, array.shape, strict=True):
                sizes.setdefault(str(dim), (n, name))
    for array, (value, leaf, name) in zip(arrays, given, strict=True):
        _check_shape(array, value, leaf, name, sizes)
    return arrays


def _check_shape(array: Any, value: Any, leaf: Node, name: str, sizes: Sizes) -> None:
    expected = shape_text(leaf.shape)
    if array.ndim != leaf.ndim:
        raise ShapeError(
            f"{name} has {_axes(array.ndim)}, but {_axes(leaf.ndim)} {'was' if leaf.ndim == 1 else 'were'} declared",
            given=describe_array(np.asarray(value)),
            expected=expected,
            where=_where(leaf),
            fix=_missing_axis(array, leaf, name),
        )
    for axis, (dim, n) in enumerate(zip(leaf.shape, array.shape, strict=True)):
        wanted = _expected_size(dim, sizes)
        if wanted != n:
            raise ShapeError(
                f"axis {axis} of {name} has size {n}, but {_why(dim, wanted, sizes)}",
                given=describe_array(np.asarray(value)),
                expected=expected,
                where=_where(leaf),
                fix=_other_size(dim, name, sizes),
            )


def _axes(count: int) -> str:
    return "1 axis" if count == 1 else f"{count} axes"


def _missing_axis(array: Any, leaf: Node, name: str) -> str | None:
    """A column that came as a row of numbers, or the other way round, or one example without the axis of examples."""
    if array.ndim == leaf.ndim + 1 and array.shape[-1] == 1:
        return f"pass {name}[..., 0]"
    if array.ndim != leaf.ndim - 1:
        return None
    if leaf.shape[-1] == 1:
        return f"pass {name}[..., None]"
    return f"for a single example, pass {name}[None]" if not isinstance(leaf.shape[0], int) else None


def _other_size(dim: Any, name: str, sizes: Sizes) -> str | None:
    if isinstance(dim, int):
        return f"pass {name} in the declared shape, or declare it in this one"
    if str(dim) in sizes and sizes[str(dim)][1] != name:
        return f"a name is one number per call: {sizes[str(dim)][1]} and {name} must agree on {dim}"
    return None


def _conversion(array: Any, dtype: str, name: str, leaf: Node | None) -> str:
    """Rows of 0 and 1 where labels are expected are one-hot; anything else is cast."""
    if (
        leaf is not None
        and array.ndim == leaf.ndim + 1
        and np.dtype(dtype).kind == "i"
        and array.dtype.kind == "f"
    ):
        return f"pass labels; of one-hot rows, {name}.argmax(axis=-1)"
    return f"convert it first, for example np.asarray({name}, dtype=np.{dtype})"


def _expected_size(dim: Any, sizes: Sizes) -> int:
    try:
        return evaluate(dim, {k: v for k, (v, _) in sizes.items()})
    except KeyError:  # a size such as 2*n where no argument shows n: the arguments still agree on it
        return sizes[str(dim)][0]


def _why(dim: Any, wanted: int, sizes: Sizes) -> str:
    if isinstance(dim, int):
        return f"{wanted} was declared"
    setter = sizes[str(dim)]
    return f"{dim} is {wanted} in {setter[1]}" if setter[0] == wanted else f"{dim} is {wanted}"


def cast_array(value: Any, dtype: str, name: str, leaf: Node | None = None) -> Any:
    """An array of a dtype: float to float, int to int and bool to bool are cast, other kinds are refused."""
    array = _as_array(value, name, leaf)
    if array.dtype.name == dtype:
        return array if array.ndim else array[()]
    given, wanted = _KINDS.get(array.dtype.kind), _KINDS[np.dtype(dtype).kind]
    scalar = array.ndim == 0 and given == "int" and wanted == "float"  # a Python int for a float scalar
    if given != wanted and not scalar:
        raise DTypeError(
            f"{name} must be {dtype}",
            given=describe_array(array),
            expected=f"{wanted} values",
            where=_where(leaf),
            fix=_conversion(array, dtype, name, leaf),
        )
    converted = array.astype(dtype)
    if wanted == "int" and array.size and not np.array_equal(converted, array):
        raise DTypeError(
            f"{name} does not fit {dtype}", given=describe_array(array), expected=f"values of {dtype}"
        )
    return converted if converted.ndim else converted[()]


def _as_array(value: Any, name: str, leaf: Node | None) -> Any:
    try:
        return np.asarray(value)
    except ValueError as error:  # lists of unequal lengths
        raise ShapeError(
            f"{name} is no array",
            given=f"{value!r:.60}",
            expected=None if leaf is None else str(leaf.type),
            where=_where(leaf),
            fix="give every row the same length",
        ) from error


def _where(leaf: Node | None) -> str | None:
    return str(leaf.about.origin) if leaf is not None and leaf.about.origin else None


def derived_sizes(graph: Graph) -> dict[Size, Node]:
    """Sizes that are computed from others, such as ``n - 4``, each with a node that has it."""
    return {
        dim: node
        for node in graph.nodes
        for dim in node.shape
        if isinstance(dim, Size) and not dim.text.isidentifier()
    }


def check_derived(graph: Graph, derived: Mapping[Size, Node], arrays: Sequence[Any]) -> None:
    """Raises ShapeError where a computed size would be negative for these arguments."""
    values = size_values([n.type for n in graph.arguments], arrays)
    for dim, node in derived.items():
        if set(names_of(dim)) <= set(values) and evaluate(dim, values) < 0:
            shown = ", ".join(f"{n} = {values[n]}" for n in dict.fromkeys(names_of(dim)))
            raise ShapeError(
                f"the size {dim} would be {evaluate(dim, values)}",
                given=shown,
                expected="at least 0",
                where=_where(node),
                fix="a slice needs at least as many entries as it leaves out",
            )
