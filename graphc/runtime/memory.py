"""The memory of a call: what its listing keeps at its worst moment, and what NumPy allocates when it runs."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from graphc.codegen.statements import Statement
from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.ir.size import evaluate
from graphc.planning.work import size_in_bytes


def sample_arrays(leaves: Iterable[Node], sizes: Mapping[str, int]) -> list[Any]:
    """Arrays of the declared shapes: ones, and for integers and conditions zeros; memory depends on no value."""
    return [_sample(leaf, sizes) for leaf in leaves]


def _sample(leaf: Node, sizes: Mapping[str, int]) -> Any:
    shape = tuple(evaluate(d, sizes) for d in leaf.shape)
    filled = np.ones if leaf.type.is_float else np.zeros
    return filled(shape, leaf.dtype)[()]


def predicted_peak(statements: Sequence[Statement], graph: Graph, sizes: Mapping[str, int]) -> int:
    """The bytes of the values that a function holds at its worst moment, its arguments left out.

    A value that has a line stays until the function returns; what stands inside a line dies with it. A view has no
    memory of its own.
    """
    named = {n for s in statements for n in s.nodes}
    arguments = set(graph.arguments)
    held = worst = 0
    for statement in statements:
        inner = sum(_own(n, sizes) for n in _inside(statement.nodes, named | arguments))
        held += sum(_own(n, sizes) for n in statement.nodes)
        worst = max(worst, held + inner)
    return worst


def _own(node: Node, sizes: Mapping[str, int]) -> int:
    return 0 if "view" in node.op.properties else evaluate(size_in_bytes(node), sizes)


def _inside(nodes: Iterable[Node], known: set[Node]) -> list[Node]:
    """The nodes that stand inside the line of these."""
    own = list(nodes)
    found = list(own)
    for node in found:
        found += [x for x in node.inputs if x not in known and x.op.kind != "leaf" and x not in found]
    return found[len(own) :]


def measured_peak(call: Callable[[], Any], warm: bool = True) -> int:
    """The most bytes that were allocated at once during a call, by NumPy and by Python, above what there was before.

    Args:
        call: what is measured.
        warm: whether to call it once beforehand, so that what is made once and kept does not count.

    Example:
        >>> import numpy as np
        >>> 8_000 <= measured_peak(lambda: np.ones(1000).sum()) < 12_000
        True
    """
    if warm:
        call()
    running = tracemalloc.is_tracing()
    if not running:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not running:
            tracemalloc.stop()
