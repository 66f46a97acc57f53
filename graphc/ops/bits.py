"""Operations on the bits of integers; of bools they are the logic of ``compare``. Nothing of them has a gradient."""

from __future__ import annotations

from typing import Any

from graphc.errors import DTypeError
from graphc.ir.node import Node
from graphc.ir.op import Op
from graphc.ops.card import pointwise, promoted
from graphc.ops.compare import logical_and, logical_not, logical_or, logical_xor


def _integers(inputs: tuple[Any, ...]) -> tuple[Node, ...]:
    """Operands as integers of one dtype."""
    nodes = promoted(inputs, numbers=True)
    for node in nodes:
        if node.type.is_float:
            raise DTypeError("floats have no bits to work on", given=str(node.type), expected="integers")
    return nodes


def _card(name: str, operands: str, symbol: str, latex: str, doc: str) -> Op:
    notation: dict[str, Any] = {"infix" if " " in operands else "prefix": symbol}
    return pointwise(
        name,
        f"{name}({', '.join(operands.split())})",
        operands=operands,
        coerce=_integers,
        latex=latex,
        doc=doc,
        cost=0.15,
        **notation,
    )


and_op = _card("bitwise_and", "x y", "&", r"{x} \mathbin{{\&}} {y}", "The bits that both have.")
or_op = _card("bitwise_or", "x y", "|", r"{x} \mid {y}", "The bits that either has.")
xor_op = _card("bitwise_xor", "x y", "^", r"{x} \oplus {y}", "The bits that one has and the other has not.")
invert_op = _card("bitwise_invert", "x", "~", r"\sim {x}", "Every bit turned over: -x - 1.")
bitwise_left_shift = _card(
    "bitwise_left_shift", "x y", "<<", r"{x} \ll {y}", "Moved up by y places, y at least 0: x * 2**y."
)
bitwise_right_shift = _card(
    "bitwise_right_shift", "x y", ">>", r"{x} \gg {y}", "Moved down by y places, y at least 0: x // 2**y."
)


def _either(logic: Op, bits: Op, inputs: tuple[Any, ...]) -> Node:
    """The logic of bools, else the operation on integers."""
    both_bool = all(node.dtype == "bool" for node in promoted(inputs))
    node: Node = (logic if both_bool else bits)(*inputs)
    return node


def bitwise_and(x: Any, y: Any) -> Node:
    """The bits that both have; of bools, whether both are true. Also written ``x & y``.

    Raises:
        DTypeError: a float.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.bitwise_and(gx.const([3, 6]), 2))()
        array([2, 2])
    """
    return _either(logical_and, and_op, (x, y))


def bitwise_or(x: Any, y: Any) -> Node:
    """The bits that either has; of bools, whether one is true. Also written ``x | y``.

    Raises:
        DTypeError: a float.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.bitwise_or(gx.const([3, 4]), 2))()
        array([3, 6])
    """
    return _either(logical_or, or_op, (x, y))


def bitwise_xor(x: Any, y: Any) -> Node:
    """The bits in which both differ; of bools, whether they differ. Also written ``x ^ y``.

    Raises:
        DTypeError: a float.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.bitwise_xor(gx.const([3, 4]), 2))()
        array([1, 6])
    """
    return _either(logical_xor, xor_op, (x, y))


def bitwise_invert(x: Any) -> Node:
    """Every bit turned over, which is ``-x - 1``; of bools, the opposite. Also written ``~x``.

    Raises:
        DTypeError: a float.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.bitwise_invert(gx.const([0, 4])))()
        array([-1, -5])
    """
    return _either(logical_not, invert_op, (x,))


CARDS = (and_op, or_op, xor_op, invert_op, bitwise_left_shift, bitwise_right_shift)
