"""From planned nodes to statements: what gets a line of its own, and what stands inside the line that uses it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from graphc.codegen.blocks import block_statement
from graphc.codegen.names import Names
from graphc.ir.events import Accumulate
from graphc.ir.graph import Graph
from graphc.ir.node import Node, result_groups
from graphc.ir.provenance import chain_rule_of, find, gradient_of
from graphc.ir.types import shape_text
from graphc.ops.template import PRECEDENCE, Text, literal, render

MAX_INLINE = 46
"""The longest expression that may stand inside another."""

MAX_WIDTH = 100


@dataclass(frozen=True)
class Statement:
    """One line of a listing: ``name = expression  # comment``, in the section of a layer; or a block of lines.

    ``inner`` are the statements of the bodies in a block, as they were before the block renamed their variables; one
    without a name is a result that the block's own line computes.
    """

    node: Node
    name: str
    expression: str
    comment: str
    layer: str
    block: tuple[str, ...] = ()
    results: tuple[Node, ...] = ()
    inner: tuple[Statement, ...] = ()

    @property
    def nodes(self) -> tuple[Node, ...]:
        """What the statement computes: one node, or all results of a block."""
        return self.results or (self.node,)

    def lines(self, indent: str = "    ") -> list[str]:
        """The text, with as much of the comment behind it as fits."""
        if self.block:
            return [f"{indent}{line}" for line in self.block]
        code = f"{indent}{self.name} = {self.expression}"
        shape, _, step = self.comment.partition("  ")
        rule = step.rpartition(": ")[2]
        for comment in (self.comment, f"{shape}  {rule}" if rule else shape, rule or shape, shape):
            if comment and len(code) + len(comment) + 4 <= MAX_WIDTH:
                return [f"{code}  # {comment}"]
        return [code]


class Writer:
    """Writes the statements of one function.

    Args:
        graph: for names and layers.
        names: shared by all functions of a module.
        known: nodes that are there already (arguments, saved values) and their texts.
        keep: nodes that need a name because something else reads them.
        constants: receives the arrays that stand above the functions.
        roots: what is read besides by the lines around.
        composites: whether a card without code is written as a call of its name, for people.
    """

    def __init__(
        self,
        graph: Graph,
        names: Names,
        known: Mapping[Node, str],
        keep: Iterable[Node],
        constants: dict[Node, str],
        composites: bool = False,
        roots: Sequence[Node] = (),
    ) -> None:
        self.graph, self.names, self.constants = graph, names, constants
        self.texts: dict[Node, Text] = {node: Text(text) for node, text in known.items()}
        self.keep = set(keep)
        self.composites = composites
        self.helpers: list[str] = []
        self.roots = roots

    def inner(self, known: Mapping[Node, str], roots: Sequence[Node]) -> Writer:
        """A writer for the body of a block: with names and helpers of this one, and nodes of its own."""
        writer = Writer(self.graph, self.names.inner(), known, (), self.constants, self.composites, roots)
        writer.helpers = self.helpers
        return writer

    def write(self, nodes: Sequence[Node]) -> list[Statement]:
        """The statements that compute these nodes, operands first."""
        uses = self._uses(nodes)
        groups = result_groups(nodes)
        statements = []
        for node in nodes:
            if node in self.texts:
                continue
            if node in groups:
                statements.append(self._block(groups[node]))
                continue
            text = self._render(node)
            if self._stands_inside(node, text, uses):
                self.texts[node] = text
                continue
            name = self.names(node)
            statements.append(Statement(node, name, str(text), self._comment(node), self.layer(node)))
            self.texts[node] = Text(name)
        return statements

    def block_operands(self, node: Node) -> list[Text]:
        """The texts of what a block reads; a number has its dtype."""
        texts = [self.text(x) for x in node.inputs]
        weak = [is_weak(x) for x in node.inputs]
        return [
            Text(f"np.{x.dtype}({text})") if w else text
            for x, text, w in zip(node.inputs, texts, weak, strict=True)
        ]

    def _block(self, group: Sequence[Node]) -> Statement:
        operands = self.block_operands(group[0])
        statement = block_statement(self, group, operands)
        self.texts.update({node: Text(self.names(node)) for node in group})
        return statement

    def text(self, node: Node) -> Text:
        """What a value is called, or the literal that it is."""
        if node not in self.texts:
            self.texts[node] = self._leaf(node)
        return self.texts[node]

    def layer(self, node: Node) -> str:
        """The layer of a node; a gradient belongs to the layer of what it is the gradient of."""
        return self.graph.layer_of(node)

    def _uses(self, nodes: Sequence[Node]) -> dict[Node, int]:
        count = dict.fromkeys(nodes, 0)
        for node in nodes:
            for operand in node.inputs:
                # a block reads its operands again and again, so they are not computed inside it
                count[operand] = count.get(operand, 0) + (2 if node.op.block else 1)
        for root in self.roots:
            count[root] = count.get(root, 0) + 1
        return count

    def _stands_inside(self, node: Node, text: Text, uses: Mapping[Node, int]) -> bool:
        if node in self.keep or node.op.role == "random":
            return False
        if (
            "view" in node.op.properties
            and len(text) <= 40
            and str(text).endswith(".T")
            and node.inputs[0].op.kind == "leaf"
        ):
            return True
        named = self.graph.name_of(node) is not None
        return uses[node] == 1 and not named and len(text) <= MAX_INLINE

    def _render(self, node: Node) -> Text:
        self.helpers.extend(node.op.helpers)
        operands = [self.text(x) for x in node.inputs]
        for i in _strengthened(node):
            operands[i] = Text(f"np.{node.inputs[i].dtype}({operands[i]})")
        if self.composites and not node.op.emitted:
            return Text(f"{node.op.name}({', '.join(operands)})")
        text = render(node, operands)
        return Text(self._with_site(node, text)) if node.op.role == "random" else text

    def _with_site(self, node: Node, text: str) -> str:
        """The text of a random site, with its name."""
        return text.replace("{name}", json.dumps(self.graph.name_of(node), ensure_ascii=False))

    def _leaf(self, node: Node) -> Text:
        if node.op.role == "size":
            dim = re.sub(r"(?<!\*)\*(?!\*)", " * ", str(node.attrs["dim"]))
            return Text(dim) if dim.isidentifier() else Text(dim, PRECEDENCE["+"])
        if node.op.role == "const" and node.shape == ():
            return literal(node.attrs["value"].value[()], node.dtype)
        if node.op.role == "const":
            if node not in self.constants:
                self.constants[node] = self.names.reserve((node.about.name or "C").upper())
            return Text(self.constants[node])
        raise KeyError(f"{node.op.name} is not computed before it is used")

    def _comment(self, node: Node) -> str:
        shape = shape_text(node.shape) if node.shape else "scalar"
        return "  ".join(part for part in (shape, step_text(self.graph, node)) if part)


def _strengthened(node: Node) -> list[int]:
    """The operands that cannot stand as Python numbers: one where nothing else decides a dtype, all in a helper."""
    valued = [i for i, x in enumerate(node.inputs) if x.dtype != "bool"]  # a condition decides no dtype
    weak = [i for i in valued if is_weak(node.inputs[i])]
    if node.op.helpers:
        return weak
    return weak[:1] if weak == valued and node.op.kind == "pointwise" else []


def is_weak(node: Node) -> bool:
    """Whether the text of a node is a Python number, which takes the dtype of what it meets."""
    return node.op.role == "size" or (node.op.role == "const" and node.shape == ())


def step_text(graph: Graph, node: Node) -> str:
    """The step of backpropagation that a node is, in a few words."""
    source = gradient_of(node)
    step = chain_rule_of(node)
    if source is None and step is None:
        return ""
    accumulated = find(node, Accumulate)
    what = f"dL/d({graph.name_of(source)})" if source is not None and graph.name_of(source) else ""
    if accumulated is not None:
        return f"{what} added up over {len(accumulated.terms)} uses".strip()
    how = summed_text(node) or (f"chain rule of {step.rule}" if step is not None else "")
    return ": ".join(part for part in (what, how) if part)


def summed_text(node: Node) -> str:
    """What a sum is taken over, ``sum over batch``; nothing for what is no sum, or another look at one."""
    while node.op.suffix is not None and node.op.axes == "regroup":
        node = node.inputs[0]
    if "sums" not in node.op.properties or not node.inputs[0].ndim:
        return ""
    x = node.inputs[0]
    axes = node.attrs["axis"]
    sizes = [str(x.shape[a]).replace("*", "×") for a in axes]
    return f"sum over {'×'.join(sizes)}" if sizes else ""
