"""From a model's declaration to its module: which graphs are compiled, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphc.codegen.labels import label_inputs
from graphc.codegen.module import ModelPlan, emit_module
from graphc.codegen.names import identifier
from graphc.codegen.numpy import Source
from graphc.derivatives import grad
from graphc.ir.graph import Graph, graph_of
from graphc.ir.node import Node, engine
from graphc.optim.optimizer import Optimizer
from graphc.planning.order import Plan
from graphc.rewrite.driver import Trace
from graphc.rewrite.pipeline import BEFORE_BUFFERS, run
from graphc.runtime.load import load_source
from graphc.stages import plan, resolve, simplify
from graphc.train.updates import update_plan


@dataclass(frozen=True)
class Module:
    """A model's generated module, loaded.

    Attributes:
        source: the text that runs, and that is exported.
        functions: predict, evaluate, forward, backward, update, train_step, init, make_rng.
        model: what it was written from.
        trace: what the passes did.
    """

    source: Source
    functions: dict[str, Any]
    model: ModelPlan
    trace: Trace

    def __getattr__(self, name: str) -> Any:
        try:
            return self.functions[name]
        except KeyError:
            raise AttributeError(name) from None


def build_module(
    declared: Graph,
    outputs: Any,
    loss: Node | None,
    metrics: dict[str, Node],
    trained: Sequence[Node],
    optimizer: Optimizer | None,
    level: str,
    layout: str = "fresh",
    target: str = "numpy",
) -> Module:
    """Compile a model.

    Args:
        declared: the graph of outputs, loss and metrics together; it fixes names and arguments.
        outputs: what predict returns, in its structure.
        loss: the scalar to minimise.
        metrics: scalars by name.
        trained: the parameters that the optimizer changes.
        optimizer: None for a module without training.
        level: which rewrites may happen.
        layout: ``fresh`` or ``planned``: how a step of training runs.
        target: ``numpy``, or ``numba``: a planned step with compiled kernels.
    """
    trace = Trace()
    train = training_graph(declared, loss, trained, level) if optimizer and loss is not None else None
    scores = {"loss": loss, **metrics} if loss is not None else metrics
    update = update_plan(declared, trained, optimizer, level, trace) if optimizer else None
    model = ModelPlan(
        identifier(declared.name),
        _planned(declared, outputs, "eval", level, trace),
        _planned(declared, scores, "eval", level, trace),
        _plan_of(train, "train", level, trace, layout) if train else None,
        update,
        tuple(trained),
        label_inputs(declared),
        declared,
        layout,
        level,
        target,
    )
    source = emit_module(model)
    return Module(source, load_source(source.text, model.name, source.kernels), model, trace)


def with_hypers(module: Module, hypers: Mapping[str, float]) -> Module:
    """The same module with these defaults of what training may change: written anew, and nothing compiled."""
    update = module.model.update
    if update is None:
        return module
    defaults = {name: (variable, hypers[name]) for name, (variable, _) in update.hypers.items()}
    if defaults == dict(update.hypers):
        return module
    model = replace(module.model, update=replace(update, hypers=defaults))
    source = emit_module(model)
    return Module(source, load_source(source.text, model.name, source.kernels), model, module.trace)


def training_graph(declared: Graph, loss: Node, trained: Sequence[Node], level: str) -> Graph:
    """Loss and gradients as one graph, with the names of the declaration."""
    return within(declared, [loss, *grad(loss, list(trained), level)], "forward")


def within(declared: Graph, outputs: Any, name: str) -> Graph:
    """A graph of some outputs that keeps the names of the whole declaration, and only the arguments it needs."""
    graph = graph_of(outputs, name=name)
    return replace(graph, scope_names=declared.scope_names)


def _planned(declared: Graph, outputs: Any, mode: str, level: str, trace: Trace) -> Plan:
    return _plan_of(within(declared, outputs, "f"), mode, level, trace)


def _plan_of(graph: Graph, mode: str, level: str, trace: Trace, layout: str = "fresh") -> Plan:
    simple = simplify(resolve(graph, mode), level, trace)
    if layout != "fresh":
        with engine():
            simple = run(simple, BEFORE_BUFFERS, level, trace)
    return plan(simple, level, trace)
