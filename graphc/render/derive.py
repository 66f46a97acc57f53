"""``derivation``: the gradients of a model as a page of a textbook, with every step numbered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from graphc.derivatives import grad
from graphc.errors import ArgumentError
from graphc.ir.events import Rewrite
from graphc.ir.graph import Graph, graph_of, unknown_name
from graphc.ir.node import Node, engine
from graphc.ir.provenance import history
from graphc.ir.structure import flatten
from graphc.render.document import (
    MAX_WIDTH,
    Block,
    Code,
    Display,
    Heading,
    Paragraph,
    Pieces,
    Ref,
    Table,
    html_of,
    latex_of,
    markdown_of,
    page_of,
    width,
)
from graphc.render.equations import DERIVATIVE, Equation, System, system_of
from graphc.render.formula import shape_label
from graphc.render.latex import latex
from graphc.render.maths import Math, equals, named, partial, row
from graphc.render.parts import BACKWARD, FORWARD
from graphc.render.sheet import sheet_of
from graphc.rewrite.lower import MODES
from graphc.rewrite.pipeline import BEFORE_GRADIENT, run
from graphc.rewrite.rules import RULES
from graphc.runtime.files import as_path, write_text
from graphc.stages import resolve, simplify

_ROLES = {"param": "parameter", "input": "input", "state": "state", "hyper": "hyper-parameter"}

SUFFIXES = (".md", ".tex", ".html", ".svg")

_SIGNS = (
    "A product without a sign is a product of matrices, ⊙ one element by element, ⊗ one of each with each; [c] is 1 "
    "where c holds and 0 elsewhere; what a sum runs over stands below its sign. An array with fewer axes is repeated "
    "(stretched) along those it lacks; a sum keeps its axis where its value is used along it again. "
    "Numbers are written to six digits."
)
_CONVENTIONS = (
    "Here ",
    partial(named("L"), named("x")),
    " is the array of the shape of x with the derivative of the loss by each of its elements. " + _SIGNS,
)


@dataclass(frozen=True, eq=False)
class Derivation:
    """A derivation: numbered equations from the inputs to the loss and back to the gradients.

    Attributes:
        title: what is derived.
        system: the equations, each with the nodes that both of its sides stand for.
    """

    title: str
    system: System

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The equations, in order."""
        return self.system.equations

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The document: headings, paragraphs, equations and tables."""
        return tuple(_blocks(self))

    @property
    def markdown(self) -> str:
        """As Markdown, with LaTeX between dollar signs."""
        return markdown_of(self.blocks)

    @property
    def latex(self) -> str:
        """As a LaTeX file that needs amsmath alone."""
        return latex_of(self.blocks)

    @property
    def html(self) -> str:
        """As one page with MathML: no script, and nothing is fetched."""
        return page_of(self.blocks, self.title)

    @property
    def svg(self) -> str:
        """The equations alone as one picture, set as outlines: for slides, and for what knows no MathML.

        Raises:
            MissingDependency: ziamath is not installed.
        """
        return sheet_of(self.title, self.equations)

    def __str__(self) -> str:
        return self.markdown

    def _repr_html_(self) -> str:
        return html_of(self.blocks)

    def _repr_latex_(self) -> str:
        lines = " \\\\\n".join(
            f"{latex(e.left)} &= {latex(e.right)} && \\text{{({e.number})}}" for e in self.equations
        )
        return f"$$\\begin{{aligned}}\n{lines}\n\\end{{aligned}}$$"

    def __repr__(self) -> str:
        return f"<derivation of {self.title}: {len(self.equations)} equations>"

    def save(self, path: Any) -> Path:
        """Write it; the suffix, ``.md``, ``.tex``, ``.html`` or ``.svg`` (the equations alone), says how.

        Raises:
            ArgumentError: another suffix, or a path that cannot be written.
        """
        texts = {".md": "markdown", ".tex": "latex", ".html": "html", ".svg": "svg"}
        suffix = as_path(path).suffix.lower()
        if suffix not in texts:
            raise ArgumentError(
                "a derivation is not written in this form", given=str(path), expected=" or ".join(SUFFIXES)
            )
        return write_text(path, getattr(self, texts[suffix]))


def derivation(model: Any, wrt: Any = None, *, level: str | None = None, mode: str = "train") -> Derivation:
    """How the gradients of a loss come about: every equation, from the inputs to the loss and back.

    Forward equations first, then the derivatives of the functions used, then a gradient at a time, each with its
    shape, the rule that gives it, what it keeps of the forward pass, and by which rule it was simplified.

    Args:
        model: a ``gx.Model`` with a loss, or a scalar node.
        wrt: what to differentiate by: names of parameters, or nodes; one, or a list, tuple or dict of them. By default
            all trained parameters.
        level: ``exact``, ``default`` or ``fast``: which rewrites may happen; by default the model's.
        mode: ``train`` or ``eval``, where the graph has a choice.

    Raises:
        ArgumentError: no loss, nothing to differentiate by, or an unknown mode.
        UnknownNameError: a name that no parameter has.

    Example:
        >>> import graphc as gx
        >>> x, w = gx.input("x", ("n", 3)), gx.param("w", (3,))
        >>> page = gx.derivation(gx.mean(gx.square(x @ w)))
        >>> print(page.markdown.splitlines()[0])
        # Derivation of ∂L/∂w
    """
    if mode not in MODES:
        raise ArgumentError("mode is train or eval", given=repr(mode))
    loss = model if isinstance(model, Node) else getattr(model, "loss", None)
    if not isinstance(loss, Node):
        raise ArgumentError(
            "a derivation needs a loss", given=type(model).__name__, fix="pass gx.Model(outputs, loss)"
        )
    graph = graph_of(loss) if isinstance(model, Node) else model.graph
    variables = _variables(model, graph, wrt)
    used = str(level or getattr(model, "level", "default"))
    simple, targets = _simplified(graph, loss, variables, used, mode)
    name = None if isinstance(model, Node) else str(model.name)
    return Derivation(_title(graph, variables, name), system_of(simple, simple.outputs[0], targets))


def _simplified(
    graph: Graph, loss: Node, variables: Sequence[Node], level: str, mode: str
) -> tuple[Graph, list[Node]]:
    """The loss as it is differentiated and its gradients, simplified together; and by what they are."""
    top, *targets = resolve(graph_of([loss, *variables]), mode).outputs
    with engine():
        prepared = run(Graph((top,)), BEFORE_GRADIENT, level).outputs[0]
    if prepared.op.kind != "leaf":  # a constant is one node in all graphs
        prepared.about.adopt(top.about)
    whole = graph_of([prepared, *grad(top, targets, level)], name=graph.name)
    return simplify(replace(whole, scope_names=graph.scope_names), level), targets


def _variables(model: Any, graph: Graph, wrt: Any) -> list[Node]:
    known = {str(graph.name_of(n)): n for n in graph.leaves("param") if n.attrs["trainable"]}
    if wrt is None:
        found = list(known.values()) if isinstance(model, Node) else list(model._trained())
    else:
        wanted, _ = flatten(wrt, lambda x: isinstance(x, (str, Node)))
        found = [_variable(w, known) for w in wanted]
    if not found:
        raise ArgumentError("there is nothing to differentiate by", fix="declare a gx.param, or pass wrt=")
    return list(dict.fromkeys(found))


def _variable(wanted: Any, known: Mapping[str, Node]) -> Node:
    if isinstance(wanted, Node):
        return wanted
    if wanted not in known:
        raise unknown_name(str(wanted), list(known), "parameter")
    return known[wanted]


def _title(graph: Graph, variables: Sequence[Node], name: str | None) -> str:
    if name is not None:
        return f"the gradients of {name}"
    return ", ".join(f"∂L/∂{graph.name_of(v) or 'x'}" for v in variables[:4]) + (
        ", …" if len(variables) > 4 else ""
    )


# -- the page -----------------------------------------------------------------------------------------------------


def _blocks(page: Derivation) -> Iterator[Block]:
    system = page.system
    yield Heading(1, (f"Derivation of {page.title}",))
    yield Paragraph(_CONVENTIONS)
    if any(n.op.latex == "n" for n in system.graph.nodes):
        yield Paragraph((named("n"), " is how many values a statistic is taken of."))
    yield Heading(2, ("Symbols",))
    yield _symbols(system)
    yield Heading(2, ("Forward pass",))
    yield from _displays(system.of_phase(FORWARD))
    if system.of_phase(DERIVATIVE):
        yield Heading(2, ("Derivatives of the functions",))
        yield from _displays(system.of_phase(DERIVATIVE))
    yield Heading(2, ("Backward pass",))
    yield Paragraph(_start(system))
    yield from _displays(system.of_phase(BACKWARD))
    yield Heading(2, ("Gradients",))
    yield _summary(system)
    rules = _rules(system)
    if rules:
        yield Heading(2, ("Rules that simplified",))
        yield Table(("rule", "kind", "from", "to", "why, or what must be known"), rules)


def _start(system: System) -> Pieces:
    loss = system.names[system.loss]
    one = equals(partial(loss, loss), Math("number", "1"))
    return ("It begins with ", one, " and goes back through the forward equations, last one first.")


def _symbols(system: System) -> Table:
    rows = []
    read = {n for e in system.equations for n in e.names} | set(system.targets)
    for node, name in system.names.items():
        if node.op.kind == "leaf" and node.op.role != "random" and node in read:
            full = system.graph.name_of(node)
            known: Pieces = (Code(full),) if full else ()
            what = _ROLES.get(str(node.op.role), "constant")
            rows.append(((name,), (what,), known, (shape_label(node.shape),)))
    return Table(("symbol", "is", "declared as", "shape"), tuple(rows))


def _displays(equations: Sequence[Equation]) -> Iterator[Block]:
    layer = ""
    for equation in equations:
        if equation.layer != layer:
            layer = equation.layer
            yield Heading(3, (f"Layer {layer}",) if layer else ("Outside the layers",))
        shape = "" if equation.phase == DERIVATIVE else equation.shape
        yield Display(equation.number, _line(equation), shape, equation.notes)


def _line(equation: Equation) -> Math:
    body = equals(equation.left, equation.right)
    if equation.lead is None:
        return body
    return row([equation.lead, Math("comma"), Math("quad"), body], 0)


def _summary(system: System) -> Table:
    rows = []
    for target in system.targets:
        equation = next(e for e in system.equations if e.of is target)
        cells = [x for number in _path(system, equation) for x in (", ", Ref(number))][1:]
        short = width(equation.right) <= MAX_WIDTH
        shown = equals(equation.left, equation.right) if short else equation.left
        rows.append(((shown,), (equation.shape,), tuple(cells)))
    return Table(("gradient", "shape", "from the loss through"), tuple(rows))


def _path(system: System, last: Equation) -> list[int]:
    """The equations on the way from the loss to a gradient."""
    defining: dict[Node, Equation] = {}
    for equation in system.of_phase(BACKWARD):
        defining.setdefault(equation.node, equation)
    path = {last.number: last}
    queue = [last]
    for current in queue:
        for name in current.names:
            found = defining.get(name)
            if found is not None and found.number not in path:
                path[found.number] = found
                queue.append(found)
    return sorted(path)


def _rules(system: System) -> tuple[tuple[Pieces, ...], ...]:
    names = {
        e.rule: e.kind
        for equation in system.equations
        if equation.phase != DERIVATIVE
        for node in equation.inside
        for e in history(node)
        if isinstance(e, Rewrite)
    }
    known = {rule.name: rule for rule in RULES}
    rows = []
    for name, kind in sorted(names.items()):
        rule = known.get(name)
        left = (Code(str(rule.left)),) if rule is not None and rule.left is not None else ("any card",)
        written = rule is not None and not (callable(rule.right) and not hasattr(rule.right, "op"))
        right = (Code(str(rule.right)),) if rule is not None and written else ("computed from what matched",)
        why = (rule.fact or rule.note) if rule is not None else ""
        rows.append(((Code(name),), (kind,), left, right, (why,)))
    return tuple(rows)
