"""How many arithmetic operations a forward pass takes, by layer."""

from __future__ import annotations

from collections import Counter
from typing import Any

from graphc.ir.node import size_names
from graphc.ir.size import evaluate
from graphc.planning import work
from graphc.stages import resolve, simplify
from graphc.train.programs import within


def flops(model: Any) -> dict[str, int]:
    """Operations of the forward pass in use, for one example, by layer (those of no layer under ``""``).

    They are counted as ``program.report`` counts them; every size that has a name counts as 1.

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
        count[graph.layer_of(node) or ""] += evaluate(work.flops(node), sizes)
    return {layer: number for layer, number in count.items() if number}
