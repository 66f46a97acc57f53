"""Identifiers for the listing, from the user's names; no user text reaches the source unchecked."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable

from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.ir.provenance import gradient_of
from graphc.ops.template import helper_functions

RESERVED = frozenset({"np", "rng", "lr", "params", "state", "slots", "grads", "saved", "seed", "math", "check"})


def identifier(text: str) -> str:
    """A Python identifier that resembles ``text``: ``hidden1.W`` becomes ``hidden1_W``.

    Example:
        >>> identifier("adam.m/A2"), identifier("3x"), identifier("lambda")
        ('adam_m_A2', 'v3x', 'lambda_')
    """
    name = re.sub(r"[^A-Za-z0-9_]", "_", text).strip("_") or "v"
    if name[0].isdigit():
        name = f"v{name}"
    return f"{name}_" if keyword.iskeyword(name) else name


class Names:
    """Distinct identifiers for the nodes of a program."""

    def __init__(self, graph: Graph, reserved: Iterable[str] = ()) -> None:
        self.graph = graph
        self.taken = {*RESERVED, *reserved, *helper_functions(), *dir(builtins)}
        self.of: dict[Node, str] = {}

    def reserve(self, text: str) -> str:
        """A name of its own for something that is no node."""
        name = base = identifier(text)
        number = 2
        while name in self.taken:
            name = f"{base}_{number}"
            number += 1
        self.taken.add(name)
        return name

    def __call__(self, node: Node) -> str:
        if node not in self.of:
            self.of[node] = self.reserve(self._wish(node))
        return self.of[node]

    def _wish(self, node: Node) -> str:
        """The user's name, or ``d_<name>`` of what it is the gradient of, or the operation's."""
        if name := self.graph.name_of(node):
            prefix, _, last = name.rpartition(".")
            if last.startswith("d_"):
                return f"d_{prefix + '.' if prefix else ''}{last[2:]}"
            return name
        source = gradient_of(node)
        if source is not None and source in self.of:
            return f"d_{self.of[source]}"
        return node.op.name
