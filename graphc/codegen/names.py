"""Identifiers for the listing, from the user's names; no user text reaches the source unchecked."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable
from functools import cached_property

from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.ir.provenance import gradient_of, lineage
from graphc.ops.template import helper_functions

RESERVED = frozenset({"np", "rng", "math", "base64", "hashlib", "make_rng", "SITES"})
"""What every generated function calls its own."""

_VARIABLES = {"lr", "params", "state", "slots", "grads", "saved", "next_state", "loss_", "check"}
_CALLED = {"check_labels", "check_sizes", "forward", "backward", "update", "prepare", "step_for"}
_TABLES = {"PARAMS", "TRAINED", "PIECES", "STATE", "INPUTS"}

MODULE_RESERVED = frozenset(_VARIABLES | _CALLED | _TABLES)
"""What the functions of a model's module call their own besides: variables, functions and tables."""


def _word(node: Node) -> str:
    """What to call a value that nobody named: by its place in a body, or by its operation."""
    return node.about.hint or node.op.noun or node.op.name


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
        self.numbers: dict[
            str, int
        ] = {}  # the last number given to a name, so that the thousandth is found at once

    def inner(self) -> Names:
        """Names for the body of a block, whose nodes may stand in other bodies too: distinct from all others."""
        names = Names(self.graph)
        names.taken, names.numbers = self.taken, self.numbers
        return names

    def reserve(self, text: str) -> str:
        """A name of its own for something that is no node."""
        name = base = identifier(text)
        while name in self.taken:
            self.numbers[base] = self.numbers.get(base, 1) + 1
            name = f"{base}_{self.numbers[base]}"
        self.taken.add(name)
        return name

    def __call__(self, node: Node) -> str:
        """The identifier of a node, the same at every call."""
        if node not in self.of:
            self.of[node] = self.reserve(self.wish(node))
        return self.of[node]

    def wish(self, node: Node) -> str:
        """The user's name; else ``d_<name>`` of what it is the gradient of; else a word for the operation."""
        if name := self.graph.name_of(node):
            prefix, _, last = name.rpartition(".")
            if last.startswith("d_"):
                return f"d_{prefix + '.' if prefix else ''}{last[2:]}"
            return name
        source = gradient_of(node)
        if source is not None:
            return f"d_{self.called(source)}"
        for leaf, value in self.graph.updates:
            if value is node:
                return f"{self.graph.name_of(leaf)}_next"
        return _word(node)

    def called(self, node: Node) -> str:
        """What a forward value is called: by its own name, or as what goes into the named value it is used by."""
        if node in self.of:
            return self.of[node]
        if name := self.graph.name_of(node):
            return name
        for user in self.users.get(node, ()):
            if name := self.graph.name_of(user):
                return f"{name}_in"
        return _word(node)

    @cached_property
    def users(self) -> dict[Node, list[Node]]:
        """Who uses each node, among the nodes and what they replaced."""
        found: dict[Node, list[Node]] = {}
        for node in self.graph.nodes:
            for version in lineage(node):
                for operand in version.inputs:
                    found.setdefault(operand, []).append(version)
        return found
