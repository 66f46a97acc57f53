"""The same function of several parts of one array: computed once for the whole, which has no short rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from graphc.codegen.calls import written
from graphc.ir.node import Node, freeze
from graphc.ir.size import Dim, at_least_zero, product
from graphc.ops.shape import dims_text

if TYPE_CHECKING:
    from graphc.codegen.planned import PlannedWriter

DEAR = 1.0
"""The cost of a function that goes over its argument several times: each time, the start of a short row costs."""

SHORT_ROW = 128
"""Up to so many elements of a row, its start costs as much as they do."""


def of_one_array(nodes: Iterable[Node], written: Collection[Node]) -> dict[Node, tuple[Node, ...]]:
    """For each node that is such a function of a part, all of them: where the parts are most of the array."""
    families: dict[object, list[Node]] = {}
    for node in nodes:
        if node in written and _is_dear(node) and _is_part(node.inputs[0]):
            key = (node.op, node.inputs[0].inputs[0], tuple((k, freeze(v)) for k, v in node.attrs.items()))
            families.setdefault(key, []).append(node)
    return {node: tuple(family) for family in families.values() if _are_most(family) for node in family}


def _is_dear(node: Node) -> bool:
    op = node.op
    return op.kind == "pointwise" and len(node.inputs) == 1 and bool(op.helpers) and op.cost >= DEAR


def _is_part(node: Node) -> bool:
    """Whether a value is a view of short rows of a wider array."""
    if "view" not in node.op.properties or node.ndim < 2 or node.ndim != node.inputs[0].ndim:
        return False
    row, whole = node.shape[-1], node.inputs[0].shape
    return node.shape[:-1] == whole[:-1] and isinstance(row, int) and row <= SHORT_ROW and row != whole[-1]


def _are_most(family: list[Node]) -> bool:
    """Whether the parts are three quarters of the array."""
    total: Dim = 0
    for node in family:
        total = total + product(node.shape)
    return len(family) > 1 and at_least_zero(4 * total - 3 * product(family[0].inputs[0].inputs[0].shape))


def part_lines(writer: PlannedWriter, node: Node, out: str) -> list[str] | None:
    """A part of what is computed for the whole array together with the first of its parts; None for other nodes."""
    if node not in writer.parts:
        return None
    family, part = writer.parts[node], node.inputs[0]
    whole, lines = part.inputs[0], []
    if family not in writer.wholes:
        text = str(writer.text(whole))
        name = writer.wholes[family] = writer.names.reserve(f"{writer.wish(node)}_of_{text}")
        places = [writer.place[n] for n in family]
        buffer = (name, dims_text(whole.shape), node.dtype, min(places), max(places))
        writer.closure.buffers.append(buffer)
        lines = written(node, [text], name, writer.hoist) or []
    view = writer.rendered(part, [writer.wholes[family]])
    return [*lines, f"np.copyto({out}, {writer.hoist(view, out)})"]
