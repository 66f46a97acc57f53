"""A loop as a recurrence: what each step computes from the one before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphc.ir.node import Node, toposort
from graphc.render.document import Pieces
from graphc.render.formula import size_text
from graphc.render.maths import Math, equals, fenced, leaf_math, named, node_math, operator, plain, row
from graphc.render.titles import pretty

_T = Math("name", "t")


def recurrence(node: Node, operands: Sequence[Math]) -> Iterator[Pieces]:
    """The lines of a loop, each a sentence; ``operands`` are what the node reads, as formulas.

    The first says over what it runs and from which values; then a line for each value that is carried, and what the
    node is of all that.
    """
    steps = steps_of(node, operands)
    yield from _head(steps.ends, steps.starts)
    yield from ((equals(step.name, step.formula),) for step in steps.steps)
    yield steps.result


@dataclass(frozen=True)
class Step:
    """One equation of the body of a loop: a value by its name at step t, what that is, and its node."""

    name: Math
    formula: Math
    node: Node


@dataclass(frozen=True)
class Steps:
    """A loop, taken apart.

    Attributes:
        ends: from where to where t runs.
        starts: what is carried begins with, as equations.
        steps: the equations of one step, each over those before it and what the step before gave.
        result: what one result of the loop is, as a sentence.
    """

    ends: tuple[Math, Math]
    starts: tuple[Math, ...]
    steps: tuple[Step, ...]
    result: Pieces

    @property
    def over(self) -> Math:
        """``t = 1, …, time``."""
        first, last = self.ends
        return row([_T, operator("="), first, Math("comma"), operator("…"), Math("comma"), last], 0)


def steps_of(node: Node, operands: Sequence[Math]) -> Steps:
    """The equations of a loop; ``operands`` are what the node reads, as formulas."""
    attrs = node.attrs
    following, count = attrs["next"], len(attrs["next"])
    names = _distinct(attrs["names"])
    length = plain(str(size_text(attrs["length"])))
    ends = (length, Math("number", "1")) if attrs["reverse"] else (Math("number", "1"), length)
    earlier = row([_T, operator("+" if attrs["reverse"] else "−"), Math("number", "1")])
    start = row([length, operator("+"), Math("number", "1")]) if attrs["reverse"] else Math("number", "0")
    letter = "s" if attrs["reverse"] else "u"  # a loop of gradients reads what the other one calls u
    body = _Body(_arguments(operands, names, count, attrs["over"], earlier), letter)
    starts = [equals(indexed(n, start), x) for n, x in zip(names[:count], operands, strict=False)]
    carried = [indexed(name, _T) for name in names[:count]]
    steps, last = body.steps(following, carried, attrs["ys"])
    at = attrs["result"] - count
    final = (
        row([_T, operator("="), ends[1]], 0) if attrs["reverse"] else ends[1]
    )  # δW₁ could be another value
    last_of = ("it is the last of these, ", indexed(names[at + count], final)) if at < 0 else None
    return Steps(ends, tuple(starts), tuple(steps), last_of or ("its element t is ", last[at]))


def _head(ends: tuple[Math, Math], starts: Sequence[Math]) -> Iterator[Pieces]:
    over = Steps(ends, (), (), ()).over
    between: list[str | Math] = [x for start in starts for x in (", ", start)]
    yield ("a loop over ", over, *((" that begins with ", *between[1:]) if starts else ()))


def _arguments(
    operands: Sequence[Math], names: Sequence[Math], count: int, over: int, earlier: Math
) -> list[Math]:
    """What the operands of the body are called: carried values, elements of sequences, and what stays."""
    carried = [indexed(name, earlier) for name in names[:count]]
    elements = [x if _is_at_step(x) else indexed(x, _T) for x in operands[count : count + over]]
    return [*carried, *elements, *operands[count + over :]]


def _is_at_step(formula: Math) -> bool:
    """Whether a formula is a value at a step already: what another loop keeps goes by its name in that loop."""
    return formula.kind == "index" and _T in (formula.parts[1], *formula.parts[1].parts)


def kept_name(result: Node) -> Math | None:
    """What a loop that keeps a value of each step calls it; None for its last values, and for what has no name.

    A value that is carried is called by the step that gave it: hₜ₋₁.
    """
    at = result.attrs["result"] - len(result.attrs["next"])
    if at < 0:
        return None
    formula = steps_of(result, [Math("name", "·")] * len(result.inputs)).result[-1]
    return formula if isinstance(formula, Math) and _is_at_step(formula) else None


def written_out(root: Node, arguments: Sequence[Math]) -> Math:
    """The value of a body, in one formula over what its operands are called."""
    body = _Body(arguments)
    written: dict[Node, Math] = {}
    for node in toposort([root]):
        written[node] = body._formula(node, written)
    return written[root]


def _distinct(names: Sequence[str]) -> list[Math]:
    titles: list[str] = []
    for name in names:
        title = f"δ{name[2:]}" if name.startswith("d_") else pretty(name)
        while title in titles:
            title += "′"
        titles.append(title)
    return [named(title) for title in titles]


def indexed(base: Math, index: Math) -> Math:
    """A value at a step; what has an index gets a second one."""
    if base.kind == "index" and base.parts[1].kind == "fence":  # a slice, in brackets of its own
        return Math("index", parts=(fenced(base), index))
    if base.kind == "index":
        return Math("index", parts=(base.parts[0], row([base.parts[1], Math("comma"), index])))
    return Math("index", parts=(base.at_least(100), index))


def unindexed(value: Math) -> Math:
    """A value at a step without the step: what ``indexed`` was given.

    Example:
        >>> from graphc.render.plain import plain_text
        >>> plain_text(unindexed(indexed(named("h₁"), Math("number", "0"))))
        'h₁'
    """
    if value.kind != "index":
        return value
    base, index = value.parts
    commas = [i for i, part in enumerate(index.parts) if part.kind == "comma"]
    return Math("index", parts=(base, row(index.parts[: commas[-1]]))) if commas else base


class _Body:
    """Writes the formulas of a body; what several of them use has a line of its own."""

    def __init__(self, arguments: Sequence[Math], letter: str = "u") -> None:
        self.arguments, self.letter = arguments, letter

    def steps(
        self, following: Sequence[Node], carried: Sequence[Math], wanted: Sequence[Node]
    ) -> tuple[list[Step], list[Math]]:
        """An equation for each value that is carried or used more than once; and the formulas of what is wanted."""
        roots = [*following, *wanted]
        names = {
            n: name for n, name in reversed([*zip(following, carried, strict=True)]) if n.op.kind != "leaf"
        }
        names = {**self._declared([*following, *wanted], {*names.values(), *carried}), **names}
        uses, shared = _uses(roots), 0
        steps: list[Step] = []
        written: dict[Node, Math] = {}
        for node in toposort(roots):
            written[node] = formula = self._formula(node, written)
            if node not in names and uses[node] > 1 and node.inputs and "view" not in node.op.properties:
                shared += 1
                names[node] = indexed(
                    named(self.letter), row([Math("number", str(shared)), Math("comma"), _T])
                )
            if node in names:
                steps.append(Step(names[node], formula, node))
                written[node] = names[node]
        rest = [
            Step(name, written[n], n)
            for n, name in zip(following, carried, strict=True)
            if names.get(n) != name
        ]
        return [*steps, *rest], [written[n] for n in wanted]

    def _declared(self, roots: Sequence[Node], taken: set[Math]) -> dict[Node, Math]:
        """What the user named inside the loop is called so, unless something else is."""
        names: dict[Node, Math] = {}
        for node in toposort(roots):
            if node.about.name is None or node.op.kind == "leaf":
                continue
            name = indexed(_distinct([node.about.name])[0], _T)
            if name not in taken:
                taken.add(name)
                names[node] = name
        return names

    def _formula(self, node: Node, written: Mapping[Node, Math]) -> Math:
        if node.op.role == "arg":
            return self.arguments[int(node.attrs["index"])]
        written_out = leaf_math(node)
        return written_out if written_out is not None else node_math(node, [written[x] for x in node.inputs])


def _uses(roots: Sequence[Node]) -> Mapping[Node, int]:
    count = dict.fromkeys(toposort(roots), 0)
    for user in list(count):
        for x in user.inputs:
            count[x] += 1
    for root in roots:
        count[root] += 1
    return count
