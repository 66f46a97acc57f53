"""The chain rule step by step: which line of the backward pass is which use of it, and why it looks as it does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from graphc.codegen.numpy import names_for
from graphc.codegen.statements import Statement, Writer
from graphc.errors import ArgumentError
from graphc.ir.events import (
    Accumulate,
    Assembled,
    ChainRule,
    Equation,
    Event,
    Lowered,
    OverSteps,
    PushForward,
    Region,
    Rewrite,
    Seed,
    StructuralZero,
    Unbroadcast,
)
from graphc.ir.graph import Graph, graph_of
from graphc.ir.node import Node, op_title, operand_name
from graphc.ir.provenance import chain_rule_of, find, gradient_of, history
from graphc.ir.types import shape_text
from graphc.planning.order import Plan, make_plan
from graphc.stages import resolve, simplify


@dataclass(frozen=True)
class Step:
    """One line of the backward pass.

    Attributes:
        formula: ``d_h = d_z @ W.T``.
        shape: of the result.
        reasons: sentences: the chain rule used, accumulations, rewrites with kind and facts.
        declared: the user's line of the forward value, where known.
        forward: whether the step is that forward value itself, and no gradient.
    """

    formula: str
    shape: str
    reasons: tuple[str, ...]
    declared: str | None
    forward: bool = False

    @property
    def place(self) -> str:
        """What stands before the user's line."""
        return "declared at" if self.forward else "forward value declared at"


@dataclass(frozen=True)
class Explanation:
    """An explanation: a title and numbered steps; ``print`` shows it, ``.markdown`` is for documents."""

    title: str
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        lines = [self.title, ""]
        for i, step in enumerate(self.steps, 1):
            first, *rest = step.formula.split("\n")
            lines.append(f"{i:3}. {first}" + ("" if rest else f"    {step.shape}"))
            lines.extend(f"     {line}" for line in rest)
            lines.extend(f"       {reason}" for reason in step.reasons)
            if step.declared:
                lines.append(f"       {step.place} {step.declared}")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        return self.markdown

    @property
    def markdown(self) -> str:
        """The same as Markdown."""
        lines = [f"### {_text(self.title)}", ""]
        for i, step in enumerate(self.steps, 1):
            lines.append(f"{i}. {_code(step.formula)} {step.shape}")
            lines.extend(f"   - {_text(reason)}" for reason in step.reasons)
            if step.declared:
                lines.append(f"   - {step.place} {_inline(step.declared)}")
        return "\n".join(lines)


def _code(formula: str) -> str:
    """A formula in Markdown, or the lines of a loop."""
    if "\n" not in formula:
        return _inline(formula)
    return "\n   ```python\n" + "\n".join(f"   {line}" for line in formula.split("\n")) + "\n   ```\n  "


def _inline(code: str) -> str:
    """Code within a line: it stands between more backticks than it has."""
    if "`" not in code:
        return f"`{code}`"
    fence = "`" * (1 + max(map(len, re.findall("`+", code))))
    return f"{fence} {code} {fence}"


def _text(text: str) -> str:
    """Words of which none is markup of Markdown, HTML or LaTeX."""
    return re.sub(r"([\\`*$]|\](?=\())", r"\\\1", escape(text, quote=False))


def explain_gradients(graph: Graph, names: Sequence[str]) -> Explanation:
    """The steps from the loss to the gradients of some parameters.

    Args:
        graph: with outputs ``{"loss": ..., "gradients": {name: ...}, ...}``.
        names: parameters.
    """
    planned = make_plan(simplify(resolve(graph, "train")))
    form = planned.graph.unflatten(planned.graph.outputs)
    targets = [form["gradients"][name] for name in names]
    statements = _statements(planned)
    wanted = _ancestors(targets)
    steps = [
        _step(planned.graph, s, statements)
        for s in statements
        if any(n in wanted for n in s.nodes) and planned.phase[s.node] != "forward"
    ]
    what = ", ".join(f"dL/d({name})" for name in names)
    shapes = ", ".join(f"{t.dtype}{shape_text(t.shape)}" for t in targets)
    declared = graph.unflatten(graph.outputs)["gradients"]
    zeros = [name for name in names if find(declared[name], StructuralZero)]
    title = f"{what}: {shapes}, in {_count(steps)} from the loss back"
    if zeros:
        title += f"; no path leads from the loss to {', '.join(zeros)}, so its gradient is zero"
    return Explanation(title, tuple(steps))


def explain(node: Node) -> Explanation:
    """Why a node is there: the user's line, the chain rule, the rewrites that made it.

    Args:
        node: any node, such as one that ``gx.grad`` returned.

    Raises:
        ArgumentError: not a node.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (3,))
        >>> gx.explain(gx.grad(gx.sum(gx.tanh(x)), x)).steps[-1].formula
        'd_x = 1.0 - np.square(np.tanh(x))'
    """
    if not isinstance(node, Node):
        raise ArgumentError(
            "explain takes a node", given=type(node).__name__, fix="or use model.explain(name)"
        )
    planned = make_plan(simplify(resolve(graph_of(node), "train")))
    statements = _statements(planned)
    steps = tuple(_step(planned.graph, s, statements) for s in statements)
    return Explanation(f"{node.about.name or op_title(node)}: {node.type}, in {_count(steps)}", steps)


def _count(steps: Sequence[Step]) -> str:
    return f"{len(steps)} step{'' if len(steps) == 1 else 's'}"


def _statements(planned: Plan) -> list[Statement]:
    graph = planned.graph
    names = names_for(graph)
    arguments = {leaf: names(leaf) for leaf in graph.arguments}
    return Writer(graph, names, arguments, graph.roots, {}, composites=True).write(planned.order)


def _ancestors(nodes: Iterable[Node]) -> set[Node]:
    seen: set[Node] = set()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(node.inputs)
    return seen


def _step(graph: Graph, statement: Statement, statements: Sequence[Statement]) -> Step:
    others = {n for s in statements for n in s.nodes} - set(statement.nodes)
    parts = (n for result in statement.nodes for n in inside(result, others))
    reasons = dict.fromkeys(text for n in parts for text in sentences(graph, n))
    forward = gradient_of(statement.node)
    source = statement.node if forward is None else forward
    declared = str(source.about.origin) if source.about.origin else None
    shape = shape_text(statement.node.shape) if statement.node.shape else "scalar"
    formula = (
        "\n".join(line.rstrip() for line in statement.block) or f"{statement.name} = {statement.expression}"
    )
    own = forward is None and chain_rule_of(statement.node) is None
    return Step(formula, shape, tuple(reasons), declared, own)


def inside(node: Node, others: set[Node]) -> list[Node]:
    """A statement's node and the nodes that stand inside its line."""
    found = [node]
    for current in found:
        found.extend(x for x in current.inputs if x not in others and x.op.kind != "leaf" and x not in found)
    return found


def sentences(graph: Graph, node: Node) -> list[str]:
    """What the chain rule did, then what was rewritten, each in the order in which it happened."""
    events = list(history(node, parts=True))
    made = [e for e in events if not isinstance(e, (Rewrite, Lowered))]
    rewritten = [e for e in reversed(events) if isinstance(e, (Rewrite, Lowered))]
    return [text for event in (*made, *rewritten) if (text := _sentence(graph, event))]


def _sentence(graph: Graph, event: Event) -> str:
    match event:
        case Rewrite(rule=rule, kind=kind, facts=facts):
            return f"rewritten by {rule} ({kind}{': ' if facts else ''}{'; '.join(facts)})"
        case Region(found=found):
            return f"other forms of this region were compared: {found}"
        case Lowered(before=before) if before.op.kind != "linear":
            return f"body of {op_title(before)}"
        case Equation(of=of):
            return f"an equation of {of}"
        case Accumulate(terms=terms):
            return f"used {len(terms)} times, so {len(terms)} gradients are added"
        case Unbroadcast(of=of):
            shape = shape_text(of.shape) if of.shape else "a scalar"
            return f"stretched in the forward pass, so summed back to {shape}"
    return _chain_rule(graph, event)


def _chain_rule(graph: Graph, event: Event) -> str:
    match event:
        case Seed():
            return "seed: dL/dL = 1"
        case ChainRule(rule=rule, forward=forward, operand=operand, formula=formula) if formula != "1":
            of = f"{rule}{_called(graph, forward)}, operand {operand_name(forward, operand)}"
            return f"chain rule of {of}: {formula}"
        case PushForward(rule=rule, forward=forward):
            return f"forward mode through {rule}{_called(graph, forward)}"
        case OverSteps():
            return "read by every step of the loop, so added up over the steps"
        case Assembled():
            return "rows or columns of a Jacobian, side by side"
    return ""


def _called(graph: Graph, node: Node) -> str:
    name = graph.name_of(node)
    return f" at {name}" if name else ""
