"""Graphs: outputs, state transitions and a fixed order of arguments over interned nodes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from graphc.errors import ArgumentError, DuplicateNameError, UnknownNameError
from graphc.ir.node import Node, ends_line, toposort
from graphc.ir.origin import Origin, Scope, full_name
from graphc.ir.structure import Structure, flatten, unflatten
from graphc.ir.walk import deep_toposort

ARGUMENT_ROLES = ("input", "state", "param", "hyper")
"""The order of a program's arguments; within a role they stand in order of declaration."""

_TARGET = re.compile(r"\s*([A-Za-z_]\w*)\s*(?::[^=]*)?=(?!=)\s*")
_NOT_A_NODE = re.compile(
    r"(?:\w+\.)*(?:Model|compile|graph_of|grad|vjp|jvp|hvp|jacobian|hessian|check_grad|draw|explain|to_\w+)\("
)
"""``m = gx.Model(z, nn.mse(z, y))`` calls no node m."""


@dataclass(frozen=True, eq=False)
class Graph:
    """A program before it is code.

    Attributes:
        outputs: the output nodes, flattened.
        form: how the outputs were given (one node, list, tuple, dict).
        updates: pairs of a leaf and the node that becomes its next value.
        arguments: inputs, states, params, hypers, each in order of declaration; fixed when the graph is declared,
            so a pass that makes one needless does not change the signature.
        sites: random sites of the declared graph; ``rng`` is an argument where there is one.
        scope_names: the numbers of unnamed layers.
        name: an identifier, the name of the function.
    """

    outputs: tuple[Node, ...]
    form: Structure = "*"
    updates: tuple[tuple[Node, Node], ...] = ()
    arguments: tuple[Node, ...] = ()
    sites: tuple[Node, ...] = ()
    scope_names: Mapping[Scope, str] = field(default_factory=dict)
    name: str = "f"

    @cached_property
    def roots(self) -> tuple[Node, ...]:
        """Everything that must be computed: outputs, then next values."""
        return (*self.outputs, *(node for _, node in self.updates))

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, operands first."""
        return tuple(toposort(self.roots))

    def uses(self) -> dict[Node, int]:
        """How often each node is used (being an output is a use)."""
        count = dict.fromkeys(self.nodes, 0)
        for node in self.nodes:
            for operand in node.inputs:
                count[operand] += 1
        for root in self.roots:
            count[root] += 1
        return count

    def over(self, mapping: Mapping[Node, Node]) -> Graph:
        """The same graph with its roots replaced; arguments, sites and names stay."""
        return replace(
            self,
            outputs=tuple(mapping.get(x, x) for x in self.outputs),
            updates=tuple((leaf, mapping.get(x, x)) for leaf, x in self.updates),
        )

    def __str__(self) -> str:
        from graphc.ir.text import graph_text

        return graph_text(self)

    __repr__ = __str__

    def unflatten(self, values: Sequence[Any]) -> Any:
        """Values of the outputs, in the structure in which the outputs were given."""
        return unflatten(self.form, values)

    def leaf(self, name: str) -> Node:
        """The argument of this name.

        Raises:
            UnknownNameError: there is none; the message lists near names.
        """
        for node in self.arguments:
            if self.name_of(node) == name:
                return node
        raise unknown_name(name, [str(self.name_of(n)) for n in self.arguments], "argument")

    def leaves(self, role: str) -> tuple[Node, ...]:
        """The arguments of one role."""
        return tuple(node for node in self.arguments if node.op.role == role)

    def name_of(self, node: Node) -> str | None:
        """The full name of a node, or None for an unnamed one."""
        if node.about.name is None:
            return None
        return full_name(node.about.name, node.about.scopes, dict(self.scope_names))

    def layer_of(self, node: Node) -> str:
        """The full name of the innermost scope that a node was made in, or the empty text."""
        from graphc.ir.origin import scope_text

        return scope_text(node.about.scopes, dict(self.scope_names))


def graph_of(outputs: Any, updates: Mapping[Node, Node] | None = None, name: str = "f") -> Graph:
    """Form a graph: fix the order of arguments, number unnamed layers, refuse two leaves of one name.

    Raises:
        ArgumentError: outputs that are not nodes, an update of something that is not a leaf, or a name that is none.
        DuplicateNameError: two leaves of one name.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> [leaf.attrs["name"] for leaf in gx.graph_of(gx.tanh(x)).leaves("input")]
        ['x']
    """
    if not (isinstance(name, str) and name and name.isprintable()):
        raise ArgumentError("the name of a graph is printable text", given=f"{name!r:.60}")
    flat, form = flatten(outputs, lambda x: isinstance(x, Node))
    pairs = tuple((updates or {}).items())
    for leaf, value in pairs:
        _check_update(leaf, value)
    roots = [*flat, *(x for pair in pairs for x in pair)]
    nodes = deep_toposort(roots)  # a body may use a leaf, and a state may be read nowhere
    arguments = sorted(
        (n for n in nodes if n.op.role in ARGUMENT_ROLES),
        key=lambda n: (ARGUMENT_ROLES.index(n.op.role or ""), n.serial),
    )
    sites = tuple(n for n in nodes if n.op.role == "random")
    hint_names(toposort(roots))
    graph = Graph(tuple(flat), form, pairs, tuple(arguments), sites, number_scopes(nodes), name)
    _refuse_duplicates(graph)
    return graph


def number_scopes(nodes: Sequence[Node]) -> dict[Scope, str]:
    """Names for unnamed layers: ``dense1``, ``dense2``, in order of declaration, avoiding given names."""
    scopes = dict.fromkeys(s for n in sorted(nodes, key=lambda n: n.serial) for s in n.about.scopes)
    taken = {s.name for s in scopes if s.name}
    names: dict[Scope, str] = {}
    for scope in scopes:
        if scope.name is None:
            number = 1
            while f"{scope.kind}{number}" in taken:
                number += 1
            names[scope] = f"{scope.kind}{number}"
            taken.add(names[scope])
    return names


def hint_names(nodes: Sequence[Node]) -> None:
    """Name the result of ``h = gx.tanh(...)`` ``h``, where the user gave no name of their own."""
    for node in nodes:
        about = node.about
        if about.name is not None or about.hint is not None or about.events or node.op.kind == "leaf":
            continue  # a layer says what its inner values are called; what an engine made has events
        targets = (_target(place) for place in reversed(about.origins) if ends_line(node.op, place))
        about.name = next(filter(None, targets), None)


def _target(place: Origin) -> str | None:
    """The variable that a line of the user's gives its value to, if that value is a node."""
    match = _TARGET.match(place.code)
    if match is None or ";" in place.code or _NOT_A_NODE.match(place.code, match.end()):
        return None
    return match.group(1)


def unknown_name(name: str, known: Sequence[str], kind: str) -> UnknownNameError:
    """An error that lists the names there are, and the nearest."""
    import difflib

    folded = {k.lower(): k for k in known}
    near = difflib.get_close_matches(name.lower(), folded, n=1)
    more = f", ... ({len(known)} in all)" if len(known) > 8 else ""
    return UnknownNameError(
        f"there is no {kind} named {name!r}",
        expected=(", ".join(known[:8]) or "none at all") + more,
        fix=f"did you mean {folded[near[0]]!r}?" if near else None,
    )


def _check_update(leaf: Any, value: Any) -> None:
    if not isinstance(leaf, Node) or leaf.op.role not in ARGUMENT_ROLES:
        raise ArgumentError("only a leaf (param, state) can be updated", given=str(leaf)[:80])
    if not isinstance(value, Node) or value.type != leaf.type:
        raise ArgumentError(
            f"the next value of {leaf.about.name} must have its type",
            given=str(getattr(value, "type", type(value).__name__)),
            expected=str(leaf.type),
        )


def _refuse_duplicates(graph: Graph) -> None:
    seen: dict[str, Node] = {}
    for node in (*graph.arguments, *graph.sites):
        name = str(graph.name_of(node))
        if name in seen and seen[name] is not node:
            places = [str(n.about.origin) for n in (seen[name], node) if n.about.origin]
            raise DuplicateNameError(
                f"two leaves of one graph are named {name!r}",
                where=" and ".join(places) or None,
                fix="give one of them another name, or use the same leaf twice to share it",
            )
        seen[name] = node
