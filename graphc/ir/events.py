"""Events: what happened to make a node. Nothing in graphc makes a node in the dark.

Events stand beside a node, never in its identity. They are plain frozen records; ``explain`` turns them into
sentences, the figure into marks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphc.ir.node import Node


@dataclass(frozen=True, eq=False, slots=True)
class Event:
    """The root of all events; two events are equal when kind and contents are."""

    def key(self) -> tuple[object, ...]:
        """What makes two events the same."""
        names: tuple[str, ...] = type(self).__slots__
        return (type(self), *[getattr(self, name) for name in names])


@dataclass(frozen=True, eq=False, slots=True)
class Seed(Event):
    """The gradient of an output with respect to itself: one."""

    of: Node


@dataclass(frozen=True, eq=False, slots=True)
class ChainRule(Event):
    """One application of the chain rule: the cotangent of ``forward`` times its derivative in one operand.

    ``formula`` is the derivative, such as ``1 - out**2``, or the name of the transpose.
    """

    rule: str
    forward: Node
    operand: int
    cotangent: Node
    formula: str


@dataclass(frozen=True, eq=False, slots=True)
class PushForward(Event):
    """Forward mode: the tangent of ``forward`` from the tangents of its operands."""

    rule: str
    forward: Node


@dataclass(frozen=True, eq=False, slots=True)
class Accumulate(Event):
    """A value that is used more than once: the cotangents of its uses are added."""

    of: Node
    terms: tuple[Node, ...]


@dataclass(frozen=True, eq=False, slots=True)
class OverSteps(Event):
    """What every step of a loop reads: its cotangent is added up over the steps."""

    of: Node


@dataclass(frozen=True, eq=False, slots=True)
class Unbroadcast(Event):
    """An operand that was stretched: its cotangent is summed over the axes along which it was repeated."""

    of: Node
    cotangent: Node


@dataclass(frozen=True, eq=False, slots=True)
class Assembled(Event):
    """The Jacobian of ``of`` by ``by``: the results of sweeps, put side by side."""

    of: Node
    by: Node


@dataclass(frozen=True, eq=False, slots=True)
class StructuralZero(Event):
    """No path leads from the output to ``of``: its gradient is zero, and nothing was computed."""

    of: Node


@dataclass(frozen=True, eq=False, slots=True)
class Cotangent(Event):
    """This node is the whole gradient of the output with respect to ``of``."""

    of: Node


@dataclass(frozen=True, eq=False, slots=True)
class Rewrite(Event):
    """A rule replaced ``before`` by this node; ``ulp`` is how far a rule of kind ``rounding`` may be off."""

    rule: str
    kind: str
    before: Node
    facts: tuple[str, ...] = ()
    ulp: float = 0.0


@dataclass(frozen=True, eq=False, slots=True)
class Region(Event):
    """Other forms of the pointwise region that this node belongs to were compared; ``found`` says what came of it."""

    found: str


@dataclass(frozen=True, eq=False, slots=True)
class Rebuilt(Event):
    """The same operation as ``before``, over operands that were rewritten."""

    before: Node


@dataclass(frozen=True, eq=False, slots=True)
class Lowered(Event):
    """``before`` was replaced by its body."""

    before: Node


@dataclass(frozen=True, eq=False, slots=True)
class Folded(Event):
    """``before``, an operation on constants, was replaced by the constant that it is."""

    before: Node


@dataclass(frozen=True, eq=False, slots=True)
class Equation(Event):
    """This node is part of an equation that graphc holds as text, such as the step of an optimizer."""

    of: str


@dataclass(frozen=True, eq=False, slots=True)
class Part(Event):
    """This node came along with what an event made: it stands inside its result."""

    event: Event

    def key(self) -> tuple[object, ...]:
        """What makes two events the same."""
        return (Part, *self.event.key())
