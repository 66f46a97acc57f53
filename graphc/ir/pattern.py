"""Patterns: the language of graphs with holes, in which rewrite rules are written.

``log(1 + x)`` over a ``Var`` is a pattern, made by the same cards and operators that make nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphc.ir.operators import Operators

if TYPE_CHECKING:
    from graphc.ir.op import Op


class Pattern(Operators):
    """The root of all patterns."""

    __slots__ = ()


@dataclass(frozen=True, eq=False)
class Var(Pattern):
    """A hole that matches any node (every use of it the same node).

    ``accepts`` narrows it: a predicate on the node, such as "is a constant".
    """

    name: str
    accepts: Callable[[Any], bool] | None = None

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False)
class AttrVar:
    """A hole in the place of an attribute; every use of it is the same value."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False)
class Apply(Pattern):
    """An operation applied to patterns."""

    op: Op
    inputs: tuple[Any, ...]
    attrs: Mapping[str, Any]

    def __str__(self) -> str:
        args = [str(x) for x in self.inputs] + [f"{k}={v}" for k, v in self.attrs.items()]
        if self.op.infix and len(self.inputs) == 2:
            return f"({self.inputs[0]} {self.op.infix} {self.inputs[1]})"
        if self.op.prefix:
            inner = self.inputs[0]
            nested = isinstance(inner, Apply) and inner.op.prefix
            return f"{self.op.prefix}({inner})" if nested else f"{self.op.prefix}{inner}"
        return f"{self.op.name}({', '.join(args)})"
