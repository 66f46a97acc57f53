"""A model as a table: layers, shapes, numbers of parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from graphc.ir.node import Node


def summary(model: Any) -> str:
    """One row per layer: its output shape, its parameters, and how many numbers they hold."""
    layers: dict[str, list[Node]] = {}
    for node in _in_order_of_use(model.graph.nodes):
        if node.op.role in ("const", "size", "hyper", "input"):
            continue
        if node.op.role == "param" or model.graph.layer_of(node):
            layers.setdefault(model.graph.layer_of(node) or str(model.graph.name_of(node)), []).append(node)
    rows = [("layer", "output", "parameters", "numbers")]
    rows += [_row(model, name, nodes) for name, nodes in layers.items()]
    widths = [max(len(r[i]) for r in rows) for i in range(4)]
    lines = [f"{model.name}: {len(model.graph.nodes)} nodes", ""]
    for i, row in enumerate(rows):
        lines.append(
            "  ".join(
                cell.ljust(w) if j < 3 else cell.rjust(w)
                for j, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
        )
        if i == 0:
            lines.append("  ".join("-" * w for w in widths))
    params = model.graph.leaves("param")
    trained = sum(_count(p) for p in model._trained())
    lines += ["", f"{sum(_count(p) for p in params):,} numbers, {trained:,} of them trained"]
    return "\n".join(lines)


def _in_order_of_use(nodes: Sequence[Node]) -> list[Node]:
    """A leaf stands where it is first used, so that layers follow each other as data flow through them."""
    first: dict[Node, int] = {}
    for i, node in enumerate(nodes):
        for operand in node.inputs:
            if operand.op.kind == "leaf":
                first.setdefault(operand, i)
    place = {node: first.get(node, i) for i, node in enumerate(nodes)}
    return sorted(nodes, key=place.__getitem__)


def _row(model: Any, name: str, nodes: list[Node]) -> tuple[str, str, str, str]:
    params = [n for n in nodes if n.op.role == "param"]
    inner = [n for n in nodes if n.op.kind != "leaf"]
    output = str(inner[-1].type) if inner else str(params[0].type)
    names = ", ".join(str(p.about.name) for p in params)
    return name, output, names, f"{sum(_count(p) for p in params):,}" if params else ""


def _count(param: Node) -> int:
    return math.prod(int(str(d)) for d in param.shape)
