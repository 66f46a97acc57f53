"""What a node costs a machine: arithmetic operations, and bytes that are read and written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from graphc.ir.node import Node, result_groups
from graphc.ir.size import Dim, evaluate, names_of, product
from graphc.ir.walk import deep_toposort
from graphc.ops import contract

MOVES = frozenset(
    {
        *(
            "expand_dims",
            "reshape",
            "contiguous",
            "transpose",
            "squeeze",
            "broadcast_to",
            "astype",
            "stop_gradient",
            "assume",
        ),
        *("slice", "place", "concat", "take", "gather", "take_along_axis", "put", "roll", "sliding_windows"),
        *("diagonal", "place_diagonal", "tril", "triu"),
    }
)
"""What only moves numbers or looks at them from elsewhere."""

BYTES = {"bool": 1, "int32": 4, "int64": 8, "float32": 4, "float64": 8}

_ANY = 1000
"""What a size that has a name counts as where two are compared."""


def flops(node: Node) -> Dim:
    """The arithmetic operations of a node.

    A product of (m, k) by (k, n) counts 2 m n k, a multiplication and an addition each; everything else that computes
    counts one for each element that it reads or makes, whichever are more; what only moves numbers counts nothing. A
    loop counts its body once a step, a choice its branches together.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n", 64))
        >>> str(flops(x @ gx.param("W", (64, 10))))
        '1280*n'
    """
    if node.op.bodies:
        steps: Dim = node.attrs.get("length") or 1
        return steps * total(flops(n) for n in _in_bodies(node))
    if node.op.kind == "leaf" or node.op.name in MOVES or not node.type.is_float:
        return 0
    made = product(node.shape)
    if node.op in contract.CARDS:
        return 2 * made * node.inputs[0].shape[-1]
    return _largest([made, *(product(x.shape) for x in node.inputs if x.type.is_float)])


def traffic(node: Node) -> Dim:
    """The bytes that a node reads and writes, each operand once and the result once; a view none.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (2, 3))
        >>> traffic(gx.tanh(x)), traffic(gx.transpose(x))
        (48, 0)
    """
    if node.op.bodies:
        steps: Dim = node.attrs.get("length") or 1
        return steps * total(traffic(n) for n in _in_bodies(node))
    if node.op.kind == "leaf" or "view" in node.op.properties:
        return 0
    return total(size_in_bytes(x) for x in (*dict.fromkeys(node.inputs), node))


def size_in_bytes(node: Node) -> Dim:
    """The bytes of a value; a number that stands in the code has none."""
    if node.op.role in ("const", "size") and node.shape == ():
        return 0
    return product(node.shape) * BYTES[node.dtype]


def total(dims: Iterable[Dim]) -> Dim:
    """The sum of some sizes."""
    found: Dim = 0
    for dim in dims:
        found = found + dim
    return found


def computed(order: Sequence[Node]) -> list[Node]:
    """The nodes that are computations: of several results of one, the first."""
    groups = result_groups(order)
    return [n for n in order if n.op.kind != "leaf" and groups.get(n, (n,))[0] is n]


def _in_bodies(node: Node) -> list[Node]:
    roots = [root for key in node.op.bodies for root in node.attrs[key]]
    inner = set(deep_toposort(roots))
    nested = {
        n for x in inner if x.op.bodies for key in x.op.bodies for n in deep_toposort(list(x.attrs[key]))
    }
    return computed([n for n in deep_toposort(roots) if n not in nested])


def _largest(dims: Sequence[Dim]) -> Dim:
    return max(dims, key=lambda dim: value_at(dim, {}))


def value_at(dim: Dim, sizes: Mapping[str, int]) -> int:
    """A size as an int; a name without a value counts as 1,000, which is for comparing alone."""
    return evaluate(dim, {**dict.fromkeys(names_of(dim), _ANY), **sizes})
