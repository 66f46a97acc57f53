"""Structures: one thing, or lists, tuples and dicts of things, flattened and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from graphc.errors import ArgumentError

Structure = Any
"""``"*"`` for one thing; ``("list", [...])``, ``("tuple", [...])`` or ``("dict", [(key, ...), ...])``."""

MAX_DEPTH = 64
"""How deep a structure may be: it is walked by recursion."""


def flatten(
    thing: Any, is_leaf: Callable[[Any], bool], path: str = "outputs", depth: int = 0
) -> tuple[list[Any], Structure]:
    """The leaves of a structure, in order, and its form.

    Raises:
        ArgumentError: something else in it, or too many levels.

    Example:
        >>> flatten({"a": 1, "b": [2, 3]}, lambda x: isinstance(x, int))
        ([1, 2, 3], ('dict', [('a', '*'), ('b', ('list', ['*', '*']))]))
    """
    if is_leaf(thing):
        return [thing], "*"
    if depth > MAX_DEPTH:
        raise ArgumentError("this structure is nested too deeply", expected=f"at most {MAX_DEPTH} levels")
    if isinstance(thing, dict):
        items = [
            (key, flatten(value, is_leaf, f"{path}[{key!r}]", depth + 1)) for key, value in thing.items()
        ]
        return [x for _, (leaves, _) in items for x in leaves], (
            "dict",
            [(k, form) for k, (_, form) in items],
        )
    if isinstance(thing, (list, tuple)):
        parts = [flatten(value, is_leaf, f"{path}[{i}]", depth + 1) for i, value in enumerate(thing)]
        kind = "list" if isinstance(thing, list) else "tuple"
        return [x for leaves, _ in parts for x in leaves], (kind, [form for _, form in parts])
    raise ArgumentError(
        f"{path} is neither a node nor a list, tuple or dict of nodes",
        given=f"{type(thing).__name__}: {thing!r:.60}",
    )


def unflatten(form: Structure, leaves: Iterable[Any]) -> Any:
    """The structure of this form over these leaves."""
    return _build(form, iter(leaves))


def _build(form: Structure, leaves: Iterator[Any]) -> Any:
    if form == "*":
        return next(leaves)
    kind, parts = form
    if kind == "dict":
        return {key: _build(part, leaves) for key, part in parts}
    built = [_build(part, leaves) for part in parts]
    return built if kind == "list" else tuple(built)


def form_to_text(form: Structure, names: Iterable[str]) -> str:
    """The structure as text over names: ``{"loss": %4, "grads": [%7, %9]}``."""
    return _text(form, iter(names))


def _text(form: Structure, names: Iterator[str]) -> str:
    if form == "*":
        return next(names)
    kind, parts = form
    if kind == "dict":
        return "{" + ", ".join(f"{_key_text(k)}: {_text(part, names)}" for k, part in parts) + "}"
    inner = ", ".join(_text(part, names) for part in parts)
    return f"[{inner}]" if kind == "list" else f"({inner}{',' if len(parts) == 1 else ''})"


def _key_text(key: Any) -> str:
    import json

    return str(key) if type(key) is int else json.dumps(str(key), ensure_ascii=not str(key).isprintable())
