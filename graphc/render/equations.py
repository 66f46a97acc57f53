"""The equations of a derivation: forward, derivatives of scalar functions, gradients from the loss back.

Each equation keeps the node that its left side names and the node that its right side computes from values named
before, so that both sides can be evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from graphc.autodiff.local import partial_factor
from graphc.ir.events import Accumulate, ChainRule, Lowered, Rewrite, StructuralZero, Unbroadcast
from graphc.ir.graph import Graph
from graphc.ir.node import Node, build, computation, engine, operand_name
from graphc.ir.provenance import descendants_of, history
from graphc.ops.leaves import input
from graphc.render.boxes import Boxes, boxes_of
from graphc.render.document import Code, Piece, Pieces, Ref
from graphc.render.formula import shape_label
from graphc.render.maths import Math, leaf_math, named, node_math, operator, partial, row
from graphc.render.parts import BACKWARD, FORWARD, Parts, parts_of
from graphc.render.recurrence import recurrence
from graphc.render.terms import Known, between, expanded, oldest
from graphc.render.titles import path_of

DERIVATIVE = "derivative"

MAX_BEFORE = 30
"""A form of more operations than this, as it was before it was simplified, says nothing to a reader."""

_OUTPUTS = ("y", "z", "u", "out")


@dataclass(frozen=True)
class Form:
    """A right side before it was simplified.

    Attributes:
        formula: how it is written.
        term: as a node.
        names: for the nodes that it reads, the named values that they became.
    """

    formula: Math
    term: Node
    names: Mapping[Node, Node]


@dataclass(frozen=True)
class Equation:
    """One numbered equation.

    Attributes:
        number: counts from 1.
        phase: ``forward``, ``derivative`` or ``backward``.
        left: what it defines.
        right: what that is.
        node: the value of the left side.
        term: the right side as a node, whose operands lead to ``names`` and constants.
        names: the values that the right side reads, all defined before.
        of: for a gradient, the forward node by which the loss is differentiated.
        layer: the layer it stands in, as text.
        lead: what is said before it on its line: ``for y = tanh x``.
        notes: why it holds, each a sentence.
        before: the right side before it was simplified, where that is short enough to be read.
    """

    number: int
    phase: str
    left: Math
    right: Math
    node: Node
    term: Node
    names: tuple[Node, ...]
    of: Node | None = None
    layer: str = ""
    lead: Math | None = None
    notes: tuple[Pieces, ...] = ()
    before: Form | None = None

    @property
    def inside(self) -> list[Node]:
        """The nodes of the right side above the values that it reads."""
        return between(self.term, self.names)

    @property
    def shape(self) -> str:
        """``batch×64``."""
        return shape_label(self.node.shape)


@dataclass(frozen=True)
class System:
    """All equations of a graph, and what their leaves are called.

    Attributes:
        graph: the simplified graph.
        parts: which of its nodes are forward and which backward.
        names: what each value is called.
        equations: in order; each uses names defined before it.
        loss: what is differentiated.
        targets: what it is differentiated by.
    """

    graph: Graph
    parts: Parts
    names: Mapping[Node, Math]
    equations: tuple[Equation, ...]
    loss: Node
    targets: tuple[Node, ...]

    def of_phase(self, phase: str) -> tuple[Equation, ...]:
        """The equations of one phase."""
        return tuple(e for e in self.equations if e.phase == phase)


def system_of(graph: Graph, loss: Node, targets: Sequence[Node]) -> System:
    """The equations of a simplified graph.

    Args:
        graph: with the loss first, then the gradients.
        loss: the scalar that was differentiated.
        targets: what it was differentiated by, in the order of the gradients.
    """
    parts = replace(parts_of(graph), loss=loss)
    boxes = boxes_of(graph, parts)
    return _Writer(graph, parts, boxes, loss, targets).system()


class _Writer:
    """Numbers and writes the equations."""

    def __init__(self, graph: Graph, parts: Parts, boxes: Boxes, loss: Node, targets: Sequence[Node]) -> None:
        self.graph, self.parts, self.boxes, self.loss = graph, parts, boxes, loss
        self.targets = targets
        self.names = self._names()
        self.found: list[Equation] = []
        self.defined: dict[Node, int] = {}
        self.derivatives: dict[object, int] = {}
        self.place: dict[Node, Node] = {}

    def system(self) -> System:
        """All equations."""
        forward = [n for n in self.boxes.formulas if self.parts.phase[n] == FORWARD]
        backward = [n for n in self.boxes.formulas if self.parts.phase[n] == BACKWARD]
        for node in forward:
            self._define(node, FORWARD)
        self.place = self._places()
        for node in backward:
            self._scalar_derivatives(node)
        for node in backward:
            self._define(node, BACKWARD)
            self._aliases(node)
        for gradient, target in zip(self._gradients(), self.targets, strict=True):
            self._whole(gradient, target)
        return System(
            self.graph, self.parts, self.names, tuple(self._saved()), self.loss, tuple(self.targets)
        )

    def _gradients(self) -> Sequence[Node]:
        return self.graph.outputs[len(self.graph.outputs) - len(self.targets) :]

    # -- names --------------------------------------------------------------------------------------------------

    def _names(self) -> dict[Node, Math]:
        titles = self.boxes.titles
        own = self.loss.about.name not in (None, "loss") or "L" in titles.values()
        self.symbol = named(titles[self.loss]) if own and self.loss in titles else named("L")
        names: dict[Node, Math] = {}
        for node, title in titles.items():
            if leaf_math(node) is not None:
                continue
            if node is self.loss:
                names[node] = self.symbol
            elif self.parts.phase[node] == BACKWARD and title.startswith("∂"):
                names[node] = partial(self.symbol, named(title[1:]))
            else:
                names[node] = named(title)
        return names

    def _places(self) -> dict[Node, Node]:
        """For every forward node, and what it replaced, the equation in which it stands."""
        places: dict[Node, Node] = {}
        for equation in self.found:
            for node in self.boxes.inside[equation.node]:
                for before in descendants_of(node):
                    places.setdefault(before, equation.node)
        return places

    # -- equations ----------------------------------------------------------------------------------------------

    def _add(self, equation: Equation) -> int:
        self.found.append(replace(equation, number=len(self.found) + 1))
        return len(self.found)

    def _define(self, node: Node, phase: str) -> None:
        right, names = expanded(node, self._read(node))
        before = self._before(node, right)
        said = "as the chain rule gives it: " if phase == BACKWARD else "as it was declared: "
        first: tuple[Pieces, ...] = ((said, before.formula),) if before else ()
        self.defined[node] = self._add(
            Equation(
                0,
                phase,
                self.names[node],
                right,
                node,
                node,
                names,
                self.parts.partner.get(node) if phase == BACKWARD else None,
                ".".join(path_of(self.graph, node)),
                None,
                (*self._loops(node), *first, *self._reasons(node)),
                before,
            )
        )

    def _read(self, node: Node) -> dict[Node, Math]:
        """The named values in the formula of a node."""
        return {x: self.names[x] for x in self.boxes.formulas[node].refs if x in self.names}

    def _loops(self, node: Node) -> Iterator[Pieces]:
        """The recurrence of a loop; of several results of one loop, the first tells it."""
        if "loop" not in node.op.properties:
            return
        told = next((n for n in self.defined if computation(n) == computation(node)), None)
        names = self._read(node)
        lines = list(recurrence(node, [names.get(x) or expanded(x, names)[0] for x in node.inputs]))
        if told is not None:
            yield ("another result of the loop in ", Ref(self.defined[told]), ": ", *lines[-1])
            return
        yield from lines

    def _before(self, node: Node, right: Math) -> Form | None:
        """What a node was before the first rule, over values that have names by now."""
        first = oldest(node)
        if first is node or self._owner_of(first, node) is not None:
            return None
        terms = between(first, Known(lambda n: self._owner_of(n, node) is not None))
        if len(terms) > MAX_BEFORE or any(_unreadable(n) for n in terms):
            return None
        owners = {x: owner for n in terms for x in n.inputs if (owner := self._owner_of(x, node)) is not None}
        if any(n.op.kind == "leaf" and leaf_math(n) is None and n.op.role != "seed" for n in terms):
            return None
        formula, _ = expanded(first, {x: self.names[owner] for x, owner in owners.items()})
        return None if formula == right else Form(formula, first, owners)

    def _owner_of(self, before: Node, node: Node) -> Node | None:
        """The value defined before ``node`` that a node became."""
        owner = self._owners.get(before)
        if owner is None or owner is node or not (owner in self.defined or owner.op.kind == "leaf"):
            return None
        return owner

    @cached_property
    def _owners(self) -> dict[Node, Node]:
        """For every named value, and what it replaced, that value."""
        owners: dict[Node, Node] = {}
        for node in self.names:
            for before in descendants_of(node):
                owners.setdefault(before, node)
        return owners

    def _inside(self, node: Node) -> list[Node]:
        """What stands inside the formula of a node, partial sums included."""
        refs = self.boxes.formulas[node].refs if node in self.boxes.formulas else ()
        return between(node, refs)

    def _aliases(self, node: Node) -> None:
        """Further values with the same gradient: what is added to z has the gradient of z."""
        for other in self.parts.others.get(node, ()):
            if other in self.boxes.titles:
                self._equal(node, other, ("it enters by a sum, which passes the gradient on as it is",))

    def _equal(self, node: Node, other: Node, note: Pieces) -> None:
        left = partial(self.symbol, self.names[other])
        layer = ".".join(path_of(self.graph, other))
        number = self._add(
            Equation(0, BACKWARD, left, self.names[node], node, node, (node,), other, layer, None, (note,))
        )
        self.defined.setdefault(node, number)

    def _whole(self, gradient: Node, target: Node) -> None:
        """The gradient of what was asked for has an equation, even where it is a constant or another's."""
        if any(e.of is target for e in self.found):
            return
        name = self.names.get(target) or named(str(target.about.name or "x"))
        right = self.names.get(gradient) or leaf_math(gradient) or node_math(gradient, [named("0")])
        names = (gradient,) if gradient in self.names else ()
        notes = tuple(self._reasons(gradient)) or (("it has the value of that",),) * bool(names)
        self._add(
            Equation(
                0,
                BACKWARD,
                partial(self.symbol, name),
                right,
                gradient,
                gradient,
                names,
                target,
                "",
                None,
                notes,
            )
        )

    # -- derivatives of scalar functions ------------------------------------------------------------------------

    def _scalar_derivatives(self, node: Node) -> None:
        for step in self._steps(node):
            key = _derivative_key(step)
            if step.forward.op.kind == "pointwise" and key not in self.derivatives and _worth(step):
                written = _derivative(step)
                if written is not None:
                    self.derivatives[key] = self._add(written)

    def _steps(self, node: Node) -> Iterator[ChainRule]:
        for inner in self._inside(node):
            yield from (e for e in history(inner) if isinstance(e, ChainRule))

    # -- reasons ------------------------------------------------------------------------------------------------

    def _reasons(self, node: Node) -> Iterator[Pieces]:
        """What the chain rule did, then what was simplified, each once and in the order in which it happened."""
        events = [e for inner in self._inside(node) for e in history(inner)]
        rewritten = (Rewrite, Lowered)
        made = [e for e in events if not isinstance(e, rewritten)]
        changed = [e for e in reversed(events) if isinstance(e, rewritten)]
        if self.parts.phase.get(node) != BACKWARD:
            made = []
        yield from _merged(dict.fromkeys(pieces for e in made if (pieces := self._reason(e))))
        rules = dict.fromkeys(
            (e.rule, "; ".join((e.kind, *e.facts))) for e in changed if isinstance(e, Rewrite)
        )
        if rules:
            named_rules = [p for rule, kind in rules for p in (", ", Code(rule), f" ({kind})")]
            yield (f"simplified by the rule{'s' * (len(rules) > 1)} ", *named_rules[1:])

    def _reason(self, event: object) -> Pieces:
        match event:
            case ChainRule() if event.formula not in ("1", "transpose of call"):
                return self._chain(event)
            case Accumulate(of=of, terms=terms):
                return (
                    *self._called(of),
                    f" is used {len(terms)} times: the gradients of its uses are added",
                )
            case Unbroadcast(of=of, cotangent=wide):
                return (*self._called(of), f" was stretched{_over(of, wide)}, so its gradient is summed back")
            case StructuralZero():
                return ("no path leads from the loss to it, so its gradient is zero",)
        return ()

    def _chain(self, step: ChainRule) -> Pieces:
        where = self._where(step.forward)
        number = self.derivatives.get(_derivative_key(step))
        through: Pieces = (f"chain rule through {step.rule}", *where)
        if number is not None:
            return (*through, ", with the derivative ", Ref(number))
        operand = self._called(step.forward.inputs[step.operand])
        if isinstance(operand[0], str):
            operand = ("its operand ", Code(operand_name(step.forward, step.operand)))
        if step.formula.startswith("transpose of"):
            return (*through, ", which is linear in ", *operand, ": its transpose takes the gradient back")
        if step.formula.startswith("gradient of"):
            return (*through, ", by the gradient that it declares")
        return through

    def _where(self, forward: Node) -> Pieces:
        number = self.defined.get(self.place.get(forward, forward))
        return () if number is None else (" in ", Ref(number))

    def _called(self, node: Node, otherwise: str = "a value") -> Pieces:
        """The name of a value, or that of what it became."""
        owner = self._owners.get(node)
        return (self.names[owner],) if owner is not None else (otherwise,)

    def _saved(self) -> Iterator[Equation]:
        """Every equation; a forward one says which gradients need its value kept."""
        readers: dict[Node, list[int]] = {}
        for equation in self.found:
            if equation.phase == BACKWARD:
                for name in equation.names:
                    readers.setdefault(name, []).append(equation.number)
        for equation in self.found:
            used = readers.get(equation.node, []) if equation.phase == FORWARD else []
            kept: tuple[Pieces, ...] = (("saved for ", *_listed(used)),) if used else ()
            yield replace(equation, notes=(*kept, *equation.notes))


def _unreadable(node: Node) -> bool:
    """A choice that was made, and a loop, are not shown as they were before."""
    return node.op.role == "by_mode" or bool(node.op.bodies)


def _merged(notes: Iterable[Pieces]) -> Iterator[Pieces]:
    """Notes that differ in the equation alone are one, which names all of them."""
    places: dict[tuple[Pieces, Pieces], dict[int, None]] = {}
    for note in notes:
        if len(note) > 2 and note[1] == " in " and isinstance(note[2], Ref):
            places.setdefault((note[:2], note[3:]), {})[note[2].number] = None
        else:
            places[note, ()] = {}
    for (head, tail), numbers in places.items():
        yield (*head, *_listed(sorted(numbers)), *tail)


def _listed(numbers: Sequence[int]) -> Pieces:
    parts: list[Piece] = []
    for i, number in enumerate(numbers):
        parts += ([", "] if i else []) + [Ref(number)]
    return tuple(parts)


def _over(of: Node, wide: Node) -> str:
    from graphc.ops.shape import stretched_axes

    axes = ", ".join(
        str(wide.shape[a]) if not isinstance(wide.shape[a], int) else f"axis {a}"
        for a in stretched_axes(wide.shape, of.shape)
    )
    return f" over {axes}" if axes else ""


def _worth(step: ChainRule) -> bool:
    return step.formula not in ("1", "-1")


def _derivative_key(step: ChainRule) -> object:
    attrs = tuple((k, str(v)) for k, v in step.forward.attrs.items())
    return step.forward.op, step.operand, attrs


def _derivative(step: ChainRule) -> Equation | None:
    """∂y/∂x of y = f(x), over letters of its own."""
    op = step.forward.op
    with engine():
        leaves = [input(name.removeprefix("*"), (), "float64") for name in op.operands]
        whole = build(op, leaves, step.forward.attrs)
        factor = partial_factor(whole, step.operand)
    if not isinstance(factor, Node):
        return None
    output = next(n for n in _OUTPUTS if n not in op.operands)
    names = {leaf: named(name) for leaf, name in zip(leaves, op.operands, strict=True)}
    definition = node_math(whole, [names[x] for x in leaves])
    names[whole] = named(output)
    right, used = expanded(factor, names)
    left = partial(names[whole], names[leaves[step.operand]])
    lead = row([names[whole], operator("="), definition], 0)
    return Equation(0, DERIVATIVE, left, right, whole, factor, used, leaves[step.operand], "", lead)
