"""Checks at the door of a program: names, dtypes, shapes and sizes, once per call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.ir.graph import Graph, unknown_name
from graphc.ir.node import Node
from graphc.ir.size import evaluate
from graphc.ir.types import shape_text
from graphc.ops.evaluate import describe_array

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
    sizes: dict[str, tuple[int, str]] = {}
    return [check_array(given.get(n, defaults.get(n)), n, str(graph.name_of(n)), sizes) for n in leaves]


def _keyword(graph: Graph, key: str) -> Node:
    from graphc.codegen.names import identifier

    for leaf in graph.arguments:
        if key in (graph.name_of(leaf), identifier(str(graph.name_of(leaf)))):
            return leaf
    raise unknown_name(key, [str(graph.name_of(n)) for n in graph.arguments], "argument")


def _names(graph: Graph, leaves: Sequence[Node]) -> str:
    return ", ".join(f"{graph.name_of(n)}: {n.type}" for n in leaves)


def check_array(value: Any, leaf: Node, name: str, sizes: dict[str, tuple[int, str]]) -> Any:
    """One argument as an array of the declared dtype; named sizes must agree across the call.

    ``sizes`` maps each name to its value and to the argument that set it.
    """
    array = cast_array(value, leaf.dtype, name, leaf)
    expected = shape_text(leaf.shape)
    if array.ndim != leaf.ndim:
        raise ShapeError(
            f"{name} has {_axes(array.ndim)}, but {_axes(leaf.ndim)} {'was' if leaf.ndim == 1 else 'were'} declared",
            given=describe_array(np.asarray(value)),
            expected=expected,
            where=_where(leaf),
            fix=_missing_axis(array, leaf, name),
        )
    for dim, n in zip(leaf.shape, array.shape, strict=True):
        if str(dim).isidentifier() and str(dim) not in sizes:
            sizes[str(dim)] = (n, name)
    for axis, (dim, n) in enumerate(zip(leaf.shape, array.shape, strict=True)):
        wanted = _expected_size(dim, sizes)
        if wanted is not None and wanted != n:
            raise ShapeError(
                f"axis {axis} of {name} has size {n}, but {_why(dim, wanted, sizes)}",
                given=describe_array(np.asarray(value)),
                expected=expected,
                where=_where(leaf),
                fix=_other_size(dim, name, sizes),
            )
    return array


def _axes(count: int) -> str:
    return "1 axis" if count == 1 else f"{count} axes"


def _missing_axis(array: Any, leaf: Node, name: str) -> str | None:
    """A column that came as a row of numbers, or one example without the axis of examples."""
    if array.ndim != leaf.ndim - 1:
        return None
    if leaf.shape[-1] == 1:
        return f"pass {name}[..., None]"
    return f"for a single example, pass {name}[None]" if not isinstance(leaf.shape[0], int) else None


def _other_size(dim: Any, name: str, sizes: Mapping[str, tuple[int, str]]) -> str | None:
    if isinstance(dim, int):
        return f"pass {name} in the declared shape, or declare it in this one"
    if str(dim) in sizes and sizes[str(dim)][1] != name:
        return f"a name is one number per call: {sizes[str(dim)][1]} and {name} must agree on {dim}"
    return None


def _expected_size(dim: Any, sizes: Mapping[str, tuple[int, str]]) -> int | None:
    try:
        return evaluate(dim, {k: v for k, (v, _) in sizes.items()})
    except KeyError:
        return None


def _why(dim: Any, wanted: int, sizes: Mapping[str, tuple[int, str]]) -> str:
    if isinstance(dim, int):
        return f"{wanted} was declared"
    if str(dim) in sizes:
        return f"{dim} is {wanted} in {sizes[str(dim)][1]}"
    return f"{dim} is {wanted}"


def cast_array(value: Any, dtype: str, name: str, leaf: Node | None = None) -> Any:
    """An array of a dtype: float to float, int to int and bool to bool are cast, other kinds are refused."""
    array = np.asarray(value)
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
            fix=f"convert it first, for example np.asarray({name}, dtype=np.{dtype})",
        )
    converted = array.astype(dtype)
    if wanted == "int" and array.size and not np.array_equal(converted, array):
        raise DTypeError(
            f"{name} does not fit {dtype}", given=describe_array(array), expected=f"values of {dtype}"
        )
    return converted if converted.ndim else converted[()]


def _where(leaf: Node | None) -> str | None:
    return str(leaf.about.origin) if leaf is not None and leaf.about.origin else None
