"""``cond``: one of two bodies, chosen at run time by a scalar; only the chosen one is computed.

The card carries both graphs. Its results are nodes that differ in the attribute ``result`` alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.ir.node import Node, apply, hinted
from graphc.ir.op import ZERO, Op
from graphc.ir.origin import here
from graphc.ir.structure import form_to_text, unflatten
from graphc.ir.types import Type
from graphc.ops.bodies import (
    Push,
    Sweep,
    args_used,
    called,
    captured,
    closed,
    opened,
    prepared,
    renumbered,
    stand_in,
    values_of,
    with_attrs,
    with_constants,
)
from graphc.ops.card import as_nodes


def _cond_type(
    *types: Type,
    then: tuple[Node, ...],
    otherwise: tuple[Node, ...],
    names: tuple[str, ...],
    result: int,
) -> Type:
    if not types or types[0] != Type("bool", ()):
        raise DTypeError(
            "the condition of cond is a bool scalar", given=str(types[0]) if types else "nothing"
        )
    if len(names) != len(types) - 1 or len(then) != len(otherwise):
        raise ShapeError("cond has a name for each operand, and as many results in both branches")
    for a, b in zip(then, otherwise, strict=True):
        if a.type != b.type:
            raise ShapeError(
                "both branches give values of the same types",
                given=f"{a.type} and {b.type}",
                fix="reshape or convert one of them",
            )
    return then[result].type


def _body_types(types: Sequence[Type], attrs: Mapping[str, Any]) -> list[Type]:
    return list(types[1:])


def _cond_run(node: Node, arrays: Sequence[Any], body: Callable[..., Sequence[Any]]) -> Sequence[Any]:
    return body(node.attrs["then" if arrays[0] else "otherwise"], arrays[1:])


def _cond_block(block: Any) -> list[str]:
    """``if p:``, the results by one body, ``else:``, by the other."""
    node = block.node
    condition, *operands = block.operands
    branches = node.attrs["then"], node.attrs["otherwise"]
    results = [block.result(i, called(root)) for i, root in enumerate(branches[0])]
    lines = []
    for head, roots in zip((f"if {condition}:", "else:"), branches, strict=True):
        body, texts = block.body(roots, list(zip(node.attrs["names"], operands, strict=True)))
        body = block.assigned(body, list(zip(results, texts, strict=True)))
        lines += [head, *(f"    {line}" for line in body)]
    return lines


def _cond_joint(
    cotangents: Mapping[int, Node], node: Node, wanted: Sequence[bool], sweep: Sweep
) -> list[Any]:
    """The gradient of the branch that was taken: a cond of both gradients."""
    condition, *operands = node.inputs
    leaves = [stand_in(n, x.type) for n, x in zip(node.attrs["names"], operands, strict=True)]
    variables = [i for i, x in enumerate(operands) if x.type.is_float and wanted[i + 1]]
    branches = [opened(node.attrs[key], leaves) for key in ("then", "otherwise")]
    seeds = [stand_in(f"d_{called(branches[0][i])}", cotangents[i].type) for i in cotangents]
    grads = [
        sweep([roots[i] for i in cotangents], seeds, [leaves[i] for i in variables]) for roots in branches
    ]
    results = _results([condition, *operands, *cotangents.values()], [*leaves, *seeds], *grads)
    found = dict(zip(variables, results, strict=True))
    return [ZERO, *(found.get(i, ZERO) for i in range(len(operands)))]


def _cond_push(tangents: Sequence[Node | None], node: Node, sweep: Push) -> list[Node | None]:
    """The tangent of the branch that was taken."""
    condition, *operands = node.inputs
    leaves = [stand_in(n, x.type) for n, x in zip(node.attrs["names"], operands, strict=True)]
    moved = {i: t for i, t in enumerate(tangents[1:]) if t is not None}
    dots = [stand_in(f"dot_{leaves[i].about.name}", leaves[i].type) for i in moved]
    branches = [opened(node.attrs[key], leaves) for key in ("then", "otherwise")]
    smooth = [i for i, root in enumerate(branches[0]) if root.type.is_float]
    found = [sweep([roots[i] for i in smooth], [leaves[i] for i in moved], dots) for roots in branches]
    results = _results([condition, *operands, *moved.values()], [*leaves, *dots], *found)
    tangent_of = dict(zip(smooth, results, strict=True))
    return [tangent_of.get(i) for i in range(len(branches[0]))]


def _results(
    operands: Sequence[Node], leaves: Sequence[Node], then: Sequence[Node], otherwise: Sequence[Node]
) -> list[Node]:
    """All results of a choice between two bodies that are written over these stand-ins."""
    attrs = {
        "then": closed(then, leaves),
        "otherwise": closed(otherwise, leaves),
        "names": tuple(called(leaf) for leaf in leaves),
    }
    return [hinted(apply(cond_op, *operands, **attrs, result=i), called(x)) for i, x in enumerate(then)]


def _slim(node: Node, results: Sequence[int]) -> Node:
    """A result of a choice without the results that nobody reads, and the operands that only they need."""
    attrs = node.attrs
    operands = dict(enumerate(node.inputs[1:]))
    then, otherwise = (
        with_constants([attrs[key][i] for i in results], operands) for key in ("then", "otherwise")
    )
    used = sorted(args_used([*then, *otherwise]))
    if len(used) == len(node.inputs) - 1 and len(results) == len(attrs["then"]):
        return node
    places = {old: place for place, old in enumerate(used)}
    changed = {
        "then": renumbered(then, places),
        "otherwise": renumbered(otherwise, places),
        "names": tuple(attrs["names"][i] for i in used),
        "result": list(results).index(attrs["result"]),
    }
    return with_attrs(node, changed, [node.inputs[0], *(node.inputs[i + 1] for i in used)])


cond_op = Op(
    "cond",
    "composite",
    ("condition", "*operands"),
    _cond_type,
    attrs={"then": ..., "otherwise": ..., "names": ..., "result": 0},
    coerce=as_nodes,
    joint=_cond_joint,
    push=_cond_push,
    bodies=("then", "otherwise"),
    body_types=_body_types,
    slim=_slim,
    block=_cond_block,
    run=_cond_run,
    doc="One of two bodies, chosen at run time; only the chosen one is computed.",
)


def cond(condition: Any, then: Callable[..., Any], otherwise: Callable[..., Any], *operands: Any) -> Any:
    """then(*operands) where a scalar condition holds, else otherwise(*operands); only one of them is computed.

    For a choice element by element there is ``gx.where``, which computes both.

    Args:
        condition: a bool scalar.
        then: a function of nodes; what it takes from around it is computed outside.
        otherwise: another, which gives the same structure and types.
        operands: nodes or numbers.

    Returns:
        What the functions return: a node, or a list, tuple or dict of nodes.

    Raises:
        DTypeError: a condition that is no bool scalar.
        ShapeError: branches of different types.
        ArgumentError: branches of different structure, or a state transition in one.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ())
        >>> y = gx.cond(x > 0, lambda x: gx.sqrt(x), lambda x: 0 * x, x)
        >>> gx.compile([y, gx.grad(y, x)])(-4.0)
        [np.float32(-0.0), np.float32(0.0)]
    """
    before = stand_in("condition", Type("bool", ())).serial
    nodes = as_nodes((condition, *operands))
    leaves = [stand_in(n, x.type) for n, x in zip(_names(then, len(operands)), nodes[1:], strict=True)]
    (left, form), (right, other) = (values_of(f(*leaves), "a branch of cond") for f in (then, otherwise))
    if form != other:
        texts = [form_to_text(f, ["*"] * len(found)) for f, found in ((form, left), (other, right))]
        raise ArgumentError(
            "both branches of cond give the same structure", given=" and ".join(texts), where=here()
        )
    prepared([*left, *right], "a branch of cond", before)
    around = captured([*left, *right], leaves, lambda node: node.serial < before)
    return unflatten(form, _results([*nodes, *around], [*leaves, *around], left, right))


def _names(function: Callable[..., Any], count: int) -> list[str]:
    try:
        given = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        given = []
    return given if len(given) == count else [f"x{i}" for i in range(count)]


CARDS = (cond_op,)
