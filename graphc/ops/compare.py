"""Comparisons, logic and selection by a condition. Results of comparisons are bool and carry no gradient."""

from __future__ import annotations

from typing import Any

from graphc.errors import AmbiguousTruthError, DTypeError
from graphc.ir.node import Node
from graphc.ir.origin import here
from graphc.ir.types import Type, broadcast
from graphc.ops.card import cast, constant, pointwise, promoted


def _comparison(name: str, symbol: str, latex: str, **rest: Any) -> Any:
    return pointwise(
        name,
        f"x {symbol} y",
        operands="x y",
        infix=symbol,
        result="bool",
        floats=False,
        latex=f"[{{x}} {latex} {{y}}]",
        cost=0.07,
        **rest,
    )


equal = _comparison("equal", "==", "=", properties="commutative")
not_equal = _comparison("not_equal", "!=", r"\neq", properties="commutative")
less = _comparison("less", "<", "<")
less_equal = _comparison("less_equal", "<=", r"\leq")
greater = _comparison("greater", ">", ">", noun="mask")
greater_equal = _comparison("greater_equal", ">=", r"\geq")


def bools(inputs: tuple[Any, ...]) -> tuple[Node, ...]:
    """Operands as nodes, which must be bool."""
    nodes = tuple(x if isinstance(x, Node) else constant(x) for x in inputs)
    for node in nodes:
        if node.dtype != "bool":
            raise DTypeError(
                "logic is between bools", given=str(node.type), fix="compare first, such as x > 0"
            )
    return nodes


def _logic(name: str, symbol: str, operands: str, latex: str) -> Any:
    notation: dict[str, Any] = {"infix" if " " in operands else "prefix": symbol}
    return pointwise(
        name,
        f"{name}({', '.join(operands.split())})",
        operands=operands,
        coerce=bools,
        result="bool",
        latex=latex,
        cost=0.07,
        properties="commutative" if " " in operands else "",
        **notation,
    )


logical_and = _logic("logical_and", "&", "x y", r"{x} \wedge {y}")
logical_or = _logic("logical_or", "|", "x y", r"{x} \vee {y}")
logical_xor = _logic("logical_xor", "^", "x y", r"{x} \oplus {y}")
logical_not = _logic("logical_not", "~", "x", r"\neg {x}")


def _choice(inputs: tuple[Any, ...]) -> tuple[Node, ...]:
    condition, x, y = inputs
    if isinstance(condition, bool):
        raise AmbiguousTruthError(
            "where needs a condition per element",
            given=f"a Python bool, {condition}",
            expected="a bool node",
            where=here(),
            fix="compare with gx.equal(a, b): between nodes, a == b is a Python bool",
        )
    (condition,) = (condition if isinstance(condition, Node) else constant(condition),)
    if condition.dtype != "bool":
        raise DTypeError("where needs a condition per element", given=str(condition.type), expected="bool")
    return (cast(condition, "bool"), *promoted((x, y)))


def _where_type(condition: Type, x: Type, y: Type) -> Type:
    return Type(x.dtype, broadcast([condition.shape, x.shape, y.shape]))


where = pointwise(
    "where",
    "where(condition, x, y)",
    # [()]: where alone makes an array of rank 0, not a scalar, of scalars
    lambda condition, x, y, node: f"np.where({condition}, {x}, {y}){'' if node.shape else '[()]'}",
    operands="condition x y",
    into=lambda operands, out, node, hoist: [
        f"np.copyto({out}, {operands[2]})",
        f"np.copyto({out}, {operands[1]}, where={operands[0]})",
    ],
    coerce=_choice,
    infer=_where_type,
    domain=((0.5, 1.5), (-2.0, 2.0), (-2.0, 2.0)),
    noun="chosen",
    latex=r"\begin{{cases}} {x} & {condition} \\ {y} & \text{{else}} \end{{cases}}",
    cost=4.1,
)

CARDS = (
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    logical_and,
    logical_or,
    logical_xor,
    logical_not,
    where,
)
