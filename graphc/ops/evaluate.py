"""One operation on arrays, by its own template: constant folding and the oracle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from graphc.ir.node import Node, toposort
from graphc.ir.size import Dim, Size, names_of
from graphc.ir.size import evaluate as evaluate_size
from graphc.ir.types import shape_text
from graphc.ops.template import Text, helper_functions, render

ArrayLike = Any


def evaluate(
    node: Node,
    arrays: Sequence[ArrayLike],
    sizes: Mapping[str, int] | None = None,
    rng: Any = None,
    dtype: str | None = None,
) -> Any:
    """The value of a node from the values of its operands.

    Args:
        node: a node whose card has a template.
        arrays: one array per operand.
        sizes: the values of named sizes.
        rng: for a random site, its generator.
        dtype: of the value, where it is not the node's.

    Returns:
        An array (or, at rank 0, a NumPy scalar) of the node's dtype.

    Example:
        >>> import graphc as gx
        >>> from graphc.ops.evaluate import evaluate
        >>> node = gx.exp(gx.input("x", ()))
        >>> float(evaluate(node, [np.float32(0)]))
        1.0
    """
    sizes = sizes or {}
    if node.op.role == "const":
        return node.attrs["value"].value[()]
    if node.op.role == "size":
        return np.dtype(node.dtype).type(evaluate_size(node.attrs["dim"], sizes))
    if node.op.run is not None:
        results = node.op.run(node, arrays, Body(sizes))
        return np.asarray(results[node.attrs["result"]], dtype=node.dtype)[()]
    names = [f"_{i}" for i in range(len(arrays))]
    text = render(node, [Text(n) for n in names])
    if node.op.role == "random":
        text, names, arrays = Text(text.replace("rng[{name}]", "_0")), ["_0"], [rng]
    needed = sorted({n for dim in _dims(node) for n in names_of(dim)})
    function = _function(str(text), tuple(names + needed))
    value = function(*arrays, *(sizes[n] for n in needed))
    return np.asarray(value, dtype=dtype or node.dtype)[()]


class Body:
    """How a card that carries graphs runs them: values of nodes over ``arg`` leaves, and of sizes."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.sizes = sizes

    def __call__(self, roots: Sequence[Node], arrays: Sequence[ArrayLike]) -> list[Any]:
        """The values of a body's roots."""
        values: dict[Node, Any] = {}
        for node in toposort(roots):
            if node.op.role == "arg":
                values[node] = arrays[node.attrs["index"]]
            else:
                values[node] = evaluate(node, [values[x] for x in node.inputs], self.sizes)
        return [values[root] for root in roots]

    def size(self, dim: Dim) -> int:
        """The number that a size stands for."""
        return evaluate_size(dim, self.sizes)


def _dims(node: Node) -> list[Any]:
    """The sizes in the type and the attributes of a node, those inside slices included."""
    found: list[Any] = []
    stack: list[Any] = [node.shape, *node.attrs.values()]
    while stack:
        part = stack.pop()
        if isinstance(part, tuple):
            stack.extend(part)
        elif isinstance(part, Size):
            found.append(part)
    return found


@lru_cache(maxsize=4096)
def _function(text: str, names: tuple[str, ...]) -> Any:
    # graphc's own template text over numbered operands; no user text reaches it
    space = {"np": np, **helper_functions()}
    return eval(compile(f"lambda {', '.join(names)}: {text}", "<graphc template>", "eval"), space)  # noqa: S307


def size_values(types: Sequence[Any], arrays: Sequence[Any]) -> dict[str, int]:
    """The values of named sizes, read off arrays of these types."""
    sizes: dict[str, int] = {}
    for type, array in zip(types, arrays, strict=True):
        for dim, n in zip(type.shape, np.shape(array), strict=True):
            if not isinstance(dim, int) and str(dim).isidentifier():
                sizes.setdefault(str(dim), n)
    return sizes


def describe_array(array: Any) -> str:
    """``float32[32, 64]`` of an array."""
    return f"{np.asarray(array).dtype.name}{shape_text(np.shape(array))}"
