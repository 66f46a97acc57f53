"""The card of an operation: one block with everything the engines ask.

No engine knows an operation by name; each asks the card. A card is one of six kinds:

* ``leaf``: no operands (input, param, const, a random site, a size);
* ``pointwise``: a scalar formula, from which SymPy derives the partial derivatives;
* ``linear``: linear in each operand that has a transpose; the transpose is again linear;
* ``select``: linear once its choice is fixed (maximum over an axis); it declares its gradient;
* ``composite``: a body made of other operations, with an optional better gradient;
* ``effect``: the value of its first operand, with something attached (a state transition, a choice by mode).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphc.ir.node import Node
    from graphc.ir.types import Type

KINDS = ("leaf", "pointwise", "linear", "select", "composite", "effect")


class Zero:
    """The gradient that is zero by declaration (an index, a shape): written down, never assumed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ZERO"


ZERO = Zero()


@dataclass(frozen=True, eq=False, slots=True)
class Op:
    """One operation.

    Attributes:
        name: the standard name (NumPy or Array API where there is one).
        kind: one of ``KINDS``.
        operands: the names of the operands; a last name with ``*`` in front takes any number.
        attrs: the names of the attributes, with ``...`` for a required one or its default.
        infer: ``(types, **attrs) -> Type``; raises ShapeError or DTypeError without a place.
        coerce: makes nodes of what a user passes (numbers, arrays, other dtypes); None where all are nodes.
        formula: the scalar formula of a pointwise card.
        partials: hand-written partial derivatives as formulas in the operands and ``out`` (the output), where
            stability or reuse asks for it. ``None`` in a place means: derive it.
        transpose: for each operand ``(cotangent, *inputs, **attrs) -> Node`` or ``ZERO``.
        gradient: ``(cotangent, out, *inputs, **attrs) -> one Node or ZERO per operand``.
        joint: the gradient of a card that carries graphs and has several results, all of them together:
            ``(cotangents by result, node, wanted, sweep) -> one Node, ZERO or None per operand``. Nodes that differ
            in the attribute ``result`` alone are the results of one computation.
        push: forward mode for such a card: ``(tangents, node, sweep) -> the tangent of each result``; a tangent of None
            is zero.
        bodies: the attributes that hold the graphs of such a card, each a tuple of nodes over ``arg`` leaves.
        body_types: the types of a body's ``arg`` leaves, ``(operand types, attrs) -> types``.
        slim: one result without what only other results need, ``(node, results that are read) -> Node``.
        turn: for a matrix the transposed value, for a vector or a number the same, from transposed operands: ``(node,
            across) -> Node``, where ``across(x)`` is a matrix transposed and a vector as a column. A pointwise card
            needs none.
        block: its lines of code, ``(block) -> lines``; see ``codegen.blocks``.
        run: what the oracle does for it, ``(node, arrays, body) -> the value of each result``.
        body: ``(*inputs, **attrs) -> Node`` in terms of other cards.
        numpy: a template with the operands in braces, or ``(operands, node) -> text``.
        into: how a value is written into an array that is there, a template with ``{out}`` besides, or
            ``(operands, out, node, hoist) -> lines``, where ``hoist(expression, wish)`` names what is computed once. An
            operator or a ufunc needs none: it takes ``out``.
        infix: the operator, where the template is ``{x} infix {y}``; ``prefix`` likewise.
        helpers: names of functions in ``ops.kernels`` that the template calls.
        noun: what a listing calls its result, where nobody gave it a name; by default the name of the card.
        suffix: for another look at the same elements, what a listing puts behind the name of the operand:
            ``(node) -> text``.
        latex: a template with the operands in braces.
        axes: what the card does with axes, where it may do that to an array whose axes lie in another order: ``each``
            element (all pointwise cards), ``regroup`` (the same elements), ``permute``, ``broadcast``, ``reduce``,
            ``first`` (a mark at the first largest), ``product``, ``windows``, ``fold``, ``slice``, ``place``, ``join``.
        pair: the card that combines two values as this one, a reduction, combines those along an axis.
        piece: for a card whose result holds its operands as they are, ``(node, place) -> index``: where it holds one.
        gaps: for such a card, ``(array, node) -> lines``: what is written between its operands.
        cost: nanoseconds per element, in float32, of an array that stays in cache.
        domain: an interval per operand on which the card is smooth and finite; tests sample it.
        properties: facts such as ``commutative``, ``view``, ``finite``, ``positive``; ``loop`` for a card with the
            attributes of ``scan``; ``sizes`` for a card that reads no value of its operand, only how large it is;
            ``rearranges`` for one whose elements are all those of its operand, on other axes.
        role: what a leaf or an effect is to a graph (``input``, ``state``, ``param``, ``hyper``, ``random``,
            ``const``, ``size``, ``arg``, ``update``, ``by_mode``, ``call``).
    """

    name: str
    kind: str
    operands: tuple[str, ...]
    infer: Callable[..., Type]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    coerce: Callable[[tuple[Any, ...]], tuple[Node, ...]] | None = None
    formula: str | None = None
    partials: tuple[str | None, ...] | None = None
    transpose: tuple[Any, ...] | None = None
    gradient: Callable[..., Sequence[Any]] | None = None
    joint: Callable[..., Sequence[Any]] | None = None
    push: Callable[..., Sequence[Any]] | None = None
    bodies: tuple[str, ...] = ()
    body_types: Callable[[Sequence[Type], Mapping[str, Any]], list[Type]] | None = None
    slim: Callable[[Node, Sequence[int]], Node] | None = None
    turn: Callable[..., Node] | None = None
    block: Callable[..., list[str]] | None = None
    run: Callable[..., Sequence[Any]] | None = None
    body: Callable[..., Node] | None = None
    numpy: str | Callable[..., str] | None = None
    into: str | Callable[..., Sequence[str]] | None = None
    infix: str | None = None
    prefix: str | None = None
    helpers: tuple[str, ...] = ()
    noun: str | None = None
    suffix: Callable[[Node], str] | None = None
    latex: str | None = None
    axes: str | None = None
    pair: Op | None = None
    piece: Callable[[Node, int], tuple[Any, ...]] | None = None
    gaps: Callable[[str, Node], list[str]] | None = None
    cost: float = 0.2
    domain: tuple[tuple[float, float], ...] | None = None
    properties: frozenset[str] = frozenset()
    role: str | None = None
    doc: str = ""

    def __call__(self, *inputs: Any, **attrs: Any) -> Any:
        """Apply the operation to nodes (or to patterns: then the result is a pattern)."""
        from graphc.ir.node import apply

        return apply(self, *inputs, **attrs)

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    @property
    def variadic(self) -> bool:
        """Whether the last operand takes any number of nodes."""
        return bool(self.operands) and self.operands[-1].startswith("*")

    @property
    def emitted(self) -> bool:
        """Whether the card has code of its own; one without is lowered to its body or formula."""
        return not (self.numpy is None and self.infix is None and self.prefix is None and self.block is None)

    def operand_names(self, count: int) -> tuple[str, ...]:
        """One name per operand, numbered where the card takes any number."""
        if not self.variadic:
            return self.operands
        fixed = self.operands[:-1]
        return fixed + tuple(f"{self.operands[-1][1:]}{i}" for i in range(count - len(fixed)))
