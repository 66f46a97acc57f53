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


_LOOK = re.compile(r"(_\d+d|_permuted|_flat|_column|_row)+(_\d+)?$")
"""What a reshape of a value has behind its name."""

_PARTS = 2
"""So many suffixes may stand behind a name: what was cut out or windowed, and the last look at it."""


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
        self.aside = False  # whether functions stand under their own names, which values then leave to them
        self.stems: dict[Node, str] = {}  # what values are called by that have a name beside their own
        self.numbers: dict[
            str, int
        ] = {}  # the last number given to a name, so that the thousandth is found at once

    def inner(self) -> Names:
        """Names for the body of a block, whose nodes may stand in other bodies too: distinct from all others."""
        names = Names(self.graph)
        names.taken, names.numbers, names.aside = self.taken, self.numbers, self.aside
        return names

    def reserve(self, text: str) -> str:
        """A name of its own for something that is no node."""
        name = base = identifier(text)
        while name in self.taken:
            self.numbers[base] = self.numbers.get(base, 1) + 1
            name = f"{base}_{self.numbers[base]}"
        self.taken.add(name)
        return name

    def function(self, path: str) -> str:
        """The name of a function of NumPy: its own, unless a value of the user's is called so."""
        name = identifier(path.replace(".", "_"))
        taken = name in self.taken or name in self.given
        return self.reserve(f"np_{name}" if taken else name)

    @cached_property
    def given(self) -> set[str]:
        """The identifiers of the names that users gave."""
        nodes = [*self.graph.nodes, *self.graph.arguments]
        return {identifier(name) for name in map(self.graph.name_of, nodes) if name}

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
        return self.view(node) or self.word(node)

    def word(self, node: Node) -> str:
        """What to call a value that nobody named: by its place in a body, or by its operation.

        The name of a function is left to a function that stands under it: ``tanh_of_z``.
        """
        word = node.about.hint or node.op.noun or node.op.name
        if not self.aside or not isinstance(node.op.numpy, str) or f"np.{word}(" not in node.op.numpy:
            return word
        x = node.inputs[0]
        of = self.graph.name_of(x) or x.about.hint or self.stems.get(x) or self.view(x)
        return f"{word}_of_{of}" if of and len(node.inputs) == 1 else f"{word}_value"

    def view(self, node: Node) -> str | None:
        """Another look at a value goes by its name: ``W_2d``, ``x_T``; None where the node is none, or has a word."""
        if node.op.suffix is None or node.about.hint:
            return None
        parts, base = [node.op.suffix(node)], node.inputs[0]
        while self._is_passed(base):
            if base.op.suffix is not None and base.op.axes in ("slice", "windows"):
                parts.append(base.op.suffix(base))
            base = base.inputs[0]
        if base.op.role in ("const", "size"):
            return None
        stem = self.stems.get(base) or self.called(base)
        source = gradient_of(base)
        if source is not None and self._is_passed(source):  # d_z_2d: the gradient of another look at z
            stem = _LOOK.sub("", stem)
        return "_".join([stem, *reversed(parts[:_PARTS])])

    def _is_passed(self, node: Node) -> bool:
        """Whether a name is not made of that of this value, but of what it is another look at."""
        if node.op.suffix is None or node.about.hint or node in self.stems or self.graph.name_of(node):
            return False
        return gradient_of(node) is None

    def called(self, node: Node) -> str:
        """What a value is called: by its own name, ``d_`` that of what it is the gradient of, or by its use."""
        prefix, seen = "", set[Node]()
        while not self._is_called(node) and node not in seen and (source := gradient_of(node)) is not None:
            seen.add(node)
            prefix, node = f"{prefix}d_", source
        return prefix + (self.word(node) if node in seen else self._by_itself(node))

    def _is_called(self, node: Node) -> bool:
        return node in self.of or bool(self.graph.name_of(node))

    def _by_itself(self, node: Node) -> str:
        """What a value is called that is no gradient: as what goes into the named value it is used by."""
        if name := self.of.get(node) or self.graph.name_of(node) or self.view(node):
            return name
        for user in self.users.get(node, ()):
            if name := self.graph.name_of(user):
                return f"{name}_in"
        return self.word(node)

    @cached_property
    def users(self) -> dict[Node, list[Node]]:
        """Who uses each node, among the nodes and what they replaced."""
        found: dict[Node, list[Node]] = {}
        for node in self.graph.nodes:
            for version in lineage(node):
                for operand in version.inputs:
                    found.setdefault(operand, []).append(version)
        return found
