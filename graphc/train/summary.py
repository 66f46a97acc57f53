"""A model as a table: layers, shapes, numbers of parameters, operations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from graphc.ir.node import Node
from graphc.runtime.tables import columns
from graphc.train.flops import flops


@dataclass(frozen=True)
class Layer:
    """One row.

    Attributes:
        name: the layer, or the parameter that stands in none.
        output: the type of its last value.
        parameters: their names.
        numbers: how many numbers they hold.
        flops: operations of its forward pass for one example; see ``train.flops``.
    """

    name: str
    output: str
    parameters: tuple[str, ...]
    numbers: int
    flops: int

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        numbers = f"{self.numbers:,}" if self.parameters else ""
        return (
            self.name,
            self.output,
            ", ".join(self.parameters),
            numbers,
            f"{self.flops:,}" if self.flops else "",
        )


HEADER = ("layer", "output", "parameters", "numbers", "flops")
_NUMBERS = 3  # from this column on, cells are numbers and stand at the right


@dataclass(frozen=True, repr=False)
class Summary:
    """The layers of a model; ``print`` shows a table that fits the terminal, and a notebook one of HTML.

    Attributes:
        title: the name of the model and its number of nodes.
        layers: a row for each.
        numbers: in all parameters.
        trained: of these, those that training changes.
        flops: operations of the forward pass for one example, those of no layer among them.
    """

    title: str
    layers: tuple[Layer, ...]
    numbers: int
    trained: int
    flops: int

    @property
    def foot(self) -> str:
        """One line under the table."""
        return f"{self.numbers:,} numbers, {self.trained:,} of them trained; {self.flops:,} flops for one example"

    def __str__(self) -> str:
        rows = [layer.cells for layer in self.layers]
        table = columns(HEADER, rows, range(_NUMBERS, len(HEADER)), rule=True)
        return "\n".join([self.title, "", *table, "", self.foot])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(_html_row("td", layer.cells) for layer in self.layers)
        return (
            f"<table><caption>{escape(self.title)}</caption><thead>{_html_row('th', HEADER)}</thead>"
            f"<tbody>{rows}</tbody></table><p>{escape(self.foot)}</p>"
        )


def _html_row(tag: str, cells: Sequence[str]) -> str:
    looks = ["left"] * _NUMBERS + ["right"] * (len(HEADER) - _NUMBERS)
    inner = "".join(
        f'<{tag} style="text-align:{look}">{escape(c)}</{tag}>' for c, look in zip(cells, looks, strict=True)
    )
    return f"<tr>{inner}</tr>"


def summary(model: Any) -> Summary:
    """One row per layer: its output shape, its parameters, how many numbers they hold, and its operations.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("batch", 4))
        >>> gx.Model(gx.nn.dense(x, 2, name="layer"), name="line").summary()
        line: 5 nodes
        <BLANKLINE>
        layer  output             parameters  numbers  flops
        -----  -----------------  ----------  -------  -----
        layer  float32[batch, 2]  W, b             10     18
        <BLANKLINE>
        10 numbers, 10 of them trained; 18 flops for one example
    """
    layers: dict[str, list[Node]] = {}
    for node in in_order_of_use(model.graph.nodes):
        if node.op.role in ("const", "size", "hyper", "input"):
            continue
        if node.op.role == "param" or model.graph.layer_of(node):
            layers.setdefault(model.graph.layer_of(node) or str(model.graph.name_of(node)), []).append(node)
    counted = flops(model)
    return Summary(
        f"{model.name}: {len(model.graph.nodes)} nodes",
        tuple(_layer(name, nodes, counted.get(name, 0)) for name, nodes in layers.items()),
        sum(_count(p) for p in model.graph.leaves("param")),
        sum(_count(p) for p in model._trained()),
        sum(counted.values()),
    )


def in_order_of_use(nodes: Sequence[Node]) -> list[Node]:
    """What no data flow into, such as a parameter, stands where it is first used: layers follow as data flow."""
    fed: set[Node] = set()
    for node in nodes:
        if node.op.role == "input" or not fed.isdisjoint(node.inputs):
            fed.add(node)
    place: dict[Node, int] = {}
    first: dict[Node, int] = {}
    for i, node in reversed([*enumerate(nodes)]):
        place[node] = i if node in fed else first.get(node, i)
        for operand in node.inputs:
            first[operand] = min(first.get(operand, place[node]), place[node])
    return sorted(nodes, key=place.__getitem__)


def _layer(name: str, nodes: list[Node], operations: int) -> Layer:
    params = [n for n in nodes if n.op.role == "param"]
    inner = [n for n in nodes if n.op.kind != "leaf"]
    output = str(inner[-1].type) if inner else str(params[0].type)
    return Layer(name, output, tuple(str(p.about.name) for p in params), sum(map(_count, params)), operations)


def _count(param: Node) -> int:
    return math.prod(int(str(d)) for d in param.shape)
