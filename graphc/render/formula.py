"""The formula on a node: the notation of its card over the texts of its operands, in Unicode."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, TypeVar

import numpy as np

from graphc.ir.node import Node
from graphc.ir.size import Dim
from graphc.ir.types import Shape
from graphc.ops.slices import WHOLE, slice_text
from graphc.ops.template import ATOM, Text, literal
from graphc.render.notation import ADD, BESIDE, MULTIPLY, SUBSCRIPTS, number, written

SHOWN_ELEMENTS = 4
"""A constant array of at most so many elements is written out."""

MAX_OPERANDS = 12
"""Of an operation of more operands than this the first and the last ones are written out."""

MAX_DIGITS = 7
MAX_PARTS, SHORT_DECIMAL = 1000, 2
"""One n-th is a fraction up to this n, and where its decimals are more digits than these."""

T = TypeVar("T")


def formula(node: Node, operands: Sequence[Text]) -> Text:
    """One operation over the texts of its operands.

    Example:
        >>> import graphc as gx
        >>> node = gx.input("x", ("n", 3)) @ gx.input("W", (3, 2))
        >>> str(formula(node, [Text("x"), Text("W")]))
        'x W'
    """
    if "sizes" in node.op.properties:
        return count_text(node)
    latex = notation_of(node)
    if node.op.latex is not None and is_scaling(node):
        operands, latex = _scaled(node, operands)
    elif is_outer(node):
        latex = latex.replace(r"\odot", r"\otimes")
    names = node.op.operand_names(len(operands))
    fills = dict(zip(names, operands, strict=True))
    if node.op.variadic:
        fixed = len(node.op.operands) - 1
        fills[node.op.operands[-1].removeprefix("*")] = Text(
            ", ".join(elided(operands[fixed:], Text("…"))), ADD
        )
    attributes = {key: Text(attribute_text(node, key)) for key in node.attrs if key not in fills}
    return written(latex, {**attributes, **fills})


def count_text(node: Node) -> Text:
    """What a count of samples counts: the elements along some axes, ``64·batch``."""
    return size_text(prod(node.inputs[0].shape[axis] for axis in node.attrs["axis"]))


def is_arrangement(node: Node) -> bool:
    """Whether a node only puts elements on other axes, which its shape says: not the ᵀ of matrices.

    Of three axes, the first counts matrices: where another one comes last, these are transposed.
    """
    if "rearranges" not in node.op.properties or max(node.ndim, node.inputs[0].ndim) < 3:
        return False
    rank = node.ndim
    axes: tuple[int, ...] | None = node.attrs.get("axes")
    if axes is not None and rank == len(axes) == 3:
        return axes[-1] == rank - 1
    return axes is None or rank != len(axes) or axes != (*range(rank - 2), rank - 1, rank - 2)


def attribute_text(node: Node, key: str) -> str:
    """An attribute as it stands in a formula; the bounds of a slice as in NumPy, ``:, 16:32``."""
    value = node.attrs[key]
    if not is_bounds(node, key):
        return str(value)
    whole = next((i for i, part in enumerate(value) if part != WHOLE), 0)
    skipped = whole > 1 and len(value) == node.inputs[0].ndim
    return f"…, {slice_text(value[whole:])}" if skipped else slice_text(value)


def is_bounds(node: Node, key: str) -> bool:
    """Whether an attribute says which part of each axis is taken."""
    return key == "index" and isinstance(node.attrs[key], tuple)


def elided(parts: Sequence[T], gap: T) -> Sequence[T]:
    """The operands that are written out, and what stands for the others."""
    few = MAX_OPERANDS // 3
    return parts if len(parts) <= MAX_OPERANDS else [*parts[: 2 * few], gap, *parts[-few:]]


def notation_of(node: Node) -> str:
    """The card's own notation, or else its operator, or else a call by name."""
    op = node.op
    if is_dot(node):
        return r"\textstyle\sum {a} \odot {b}"
    if op.role != "call" and op.latex is not None:
        scalars = op.infix is None and all(x.shape == () for x in node.inputs)
        return op.latex.replace(r"\odot", r"\cdot") if scalars else op.latex
    if op.infix:
        left, right = op.operands
        return f"{{{left}}} {op.infix} {{{right}}}"
    name = str(node.attrs.get("name", op.name)).replace("_", r"\_")
    if op.bodies and "result" in node.attrs:
        name += str(node.attrs["result"] + 1).translate(SUBSCRIPTS)  # which of its values
    holes = ", ".join(f"{{{n.removeprefix('*')}}}" for n in op.operands)
    return rf"\operatorname{{{{{name}}}}}({holes})"


def is_dot(node: Node) -> bool:
    """Whether a product of matrices is one of a row and a column each: a sum of products along their last axis."""
    return "contracts" in node.op.properties and node.ndim > 2 and node.shape[-2:] == (1, 1)


def is_outer(node: Node) -> bool:
    """Whether each operand of a product is stretched along the other."""
    return r"\odot" in (node.op.latex or "") and all(x.shape != node.shape for x in node.inputs)


def is_scaling(node: Node) -> bool:
    """Whether an elementwise product has a scalar among its operands."""
    return (
        r"\odot" in (node.op.latex or "")
        and node.op.infix is not None
        and any(x.shape == () for x in node.inputs)
    )


def _scaled(node: Node, operands: Sequence[Text]) -> tuple[Sequence[Text], str]:
    """A product with a scalar needs no sign for element by element; the scalar stands in front."""
    texts = list(operands)
    if "commutative" in node.op.properties and scalars_first(node.inputs[1]) < scalars_first(node.inputs[0]):
        texts.reverse()
    sign = "" if texts[0][-1:].isdigit() and not texts[1][:1].isdigit() else r"\cdot"
    return texts, (node.op.latex or "").replace(r"\odot", sign)


def scalars_first(node: Node) -> tuple[bool, bool]:
    """Numerals before scalars before arrays."""
    return node.shape != (), node.op.role != "const"


def leaf_text(node: Node) -> Text | None:
    """A constant or size as it stands in a formula; None for a leaf that needs a name."""
    if node.op.role == "size":
        return size_text(node.attrs["dim"])
    if node.op.role != "const":
        return None
    array = node.attrs["value"].value
    if array.shape == ():
        return _scalar(array[()], node.dtype)
    if array.size and not array.any():
        return _scalar(array.reshape(-1)[0], node.dtype)
    if array.size > SHOWN_ELEMENTS or array.ndim > 1:
        return None
    return Text("[" + ", ".join(_scalar(v, node.dtype) for v in array) + "]")


def parts_in_one(value: Any) -> int | None:
    """The n of what is read more easily as 1/n: of 0.166667 and 0.0625, but not of 0.25 and 0.001.

    Example:
        >>> parts_in_one(np.float32(1 / 6)), parts_in_one(np.float64(0.25))
        (6, None)
    """
    if not isinstance(value, np.floating) or not 1 / MAX_PARTS <= abs(value) < 1:
        return None
    digits = f"{abs(value):.6f}".partition(".")[2].strip("0")
    count = round(1 / float(value))
    return count if len(digits) > SHORT_DECIMAL and value == value.dtype.type(1 / count) else None


def _scalar(value: Any, dtype: str) -> Text:
    """A number to as many digits as are readable."""
    count = parts_in_one(value)
    if count is not None:
        return Text(f"1/{count}" if count > 0 else f"−1/{-count}", MULTIPLY if count > 0 else ADD)
    text = literal(value, dtype).replace("np.", "")
    return number(f"{float(value):.6g}" if "." in text and len(text) > MAX_DIGITS else text)


def size_text(dim: Dim) -> Text:
    """A size: ``16 batch``, ``n²``."""
    text = str(dim).replace("**2", "²").replace("**3", "³").replace("*", " ").replace("-", "−")
    if any(sign in text for sign in "+−/"):
        return Text(text, ADD)
    return Text(text, BESIDE if " " in text else ATOM)


def shape_label(shape: Shape) -> str:
    """``batch×64``; a scalar is called so.

    Example:
        >>> shape_label((3, 4)), shape_label(())
        ('3×4', 'scalar')
    """
    return "×".join(str(size_text(d)).replace(" ", "·") for d in shape) or "scalar"
