"""How many arithmetic operations a forward pass takes, by layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import prod
from typing import Any

from graphc.ir.node import Node, size_names
from graphc.ir.size import evaluate
from graphc.ops import contract
from graphc.stages import resolve, simplify
from graphc.train.programs import within

_MOVES = {
    *("expand_dims", "reshape", "transpose", "squeeze", "broadcast_to", "astype", "stop_gradient", "assume"),
    *("slice", "place", "concat", "take", "gather", "take_along_axis", "put", "roll", "sliding_windows"),
    *("diagonal", "place_diagonal", "tril", "triu"),
}
"""What only moves numbers or looks at them from elsewhere."""


def flops(model: Any) -> dict[str, int]:
    """Operations of the forward pass in use, for one example, by layer (those of no layer under ``""``).

    A product of (m, k) by (k, n) counts 2 m n k, a multiplication and an addition each; everything else that computes
    counts one for each element that it reads or makes, whichever are more; what only moves numbers counts nothing.
    Every size that has a name counts as 1.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("batch", 64))
        >>> flops(gx.Model(gx.nn.dense(x, 10, activation="tanh", name="layer")))
        {'layer': 1300}
    """
    graph = simplify(resolve(within(model.graph, model.outputs, "f"), "eval"), model.level)
    sizes = dict.fromkeys(size_names(graph.arguments), 1)
    count: Counter[str] = Counter()
    for node in graph.nodes:
        count[graph.layer_of(node) or ""] += _of(node, sizes)
    return {layer: number for layer, number in count.items() if number}


def _of(node: Node, sizes: dict[str, int]) -> int:
    if node.op.kind == "leaf" or node.op.name in _MOVES or not node.type.is_float:
        return 0
    made = _elements(node, sizes)
    if node.op in contract.CARDS:
        return 2 * made * evaluate(node.inputs[0].shape[-1], sizes)
    return max([made, *(_elements(x, sizes) for x in _read(node.inputs))])


def _read(inputs: Iterable[Node]) -> Iterable[Node]:
    return (x for x in inputs if x.type.is_float)


def _elements(node: Node, sizes: dict[str, int]) -> int:
    return prod(evaluate(d, sizes) for d in node.shape)
