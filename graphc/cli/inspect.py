"""``graphc draw``, ``view``, ``show``, ``explain``, ``derive``, ``export`` and ``check``."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import numpy as np

from graphc.cli.console import grid
from graphc.cli.data import read_data
from graphc.cli.files import writable
from graphc.cli.models import optimizer_of, read_model
from graphc.cli.shown import checked, explained, listing
from graphc.codegen.labels import LabelRange, label_inputs
from graphc.errors import UsageError
from graphc.ir.node import Node, size_names
from graphc.ir.size import evaluate
from graphc.train.model import Model

PAGES = (".md", ".tex", ".html")
PICTURES = (".svg", ".png", ".pdf", ".dot", ".html")


def draw(options: Namespace) -> int:
    """Write a picture and print where it is."""
    if options.out:
        writable(options.out, "--out", PICTURES)
    model = read_model(options.model)
    target = writable(options.out or f"{model.graph.name}.svg", "--out", PICTURES)
    drawing = model.draw(target, level=options.level, highlight=options.highlight)
    print(written_path(drawing, target))
    return 0


def written_path(drawing: Any, asked: Any) -> str:
    """Where a drawing went: ``draw`` writes a page beside a picture that it cannot lay out."""
    return str(getattr(drawing, "path", None) or asked)


VIEWED_ROWS = 64
"""As many rows of a data set are computed for the histograms of a view."""


def view(options: Namespace) -> int:
    """Write the page that links figure, derivation and listing, and print where it is."""
    if options.out:
        writable(options.out, "--out", (".html",))
    if options.target and not options.data:
        raise UsageError("--target says what to predict in --data", fix="name data with --data")
    model = read_model(options.model)
    data = read_data(options.data, options.target, model) if options.data else None
    target = writable(options.out or f"{model.graph.name}.html", "--out", (".html",))
    batch = None if data is None else (data.x[:VIEWED_ROWS], data.y[:VIEWED_ROWS])
    print(model.view(target, values=batch).path)
    return 0


def show(options: Namespace) -> int:
    """Print the listing, the plan or the IR."""
    model = read_model(options.model)
    print({"listing": _listing, "plan": _plan, "ir": _ir}[options.what](model, options).rstrip("\n"))
    return 0


def _listing(model: Model, options: Namespace) -> str:
    return listing(model.source(_optimizer(model, options.optimizer)))


def _ir(model: Model, options: Namespace) -> str:
    from graphc.ir.text import graph_text

    return graph_text(model.graph)


def _plan(model: Model, options: Namespace) -> str:
    from graphc.stages import plan, resolve, simplify

    graph = model.graph if model.loss is None else model.training_graph()
    planned = plan(simplify(resolve(graph, "train"), model.level), model.level)
    rows = []
    for i, node in enumerate(planned.order, 1):
        layer, name = planned.graph.layer_of(node), planned.graph.name_of(node) or ""
        rows.append((str(i), planned.phase[node], layer, name, node.op.name, str(node.type)))
    return grid(("", "phase", "layer", "value", "operation", "type"), rows, right=(0,))


def explain(options: Namespace) -> int:
    """Print the chain rule to a parameter."""
    print(explained(read_model(options.model).explain(options.param)))
    return 0


def derive(options: Namespace) -> int:
    """Write the derivation of the gradients and print where it is, or print it."""
    if options.out:
        writable(options.out, "--out", PAGES)
    page = read_model(options.model).derivation(options.params or None)
    if options.out:
        print(page.save(options.out))
    else:
        print(page.markdown.rstrip("\n"))
    return 0


def export(options: Namespace) -> int:
    """Write the standalone file and print where it is."""
    target = writable(options.out, "--out", (".py",))
    if options.target and not options.data:
        raise UsageError("--target says what to predict in --data", fix="name data with --data")
    model = read_model(options.model)
    data = read_data(options.data, options.target, model) if options.data else None
    print(model.export(target, optimizer=_optimizer(model, options.optimizer), data=data))
    return 0


def _optimizer(model: Model, name: str | None) -> Any:
    """The one asked for, or the model's own; a model without a loss has none."""
    return None if model.loss is None else optimizer_of(model, name)


def check(options: Namespace) -> int:
    """Print how well the gradients agree with central differences; 1 where one does not."""
    from graphc.check import check_grad

    model = read_model(options.model)
    if model.loss is None:
        raise UsageError(f"{options.model} has no loss to differentiate", fix="gx.Model(outputs, loss)")
    names = [str(model.graph.name_of(p)) for p in model._trained()]
    values = random_values(model, options.rows, options.seed)
    report = check_grad(
        model.loss,
        names,
        values,
        mode="train",
        level=model.level,
        elements=options.elements,
        seed=options.seed,
    )
    print(checked(report))
    return 0 if report.ok else 1


def random_values(model: Model, rows: int, seed: int) -> dict[str, Any]:
    """Random data for what the loss reads, and its parameters moved a little off their starting values."""
    from graphc.train.programs import within

    graph = within(model.graph, model.loss, "f")
    random = np.random.default_rng(seed)
    sizes = {name: rows + i for i, name in enumerate(size_names(graph.arguments))}
    values: dict[str, Any] = {**model.params, **model.state}
    found = {}
    for leaf in graph.arguments:
        name = str(graph.name_of(leaf))
        if leaf.op.role == "input":
            found[name] = _random_array(
                leaf, sizes, label_inputs(model.graph).get(leaf, LabelRange(2)).classes, random
            )
        elif leaf.op.role == "param":  # zeros would hide mistakes, and sit on kinks
            found[name] = values[name] + 0.1 * random.standard_normal(np.shape(values[name]))
        elif leaf.op.role == "state":
            found[name] = values[name]
    return found


def _random_array(leaf: Node, sizes: dict[str, int], classes: int, random: np.random.Generator) -> Any:
    shape = tuple(evaluate(dim, sizes) for dim in leaf.shape)
    if leaf.type.is_float:
        return random.standard_normal(shape)
    return random.integers(0, classes, shape).astype(leaf.dtype)
