"""``scan``: a loop that carries values, and its gradient, which is a loop in the other direction.

The card carries a graph. One computation has several results, and each is a node of its own: the nodes differ in the
attribute ``result`` alone, and code is written once for all of them. Results come in this order: the last value of
each carry, then each stack.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.node import Node
from graphc.ir.op import Op
from graphc.ir.origin import here
from graphc.ir.size import Dim
from graphc.ir.size import size as as_size
from graphc.ir.structure import Structure, flatten, form_to_text, unflatten
from graphc.ir.types import Type
from graphc.ops.bodies import (
    args_used,
    called,
    captured,
    is_value,
    prepared,
    renumbered,
    stand_in,
    values_of,
    with_attrs,
    with_constants,
)
from graphc.ops.card import as_nodes, cast, is_weak
from graphc.ops.loops import body_types, results_of, scan_type
from graphc.ops.scan_gradient import scan_joint, scan_push


def _scan_run(node: Node, arrays: Sequence[Any], body: Any) -> list[Any]:
    """The loop, step by step: final carries, then stacks."""
    following, over = node.attrs["next"], node.attrs["over"]
    count = len(following)
    carry, sequences, rest = list(arrays[:count]), arrays[count : count + over], arrays[count + over :]
    steps = len(sequences[0]) if sequences else body.size(node.attrs["length"])
    ys = node.attrs["ys"]
    stacks = [np.empty((steps, *(body.size(d) for d in y.shape)), y.dtype) for y in ys]
    for t in reversed(range(steps)) if node.attrs["reverse"] else range(steps):
        values = body((*following, *ys), [*carry, *(s[t] for s in sequences), *rest])
        carry = list(values[:count])
        for stack, value in zip(stacks, values[count:], strict=True):
            stack[t] = value
    return [*carry, *stacks]


def _scan_block(block: Any) -> list[str]:
    """``h = h0``, preallocated stacks, ``for t in range(time):``, the body, the next carries."""
    node = block.node
    following, ys, over = node.attrs["next"], node.attrs["ys"], node.attrs["over"]
    count = len(following)
    names = node.attrs["names"]
    carries = [block.result(i, names[i]) for i in range(count)]
    stacks = [block.result(count + j, _stacked(ys[j])) for j in range(len(ys))]
    t = block.variable("t")
    operands = block.operands
    lines = [f"{c} = {start}" for c, start in zip(carries, operands, strict=False)]
    for stack, y in zip(stacks, ys, strict=True):
        shape = block.shape((node.attrs["length"], *y.shape))
        lines.append(f"{stack} = np.empty({shape}, dtype=np.{y.dtype}{'_' if y.dtype == 'bool' else ''})")
    taken = [(names[count + j], f"{operands[count + j]}[{t}]") for j in range(over)]
    body, texts = block.body(
        (*following, *ys), [(c, c) for c in carries] + taken + [(x, x) for x in operands[count + over :]]
    )
    stores = [(f"{s}[{t}]", text) for s, text in zip(stacks, texts[count:], strict=True)]
    early = [f"{place} = {text}" for place, text in stores if text in carries]  # as the step found them
    body = [*early, *body, *(f"{place} = {text}" for place, text in stores if text not in carries)]
    body = block.assigned(body, list(zip(carries, texts, strict=False)))
    steps = f"range({block.size(node.attrs['length'])})"
    head = f"for {t} in {f'reversed({steps})' if node.attrs['reverse'] else steps}:"
    return [*lines, head, *(f"    {line}" for line in body or ["pass"])]


def _stacked(y: Node) -> str:
    """``hs`` for a stack of ``h``."""
    return f"{called(y)}s"


def _slim(node: Node, results: Sequence[int]) -> Node:
    """A result of a loop without the stacks, carries and operands that only other results need."""
    attrs = node.attrs
    following, ys, over = attrs["next"], attrs["ys"], attrs["over"]
    count = len(following)
    stacks = [r - count for r in results if r >= count]
    carries = _needed_carries(following, [r for r in results if r < count], [ys[j] for j in stacks])
    rest = {i: x for i, x in enumerate(node.inputs) if i >= count + over}
    roots = with_constants([*(following[i] for i in carries), *(ys[j] for j in stacks)], rest)
    used = args_used(roots)
    sequences = [i for i in range(count, count + over) if i in used]
    kept = [*carries, *sequences, *(i for i in range(count + over, len(node.inputs)) if i in used)]
    if len(kept) == len(node.inputs) and len(stacks) == len(ys):
        return node
    new = renumbered(roots, {old: place for place, old in enumerate(kept)})
    order = [*carries, *(count + j for j in stacks)]
    changed = {
        "next": new[: len(carries)],
        "ys": new[len(carries) :],
        "over": len(sequences),
        "names": tuple(attrs["names"][i] for i in kept),
        "result": order.index(attrs["result"]),
    }
    return with_attrs(node, changed, [node.inputs[i] for i in kept])


def _needed_carries(following: Sequence[Node], finals: Sequence[int], ys: Sequence[Node]) -> list[int]:
    """The carries that are results, or that such carries or the stacks depend on."""
    count = len(following)
    needed = {*finals, *(i for i in args_used(ys) if i < count)}
    while True:
        more = {i for i in args_used([following[i] for i in needed]) if i < count} | needed
        if more == needed:
            return sorted(needed)
        needed = more


scan_op = Op(
    "scan",
    "composite",
    ("*operands",),
    scan_type,
    attrs={"next": ..., "ys": (), "over": 0, "length": ..., "reverse": False, "names": ..., "result": 0},
    coerce=as_nodes,
    joint=scan_joint,
    push=scan_push,
    bodies=("next", "ys"),
    body_types=body_types,
    slim=_slim,
    block=_scan_block,
    run=_scan_run,
    properties=frozenset({"loop"}),
    doc="A loop that carries values and stacks what each step gives.",
)


def scan(
    f: Callable[..., Any], init: Any, xs: Any = None, length: Any = None, reverse: bool = False
) -> tuple[Any, Any]:
    """A loop that carries values: carry, y_t = f(carry, x_t) for each t along axis 0 of ``xs``.

    It is compiled to a Python loop over preallocated stacks, and its gradient is a scan in the other direction over
    what the steps saved. What ``f`` takes from around it (weights) is read by every step, and computed once; so is what
    is random in it: for another mask at each step, draw the masks outside and give them as one of ``xs``.

    Args:
        f: ``(carry, x) -> (carry, y)``; y may be None, or a structure of nodes.
        init: the carry at the start: a node, or a list, tuple or dict of nodes; ``f`` keeps structure and types.
        xs: sequences with one length along axis 0, in any structure; None for none, and then ``f`` gets None.
        length: the number of steps, where there is no sequence.
        reverse: from the last step to the first; the stacks keep the order of ``xs``.

    Returns:
        The last carry, and for each y a stack of shape (length, *y.shape).

    Raises:
        ShapeError: sequences of different lengths, or a carry whose type changes.
        ArgumentError: neither ``xs`` nor ``length``, a result that is no pair, or a state transition in the body.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("time",))
        >>> total, sums = gx.scan(lambda s, x: (s + x, s + x), gx.const(0.0), x)
        >>> gx.compile(sums)([1.0, 2.0, 3.0])
        array([1., 3., 6.], dtype=float32)

    Source: the interface of ``jax.lax.scan``; the gradient is backpropagation through time (Werbos 1990).
    """
    carries, carry_form = values_of(init, "init")
    sequences, x_form = ([], None) if xs is None else values_of(xs, "xs")
    steps = _length(sequences, length)
    types = [*(c.type for c in carries), *(Type(s.dtype, s.shape[1:]) for s in sequences)]
    names = _operand_names(f, carry_form, len(carries), x_form, len(sequences))
    before = stand_in("step", Type("int64", ())).serial
    leaves = [stand_in(n, t) for n, t in zip(names, types, strict=True)]
    taken = None if x_form is None else unflatten(x_form, leaves[len(carries) :])
    pair = _pair(f(unflatten(carry_form, leaves[: len(carries)]), taken))
    following = _next_carries(pair[0], carries, carry_form)
    ys, y_form = values_of(pair[1], "y")
    prepared([*following, *ys], "the body of a scan", before)
    _named_by_results(leaves, following, carry_form)
    around = captured([*following, *ys], leaves)
    operands = [*carries, *sequences, *around]
    results = results_of(
        scan_op, operands, [*leaves, *around], following, ys, len(sequences), steps, bool(reverse)
    )
    for node in results:
        if node.about.name is None:
            node.named(str(node.about.hint))
    return unflatten(carry_form, results[: len(carries)]), unflatten(y_form, results[len(carries) :])


def _length(sequences: Sequence[Node], length: Any) -> Dim:
    """The number of steps."""
    given: list[Any] = [s.shape[0] if s.shape else None for s in sequences]
    known = given if length is None else [*given, as_size(length)]
    if not known:
        raise ArgumentError(
            "a scan needs sequences or a length", where=here(), fix="gx.scan(f, init, xs) or length=10"
        )
    if any(n is None or n != known[0] for n in known):
        raise ShapeError(
            "the sequences of a scan have one length along axis 0",
            given=", ".join(str(s.type) for s in sequences) + (f", length={length}" if length else ""),
            where=here(),
        )
    steps: Dim = known[0]
    return steps


def _pair(result: Any) -> tuple[Any, Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise ArgumentError(
            "the body of a scan returns a pair: the next carry and y",
            given=type(result).__name__,
            where=here(),
            fix="return carry, None where there is nothing to stack",
        )
    return result


def _next_carries(carry: Any, carries: Sequence[Node], form: Structure) -> list[Node]:
    """The next carries; a Python number takes the dtype of the carry."""
    flat, found = flatten(carry, is_value, "the next carry")
    if found != form:
        raise ArgumentError(
            "the next carry has another structure",
            given=form_to_text(found, ["*"] * len(flat)),
            expected=form_to_text(form, ["*"] * len(carries)),
            where=here(),
        )
    return [cast(x, c.dtype) if is_weak(x) else as_nodes([x])[0] for x, c in zip(flat, carries, strict=True)]


def _operand_names(f: Any, carry_form: Any, carries: int, x_form: Any, sequences: int) -> list[str]:
    """What the body calls its operands: the parameters of ``f``, or keys, or numbers."""
    try:
        given = list(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        given = []
    first, second = [*given, "carry", "x"][:2] if len(given) >= 2 else ("carry", "x")
    return [*_part_names(first, carry_form, carries), *_part_names(second, x_form, sequences)]


def _part_names(name: str, form: Any, count: int) -> list[str]:
    if form == "*":
        return [name]
    if form is not None and form[0] == "dict" and all(part == "*" for _, part in form[1]):
        return [str(key) for key, _ in form[1]]
    return [f"{name}{i}" for i in range(count)]


def _named_by_results(leaves: Sequence[Node], following: Sequence[Node], form: Structure) -> None:
    """The parts of a tuple are called as their next values are, where these have names of their own."""
    if form == "*" or form[0] == "dict":
        return
    names = [node.about.name for node in following]
    others = {leaf.about.name for leaf in leaves[len(following) :]}
    if len(set(names)) == len(names) and None not in names and others.isdisjoint(names):
        for leaf, name in zip(leaves, names, strict=False):
            leaf.about.rename(str(name), ())


CARDS = (scan_op,)
