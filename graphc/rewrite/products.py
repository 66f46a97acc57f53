"""A value taken apart into the factors of its product, and put together again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce

from graphc.ir.node import Node
from graphc.ir.types import Shape
from graphc.ops.arith import divide, multiply, negative
from graphc.ops.card import constant
from graphc.ops.shape import reshape

PRODUCTS = (multiply, divide, negative)
"""The cards that make products."""

LARGEST = 24
"""Of a larger product, the deepest parts stay together: the search must stay short."""


@dataclass
class Product:
    """``± above / below``; ``inner`` are the nodes of the product itself."""

    negated: bool = False
    above: list[Node] = field(default_factory=list)
    below: list[Node] = field(default_factory=list)
    inner: list[Node] = field(default_factory=list)

    def built(self, dtype: str) -> Node:
        """The product of all factors: those of each shape are multiplied apart, so that little is done at full size.

        Raises:
            ShapeError: factors that do not meet without a stretch of both.
        """
        result: Node | None = None
        for above, below in self._by_shape():
            if result is None:
                result = _quotient(above, below, dtype)
            else:
                result = (
                    multiply(result, _quotient(above, below, dtype))
                    if above
                    else _quotient([result], below, dtype)
                )
        whole = constant(1, dtype) if result is None else result
        negated: Node = negative(whole) if self.negated else whole
        return negated

    def _by_shape(self) -> list[tuple[list[Node], list[Node]]]:
        """The factors of each shape, the largest first; scalars go with the smallest."""
        groups: dict[Shape, tuple[list[Node], list[Node]]] = {}
        every = [(x, side) for side, nodes in enumerate((self.above, self.below)) for x in nodes]
        for node, side in sorted(every, key=lambda pair: -_rank(pair[0])):
            shape = _trimmed(node.shape)
            if not shape and groups:
                shape = list(groups)[-1]
            groups.setdefault(shape, ([], []))[side].append(node)
        return list(groups.values())


def factors(node: Node, small: Callable[[Node], bool], whole: Callable[[Node], bool]) -> Product:
    """The factors of a node, in the order in which they are written.

    A product is taken apart where there is a small factor in it, unless it is ``whole``.
    """
    tree = _tree(node, whole)
    opened: set[Node] = set()
    for part in reversed(tree):
        if _is_product(part, whole) and any(x in opened or (small(x) and x not in tree) for x in part.inputs):
            opened.add(part)
    found = Product()
    stack = [(node, False)]
    while stack:
        part, inverse = stack.pop()
        if part not in opened:
            (found.below if inverse else found.above).append(part)
            continue
        found.inner.append(part)
        found.negated ^= part.op is negative
        last_inverse = inverse ^ (part.op is divide)
        stack.extend([(x, last_inverse) for x in part.inputs[1:]])
        stack.append((part.inputs[0], inverse))
    found.above = [x for x in found.above if not _is_one(x)]
    return found


def _is_product(node: Node, whole: Callable[[Node], bool]) -> bool:
    return node.op in PRODUCTS and not whole(node)


def _tree(node: Node, whole: Callable[[Node], bool]) -> list[Node]:
    """The products of which a node is made, users before operands; not the deepest of a large one."""
    order: list[Node] = []
    queue = [node]
    for part in queue:
        if _is_product(part, whole) and part not in order and len(order) < LARGEST:
            order.append(part)
            queue.extend(part.inputs)
    return order


def repeats(node: Node, shape: Shape, axes: Sequence[int]) -> bool:
    """Whether a value that meets this shape is the same all along these of its axes."""
    lead = len(shape) - node.ndim
    return all(a < lead or (node.shape[a - lead] == 1 and shape[a] != 1) for a in axes)


def without_axes(node: Node, wide: Shape, axes: Sequence[int]) -> Node:
    """A value that meets a shape and is the same along these of its axes, without them."""
    lead = len(wide) - node.ndim
    shape = tuple(d for i, d in enumerate(node.shape) if i + lead not in axes)
    return node if shape == node.shape else reshape(node, shape)


def _quotient(above: Sequence[Node], below: Sequence[Node], dtype: str) -> Node:
    numerator: Node = reduce(multiply, above) if above else constant(1, dtype)
    result: Node = divide(numerator, reduce(multiply, below)) if below else numerator
    return result


def _is_one(node: Node) -> bool:
    return node.op.role == "const" and node.shape == () and bool(node.attrs["value"].value == 1)


def _rank(node: Node) -> int:
    return sum(d != 1 for d in node.shape)


def _trimmed(shape: Shape) -> Shape:
    """Without leading sizes of 1, which come by themselves."""
    kept = next((i for i, d in enumerate(shape) if d != 1), len(shape))
    return shape[kept:]
