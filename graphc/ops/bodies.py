"""Graphs inside cards: traced over stand-ins, closed over ``arg`` leaves, opened again to be differentiated.

A closed body uses nothing from outside: what the user's function took from around it becomes one more operand. So
what happens to the program around a body cannot change what the body means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError
from graphc.ir.events import Rebuilt
from graphc.ir.graph import hint_names
from graphc.ir.node import Node, build, fresh_leaf, intern, substitute, toposort
from graphc.ir.origin import here
from graphc.ir.structure import Structure, flatten
from graphc.ir.types import Type
from graphc.ir.walk import attr_nodes, deep_toposort
from graphc.ops.card import as_nodes
from graphc.ops.leaves import arg_op, input_op

Sweep = Callable[[Sequence[Node], Sequence[Node], Sequence[Node]], list[Node]]
"""``(outputs, cotangents, variables) -> cotangents of the variables``: the reverse sweep, handed in by autodiff."""

Push = Callable[[Sequence[Node], Sequence[Node], Sequence[Node]], list[Node]]
"""``(outputs, variables, tangents) -> tangents of the outputs``: the forward sweep."""

_WITHIN = ("const", "size")
"""Leaves that stand inside a body as they are."""


def arg(index: int, type: Type) -> Node:
    """The operand of this number, inside a body."""
    return intern(arg_op, (), {"index": index, "dtype": type.dtype, "shape": type.shape}, type)


def stand_in(name: str, type: Type) -> Node:
    """A leaf of its own for an operand, while a body is traced or differentiated."""
    leaf = fresh_leaf(input_op, {"name": name, "shape": type.shape, "dtype": type.dtype}, type)
    leaf.about.rename(name, ())
    return leaf


def prepared(body: Sequence[Node], what: str, since: int) -> Sequence[Node]:
    """A body that was just traced, with the names that the user's lines give.

    What was there before, by its serial number, stays outside; so it may change a state.

    Raises:
        ArgumentError: a state transition inside.
    """
    order = toposort(body)
    hint_names(order)
    if any(_changes_state(n) for n in order if n.serial > since):
        raise ArgumentError(
            f"a state cannot change inside {what}",
            where=here(),
            fix="carry the value instead, and update the state with what comes out",
        )
    return body


def _changes_state(node: Node) -> bool:
    """Whether a node is a transition, or a composite with one inside."""
    inside = deep_toposort(list(attr_nodes(node))) if node.op.role == "call" else ()
    return node.op.role == "update" or any(n.op.role == "update" for n in inside)


def captured(
    roots: Sequence[Node], leaves: Sequence[Node], outer: Callable[[Node], bool] = lambda node: True
) -> list[Node]:
    """What a body takes from around it: the outermost nodes that do not depend on its stand-ins.

    ``outer`` says of such a node whether it may be computed outside.
    """
    inner = _inside(roots, leaves, outer)
    read = [x for node in toposort(roots) if node in inner for x in node.inputs]
    return list(dict.fromkeys(x for x in (*read, *roots) if x not in inner))


def _inside(roots: Sequence[Node], leaves: Sequence[Node], outer: Callable[[Node], bool]) -> set[Node]:
    """What depends on a stand-in, or is made of constants alone, or may not be computed outside."""
    depends, plain = set(leaves), set[Node]()
    for node in toposort(roots):
        if any(x in depends for x in node.inputs) or (node.inputs and not outer(node)):
            depends.add(node)
        elif node.op.role in _WITHIN or (node.inputs and all(x in plain for x in node.inputs)):
            plain.add(node)
    return depends | plain


def closed(roots: Sequence[Node], leaves: Sequence[Node]) -> tuple[Node, ...]:
    """A body over ``arg`` leaves, numbered as the stand-ins (or captured nodes) are."""
    done = substitute(roots, {leaf: arg(i, leaf.type) for i, leaf in enumerate(leaves)})
    return tuple(done[root] for root in roots)


def opened(roots: Sequence[Node], leaves: Sequence[Node]) -> tuple[Node, ...]:
    """A closed body over stand-ins: the first in place of the first operand, and so on."""
    done = substitute(roots, {arg(i, leaf.type): leaf for i, leaf in enumerate(leaves)})
    return tuple(done[root] for root in roots)


def args_used(roots: Sequence[Node]) -> set[int]:
    """The numbers of the operands that a closed body reads."""
    return {n.attrs["index"] for n in toposort(roots) if n.op.role == "arg"}


def renumbered(roots: Sequence[Node], places: Mapping[int, int]) -> tuple[Node, ...]:
    """A closed body over other numbers of operands."""
    leaves = [n for n in toposort(roots) if n.op.role == "arg"]
    done = substitute(roots, {n: arg(places[n.attrs["index"]], n.type) for n in leaves})
    return tuple(done[root] for root in roots)


def with_constants(roots: Sequence[Node], operands: Mapping[int, Node]) -> tuple[Node, ...]:
    """A closed body with its constant scalars inside, where rules see them."""
    fixed = {arg(i, x.type): x for i, x in operands.items() if x.op.role == "const" and not x.shape}
    done = substitute(roots, fixed)
    return tuple(done[root] for root in roots)


def with_attrs(node: Node, attrs: Mapping[str, Any], inputs: Sequence[Node] | None = None) -> Node:
    """The same operation with some attributes changed."""
    new = build(node.op, node.inputs if inputs is None else inputs, {**node.attrs, **attrs})
    if new is not node:
        new.about.adopt(node.about)
        new.about.record(Rebuilt(node))
    return new


def called(node: Node) -> str:
    """What to call a value: by its name, or by its operation."""
    return str(node.about.name or node.about.hint or node.op.noun or node.op.name)


def is_value(x: Any) -> bool:
    """Whether something is a node, or what a constant is made of."""
    return isinstance(x, (Node, bool, int, float, np.ndarray, np.generic))


def values_of(thing: Any, what: str) -> tuple[list[Node], Structure]:
    """Nodes of a structure, flattened, and its form; None is an empty tuple."""
    flat, form = flatten(() if thing is None else thing, is_value, what)
    return list(as_nodes(flat)), form
