"""The body of a small loop, drawn: a box for each equation of a step, and what each reads.

A frame around them says over what the loop runs and with what it begins; what goes from one step to the next is dashed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphc.ir.node import Node
from graphc.render.boxes import Boxes
from graphc.render.describe import wrapped
from graphc.render.figure import Box
from graphc.render.formula import shape_label
from graphc.render.loops import begins_of, operands_of
from graphc.render.maths import Math, titled
from graphc.render.plain import plain_text
from graphc.render.recurrence import Step, steps_of
from graphc.render.terms import expanded

MAX_STEPS = 10
"""A loop of more equations is one box in which they are listed."""


@dataclass(frozen=True)
class Reads:
    """What an equation reads.

    Attributes:
        same: steps before it, by their numbers.
        before: steps whose value at the step before it reads.
        outside: operands of the loop, by their positions.
    """

    same: tuple[int, ...]
    before: tuple[int, ...]
    outside: tuple[int, ...]


@dataclass(frozen=True)
class Body:
    """The equations of a loop and what each reads."""

    loop: Node
    steps: tuple[Step, ...]
    heading: str

    def reads(self, number: int) -> Reads:
        """What the equation of this number reads."""
        step = self.steps[number]
        told = {s.node: i for i, s in enumerate(self.steps[:number])}
        return self._above([step.node] if step.node in told else step.node.inputs, told)

    def operands(self, number: int) -> list[int]:
        """The operands that an equation reads, and those with which what it carries begins."""
        reads, following = self.reads(number), self.loop.attrs["next"]
        begun = [i for i, x in enumerate(following) if any(self.steps[b].node is x for b in reads.before)]
        return [*reads.outside, *begun]

    def behind(self, result: Node) -> tuple[int, ...]:
        """The equations that a result of the loop is read off."""
        following, at = self.loop.attrs["next"], result.attrs["result"]
        root = following[at] if at < len(following) else self.loop.attrs["ys"][at - len(following)]
        reads = self._above([root], {s.node: i for i, s in reversed([*enumerate(self.steps)])})
        return reads.same or reads.before

    def _above(self, roots: Sequence[Node], told: dict[Node, int]) -> Reads:
        same: dict[int, None] = {}
        before: dict[int, None] = {}
        outside: dict[int, None] = {}
        stack, seen = list(roots), set(roots)
        while stack:
            node = stack.pop(0)
            if node in told:
                same[told[node]] = None
            elif node.op.role == "arg":
                self._argument(int(node.attrs["index"]), before, outside)
            else:
                stack.extend(x for x in node.inputs if x not in seen)
                seen.update(node.inputs)
        return Reads(tuple(same), tuple(before), tuple(outside))

    def _argument(self, index: int, before: dict[int, None], outside: dict[int, None]) -> None:
        """An argument is what a step before gave, or an operand of the loop."""
        following = self.loop.attrs["next"]
        if index >= len(following):
            outside[index] = None
            return
        number = next((i for i, s in enumerate(self.steps) if s.node is following[index]), None)
        if number is not None:
            before[number] = None

    def box(self, number: int, key: int) -> Box:
        """The box of one equation."""
        step = self.steps[number]
        title, text = plain_text(step.name), plain_text(step.formula)
        tip = (f"{title} = {text}", self.heading)
        foot = shape_label(step.node.shape)
        return Box(key, title, "forward", wrapped(text), foot, tip, formulas=(step.formula,))


def body_of(loop: Node, boxes: Boxes) -> Body | None:
    """The body of a loop; None for one that is too large to be drawn."""
    found = steps_of(loop, operands_of(loop, boxes))
    if not 0 < len(found.steps) <= MAX_STEPS:
        return None
    begins = ", ".join(map(plain_text, begins_of(found.starts)))
    return Body(loop, found.steps, f"for {plain_text(found.over)}" + (f", from {begins}" if begins else ""))


def named_in(loop: Node, operand: int, boxes: Boxes) -> tuple[Node, ...]:
    """The boxes that an operand of a loop is written with."""
    names: Mapping[Node, Math] = {x: titled(boxes.titles[x]) for x in boxes.formulas[loop].refs}
    return expanded(loop.inputs[operand], names)[1]
