"""``draw``: from what the user has to a picture, at the level that was asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from graphc.errors import ArgumentError, MissingDependency
from graphc.explanation.slots import slots_of
from graphc.ir.graph import Graph, graph_of
from graphc.ir.node import Node, engine
from graphc.planning.order import Plan, is_gradient
from graphc.render.boxes import boxes_of
from graphc.render.collapse import collapsed
from graphc.render.dot import dot_of, dot_with_marks
from graphc.render.engines import INSTALL, LayoutError, Unavailable, render
from graphc.render.figure import Figure
from graphc.render.page import page_of
from graphc.render.parts import parts_of
from graphc.render.path import with_path
from graphc.render.place import placed
from graphc.render.press import DPI, LEGIBLE, LONGEST, Printed, density, printed
from graphc.render.rows import figure_of
from graphc.render.svg import cleaned, described, summary, with_dark
from graphc.render.typeset import settings_of
from graphc.rewrite.driver import Trace
from graphc.rewrite.lower import MODES, collect_updates
from graphc.rewrite.pipeline import BEFORE_GRADIENT, run
from graphc.runtime.files import as_path, refuse_name, write_bytes
from graphc.stages import emit, plan, resolve, simplify

LEVELS = ("model", "graph", "lowered", "plan")
EXTENSIONS = (".svg", ".png", ".pdf", ".dot", ".html")

MAX_BOXES = 300
"""A figure of more boxes is shown by layer, unless a level was asked for."""


@dataclass(frozen=True)
class Drawing:
    """A picture that is not laid out until it is looked at.

    Attributes:
        figure: its boxes and edges.
        level: model, graph, lowered or plan.
        legend: whether it explains its colours.
        path: where ``draw`` wrote it, or None.
    """

    figure: Figure
    level: str
    legend: bool = True
    path: Path | None = None

    @cached_property
    def dot(self) -> str:
        """The DOT text: the same for the same graph, byte for byte."""
        return dot_of(self.figure, self.legend)

    @cached_property
    def svg(self) -> str:
        """The picture as SVG.

        Raises:
            MissingDependency: nothing here can lay out a picture.
        """
        return with_dark(self.plain_svg)

    @cached_property
    def plain_svg(self) -> str:
        """The same with the colours of a light page alone, for pages that have their own."""
        dot, marks = dot_with_marks(self.figure, self.legend, settings_of(self.figure))
        return placed(cleaned(self._render(dot, "svg").decode(), self.figure), marks)

    @property
    def html(self) -> str:
        """One file for a browser: the picture, or without an engine a table of the same boxes."""
        try:
            return page_of(self.figure, self.svg)
        except (MissingDependency, LayoutError) as error:
            return page_of(self.figure, None, f"No layout: {_reason(error)}")

    def save(self, path: Any) -> Path:
        """Write a .svg, .png, .pdf, .dot or .html file, whole or not at all.

        Where nothing can lay out a picture, an .html file is written instead, and one line on stderr says so.

        Returns:
            The path that was written.

        Raises:
            ArgumentError: an unknown extension, or a folder that is not there or cannot be written.
        """
        target = _target(path)
        try:
            data = WRITERS[target.suffix.lower()](self)
        except (MissingDependency, LayoutError) as error:
            instead = target.with_suffix(".html")
            sys.stderr.write(f"graphc: wrote {instead} instead of {target.name}: {_reason(error)}\n")
            return _write(instead, self.html.encode())
        return _write(target, data)

    def _render(self, dot: str, format: str) -> bytes:
        return render(dot, format, len(self.figure.boxes))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """For notebooks: SVG where it can be laid out and is not too large, else HTML; never raises."""
        bundle = {"text/plain": repr(self)}
        with suppress(Exception):
            if len(self.figure.boxes) <= MAX_BOXES:
                bundle["image/svg+xml"] = self.svg
        if "image/svg+xml" not in bundle:
            with suppress(Exception):
                bundle["text/html"] = page_of(self.figure, None, f"No layout here; {INSTALL} draws it.")
        return bundle

    def __repr__(self) -> str:
        where = f", {self.path}" if self.path else ""
        return f"<drawing of {self.figure.name}: {len(self.figure.boxes)} boxes, level {self.level}{where}>"


def draw(
    what: Any,
    path: Any = None,
    level: str | None = None,
    *,
    updates: bool | None = None,
    mode: str | None = None,
    legend: bool = True,
    highlight: str | None = None,
) -> Drawing:
    """The forward and the backward pass in one figure.

    A row holds parameters, the forward node, its gradient, and the gradients of the parameters; a frame holds a
    layer. A formula stands on every box, the shape below it; what is saved for the backward pass is dashed.

    Args:
        what: a node, a list, tuple or dict of nodes, a Graph, a Program, or a Model.
        path: where to write it (.svg, .png, .pdf, .dot or .html); None writes nothing.
        level: ``model`` (a box per layer), ``graph`` (composites as boxes), ``lowered`` (as it runs) or ``plan`` (with
            the order of steps, and the slots of memory that values share). By default ``graph``, or ``model`` where
            that would be more than 300 boxes.
        updates: whether to show the equations of the optimizer; by default where a graph has them.
        mode: ``train`` or ``eval`` where the graph has a choice; by default ``train`` if there are gradients.
        legend: whether to explain the colours.
        highlight: a parameter, such as ``"hidden2.W"`` or as the figure writes it ``"W2"``: its path to the loss, and
            that of the gradient back to it, stand out, and the rest is faint.

    Returns:
        A Drawing: ``.dot``, ``.svg``, ``.save(path)``; a notebook shows it.

    Raises:
        ArgumentError: something that is not a graph, an unknown level or extension, or a path that cannot be written.
        UnknownNameError: ``highlight`` names no parameter.

    Example:
        >>> import graphc as gx
        >>> x, w = gx.input("x", ("n", 3)), gx.param("w", (3,))
        >>> loss = gx.mean(gx.square(x @ w)).named("loss")
        >>> gx.draw({"loss": loss, "gradient": gx.grad(loss, w)})
        <drawing of f: 5 boxes, level graph>
    """
    if level is not None and level not in LEVELS:
        raise ArgumentError("unknown level", given=repr(level), expected=", ".join(LEVELS))
    if mode is not None and mode not in MODES:
        raise ArgumentError("mode is train or eval", given=repr(mode))
    if highlight is not None and not isinstance(highlight, str):
        raise ArgumentError("highlight is the name of one parameter", given=repr(highlight)[:80])
    target = None if path is None else _target(path)
    graph = simplified(resolved(graph_to_draw(what, updates), mode))
    drawing = drawing_of(graph, level, updates is not False, legend, highlight)
    return drawing if target is None else replace(drawing, path=drawing.save(target))


def graph_to_draw(what: Any, updates: bool | None = None) -> Graph:
    """The declared graph of whatever can be drawn."""
    if hasattr(what, "drawing_graph") and not isinstance(what, type):
        graph: Graph = what.drawing_graph(_optimizer(what)) if updates else what.drawing_graph()
        return graph
    declared = getattr(what, "declared", what)
    if isinstance(declared, Graph):
        return declared
    if isinstance(declared, (Node, list, tuple, dict)):
        return graph_of(declared)
    raise ArgumentError(
        "this cannot be drawn",
        given=f"{type(what).__name__}: {what!r:.60}",
        expected="a node, a list, tuple or dict of nodes, a Graph, a Program or a Model",
    )


def _optimizer(model: Any) -> Any:
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        raise ArgumentError(
            "this model has no optimizer, so there are no updates to draw", fix="draw(..., optimizer=...)"
        )
    return optimizer


def drawing_of(
    graph: Graph,
    level: str | None = None,
    updates: bool = True,
    legend: bool = True,
    highlight: str | None = None,
) -> Drawing:
    """The drawing of a simplified graph; see ``draw``."""
    whole, drawn = _figure(graph, level, updates)
    figure, used = _shown(whole, level)
    if not figure.boxes:
        figure = replace(figure, note="nothing to draw: no input, no parameter, no operation")
    if highlight is not None:
        figure = with_path(figure, whole, drawn, highlight)
    return Drawing(figure, used, legend)


def _figure(graph: Graph, level: str | None, updates: bool) -> tuple[Figure, Graph]:
    """The figure with every box, and the graph that is in it."""
    if level not in ("lowered", "plan"):
        return figure_of(graph, updates=updates), graph
    if level == "lowered":
        planned = plan(graph)
        return figure_of(planned.graph, share=False, updates=updates), planned.graph
    planned = plan(graph, layout="planned")
    steps = {node: i + 1 for i, node in enumerate(planned.order)}
    figure = figure_of(planned.graph, share=False, updates=updates, steps=steps, slots=_slots(planned))
    return figure, planned.graph


def _slots(planned: Plan) -> Mapping[Node, int]:
    """The number of the buffer in which a node lies; what has none is an array of its own."""
    source = emit(planned)
    number = {
        name: i for i, slot in enumerate(slots_of(source.text), 1) for name in (slot.name, *slot.shared)
    }
    return {s.node: number[s.name] for s in source.statements if s.name in number}


def _shown(figure: Figure, level: str | None) -> tuple[Figure, str]:
    """By layers where that was asked for, or where there are too many boxes; and the level that this is."""
    if level == "model":
        return collapsed(figure), level
    count = len(figure.boxes)
    if level is not None or count <= MAX_BOXES:
        return figure, level or "graph"
    note = f'{count:,} boxes, shown by layer; draw(..., level="graph") shows all of them'
    return collapsed(figure, note), "model"


def resolved(graph: Graph, mode: str | None = None) -> Graph:
    """Transitions collected; choices made where a mode is given or there are gradients, else both branches stay."""
    choices = any(n.op.role == "by_mode" for n in graph.nodes)
    if choices and (mode is not None or any(map(is_gradient, graph.nodes))):
        return resolve(graph, mode or "train")
    with engine():
        return collect_updates(graph)


def simplified(graph: Graph, level: str = "default", trace: Trace | None = None) -> Graph:
    """The simplified graph, in whichever form has fewer boxes: as declared, or with outputs as they are differentiated.

    What is differentiated was opened and made stable first. Where simplifying does not arrive at the same values from
    both sides, they would be drawn twice.
    """
    simple = simplify(graph, level, trace)
    forward = tuple(x for x in graph.outputs if not is_gradient(x) and x.inputs)
    if len(forward) == len(graph.outputs):
        return simple
    with engine():
        prepared = run(Graph(forward), BEFORE_GRADIENT, level).outputs
    for before, after in zip(forward, prepared, strict=True):
        if after is not before and after.op.kind != "leaf":
            after.about.adopt(before.about)
    opened = simplify(graph.over(dict(zip(forward, prepared, strict=True))), level)
    return opened if _count(opened) < _count(simple) else simple


def _count(graph: Graph) -> int:
    return len(boxes_of(graph, parts_of(graph), brief=True).titles)


# -- files --------------------------------------------------------------------------------------------------------


def _printed(drawing: Drawing, format: Printed) -> bytes:
    """By Typst from the SVG, or else by Graphviz, with formulas as text."""
    figure = drawing.figure
    try:
        if format == "png" and density(drawing.plain_svg) < LEGIBLE:
            sys.stderr.write(
                f"graphc: {len(figure.boxes):,} boxes are too small in a .png; an .svg stays sharp\n"
            )
        return printed(drawing.plain_svg, format, summary(figure), described(figure))
    except (Unavailable, MissingDependency):
        head, brace, rest = drawing.dot.partition("{")
        size = f'\n\tgraph [dpi={DPI} size="{LONGEST / DPI:g},{LONGEST / DPI:g}"]' if format == "png" else ""
        return drawing._render(f"{head}{brace}{size}{rest}", format)


WRITERS: Mapping[str, Callable[[Drawing], bytes]] = MappingProxyType(
    {
        ".svg": lambda d: d.svg.encode(),
        ".png": lambda d: _printed(d, "png"),
        ".pdf": lambda d: _printed(d, "pdf"),
        ".dot": lambda d: d.dot.encode(),
        ".html": lambda d: d.html.encode(),
    }
)


def _target(path: Any) -> Path:
    """A path that can be written, with an extension that is known: checked before anything is drawn."""
    target = as_path(path)
    if target.suffix.lower() not in EXTENSIONS:
        raise ArgumentError("unknown extension", given=target.name, expected=", ".join(EXTENSIONS))
    refuse_name(target)
    if not target.parent.is_dir():
        raise ArgumentError(
            "the folder is not there", given=str(target.parent), fix="make it first, or choose another"
        )
    if target.is_dir():
        raise ArgumentError("this is a folder", given=str(target), fix="give the name of a file in it")
    return target


def _write(target: Path, data: bytes) -> Path:
    try:
        return write_bytes(target, data)
    except OSError as error:
        fix = "choose a folder that can be written, with room on its disk"
        raise ArgumentError(
            "the file cannot be written", given=f"{target} ({error.strerror})", fix=fix
        ) from None


def _reason(error: MissingDependency | LayoutError) -> str:
    """One line: what is wrong and what to do."""
    return f"{error.what}; {error.fix}"
