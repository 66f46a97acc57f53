"""The textual IR: a graph as readable, versioned, deterministic text, and back.

.. code-block:: text

    graphc 1
    graph f
    layer hidden1 : dense

    %x = input() : float32[batch, 64]
    %hidden1.W = param() {init=@he_normal, trainable=True} : float32[64, 32] in hidden1

    %hidden1.z = matmul(%x, %hidden1.W) : float32[batch, 32] in hidden1
    %_hidden1.tanh = tanh(%hidden1.z) : float32[batch, 32] in hidden1

    return %_hidden1.tanh

The arguments stand first, in their order; then random sites; then one line per node, operands first. A node is called
after its name; ``%_...`` are nodes without one, called after layer and operation, and ``#2`` tells two of one name
apart. ``as "..."`` gives the name where it is no identifier. A composite's body and gradient are nodes like any other,
indented. Operations of the user's own are declared: ``op swish(x, beta=1.0) = "x * sigmoid(beta * x)"``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from graphc.ir.graph import ARGUMENT_ROLES, Graph
from graphc.ir.literal import data_text, float_text, quoted, value_text
from graphc.ir.node import Node
from graphc.ir.op import Op
from graphc.ir.reader import VERSION, Path, Reader, implied_name
from graphc.ir.structure import form_to_text
from graphc.ir.walk import deep_toposort

_BARE_LAYER = re.compile(r"[A-Za-z0-9_]+")


def graph_text(graph: Graph) -> str:
    """The text of a graph; ``str(graph)`` is this.

    Raises:
        VerifyError: an attribute of a kind that has no text.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> print(gx.graph_of(gx.tanh(x)))
        graphc 1
        graph f
        <BLANKLINE>
        %x = input() : float32[n]
        <BLANKLINE>
        %_tanh = tanh(%x) : float32[n]
        <BLANKLINE>
        return %_tanh
        <BLANKLINE>
    """
    return _Printer(graph).text()


def parse(text: str, cards: Mapping[str, Op], *, scalar_card: Any = None, init: Any = None) -> Graph:
    """The graph that a text describes. Nothing of the text is run.

    Args:
        text: what ``graph_text`` printed, or was written by hand in the same language.
        cards: the operations, by name.
        scalar_card: ``(name, formula, operands, attrs) -> Op``, for texts that declare operations.
        init: ``(name, options, array or None) -> initialiser``, for texts with parameters.

    Raises:
        ParseError: the text is not well formed, is too large, uses an unknown operation, or a type in it does not
            follow from the operands; the message has the line.
    """
    return Reader(cards, scalar_card, init).read(text)


def node_ids(graph: Graph) -> dict[Node, str]:
    """The ``%name`` of every node of a graph, as in its text.

    Example:
        >>> import graphc as gx
        >>> list(node_ids(gx.graph_of(gx.input("x", ()) * 2)).values())
        ['%x', '%_2.0', '%_multiply']
    """
    return _Printer(graph).ids


def node_lines(graph: Graph) -> dict[Node, str]:
    """The line of every node of a graph, as in its text.

    Example:
        >>> import graphc as gx
        >>> list(node_lines(gx.graph_of(gx.tanh(gx.input("x", ())))).values())
        ['%x = input() : float32[]', '%_tanh = tanh(%x) : float32[]']
    """
    printer = _Printer(graph)
    return {node: printer.line(node) for node in printer.ids}


class _Printer:
    """One graph, on its way to text."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        roots = [*graph.roots, *(leaf for leaf, _ in graph.updates)]
        found = deep_toposort([*graph.arguments, *graph.sites, *roots])
        fixed = set(graph.arguments) | set(graph.sites)
        strays = [n for n in found if n not in fixed]
        self.arguments = [*graph.arguments, *(n for n in strays if n.op.role in ARGUMENT_ROLES)]
        self.sites = [*graph.sites, *(n for n in strays if n.op.role == "random")]
        first = set(self.arguments) | set(self.sites)
        self.nodes = [n for n in found if n not in first]
        everything = [*self.arguments, *self.sites, *self.nodes]
        self.paths = {n: self._path(n) for n in everything}
        self.ids = self._distinct_ids(everything)
        self.ops = self._op_keys(everything)

    def text(self) -> str:
        """The whole text."""
        outer = set(self.graph.nodes)
        sections = [
            [f"graphc {VERSION}", f"graph {self._bare(self.graph.name)}", *self._layer_lines()],
            [_op_line(op, key) for op, key in self.ops.items()],
            [self.line(n) for n in self.arguments],
            [self.line(n) for n in self.sites],
            [self.line(n) if n in outer else f"  {self.line(n)}" for n in self.nodes],
            self._ending(),
        ]
        return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"

    def _ending(self) -> list[str]:
        updates = [f"update {self.ids[leaf]} = {self.ids[value]}" for leaf, value in self.graph.updates]
        return [
            *updates,
            f"return {form_to_text(self.graph.form, [self.ids[x] for x in self.graph.outputs])}",
        ]

    def _layer_lines(self) -> list[str]:
        kinds: dict[Path, str] = {}
        for node, path in self.paths.items():
            for depth, scope in enumerate(node.about.scopes, 1):
                kinds.setdefault(path[:depth], scope.kind)
        return [f"layer {_path_text(p)} : {self._bare(kind)}" for p, kind in kinds.items() if kind != "scope"]

    def line(self, node: Node) -> str:
        """``%h = tanh(%z) {attrs} : type as "name" in layer``."""
        path, name = self.paths[node], node.about.name
        words = [f"{self.ids[node]} = {self._call(node)} : {node.type}"]
        if implied_name(self.ids[node], path) != name:
            words.append(f"as {quoted(str(name))}")
        if path:
            words.append(f"in {_path_text(path)}")
        return " ".join(words)

    def _call(self, node: Node) -> str:
        if node.op.role == "const":
            return f"{node.op.name}({data_text(node.attrs['value'].value)})"
        attrs = ", ".join(f"{k}={value_text(v, self.ids)}" for k, v in self._shown_attrs(node).items())
        call = f"{self.ops.get(node.op, node.op.name)}({', '.join(self.ids[x] for x in node.inputs)})"
        return f"{call} {{{attrs}}}" if attrs else call

    def _shown_attrs(self, node: Node) -> dict[str, Any]:
        """A leaf's name, dtype and shape are in the rest of its line already."""
        if node.op.kind != "leaf":
            return dict(node.attrs)
        implied = {"name": node.about.name, "dtype": node.dtype, "shape": node.shape}
        return {k: v for k, v in node.attrs.items() if k not in implied or v != implied[k]}

    def _path(self, node: Node) -> Path:
        names = self.graph.scope_names
        return tuple(names.get(s) or s.name or s.kind for s in node.about.scopes)

    def _distinct_ids(self, nodes: Sequence[Node]) -> dict[Node, str]:
        """Names, numbered from 2 where several nodes wish for one."""
        counts: dict[str, int] = {}
        ids: dict[Node, str] = {}
        for node in nodes:
            wish = self._wish(node)
            counts[wish] = count = counts.get(wish, 0) + 1
            ids[node] = f"%{wish}" if count == 1 else f"%{wish}#{count}"
        return ids

    def _wish(self, node: Node) -> str:
        prefix = "".join(f"{part}." for part in self.paths[node])
        if node.about.name is None:
            return f"_{_identifier(prefix + _kind_of(node))}"
        return _identifier(prefix + node.about.name)

    def _op_keys(self, nodes: Sequence[Node]) -> dict[Op, str]:
        """Operations of the user's own; two of one name are told apart by a number."""
        keys: dict[Op, str] = {}
        counts: dict[str, int] = {}
        for op in dict.fromkeys(n.op for n in nodes):
            if "user" in op.properties:
                counts[op.name] = count = counts.get(op.name, 0) + 1
                keys[op] = op.name if count == 1 else f"{op.name}#{count}"
        return keys

    @staticmethod
    def _bare(text: str) -> str:
        return text if _BARE_LAYER.fullmatch(text) else quoted(text)


def _path_text(path: Path) -> str:
    return ".".join(part if _BARE_LAYER.fullmatch(part) else quoted(part) for part in path)


def _identifier(text: str) -> str:
    """A text that resembles this one and may stand after ``%``."""
    name = re.sub(r"[^\w./+-]+", "_", text).lstrip("_")
    return name or "v"


def _kind_of(node: Node) -> str:
    """What to call a node without a name: a scalar after its value, a composite after itself."""
    if node.op.role == "const" and node.shape == ():
        scalar = node.attrs["value"].value
        return str(scalar) if scalar.dtype.kind != "f" else float_text(float(str(scalar)))
    name = node.attrs.get("name")
    return name if isinstance(name, str) else node.op.name


def _op_line(op: Op, key: str) -> str:
    attrs = [f"{name}={value_text(value, {})}" for name, value in op.attrs.items()]
    return f"op {key}({', '.join((*op.operands, *attrs))}) = {quoted(str(op.formula))}"
