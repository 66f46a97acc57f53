"""What a model shows of itself: figure, viewer, chain rule, derivation, table."""

from __future__ import annotations

from typing import Any

from graphc.ir.graph import Graph
from graphc.optim.optimizer import Optimizer
from graphc.optim.registry import optimizer_of
from graphc.train.summary import Summary


class Shown:
    """The part of a model that shows it."""

    graph: Graph
    optimizer: Optimizer | None

    def module(self, optimizer: Optimizer | str | None, layout: str | None = None) -> Any:
        """The generated module that trains; the rest of the model has it."""
        raise NotImplementedError

    def draw(
        self,
        path: Any = None,
        level: str | None = None,
        optimizer: Optimizer | str | None = None,
        **options: Any,
    ) -> Any:
        """The forward and the backward pass, paired in one figure; see ``gx.draw``.

        With ``optimizer``, or ``updates=True`` for that of the model, its equations stand beside the gradients.
        """
        from graphc.render import draw

        what = self if optimizer is None else self.drawing_graph(optimizer)
        return draw(what, path, level=level, **options)

    def view(self, path: Any = None, **options: Any) -> Any:
        """Figure, derivation and listing in one HTML file that needs no network; see ``gx.view``."""
        from graphc.viewer import view

        return view(self, path, **options)

    def drawing_graph(self, optimizer: Optimizer | str | None = None) -> Graph:
        """What is drawn: outputs, loss and gradients (and with an optimizer, the updates)."""
        from graphc.train.figure import drawing_graph

        return drawing_graph(self, None if optimizer is None else optimizer_of(optimizer))

    def explain(self, name: str | None = None) -> Any:
        """The chain rule, step by step, to a parameter."""
        from graphc.train.figure import explain_param

        return explain_param(self, name)

    def blame(self, line: int | str, optimizer: Optimizer | str | None = None) -> Any:
        """From a line of ``source()`` (its number, or a text in it) back to the maths; see ``gx.blame``."""
        from graphc.explanation.blame import blame_in

        return blame_in(self.module(optimizer or self.optimizer).source, self.graph, line)

    def derivation(self, wrt: Any = None) -> Any:
        """The gradients as numbered equations: ``.markdown``, ``.latex``, ``.html``; see ``gx.derivation``."""
        from graphc.render.derive import derivation

        return derivation(self, wrt)

    def summary(self) -> Summary:
        """Layers, shapes, parameters and operations, as a table."""
        from graphc.train.summary import summary

        return summary(self)
