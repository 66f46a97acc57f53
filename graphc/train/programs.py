"""From a model's declaration to its module: which graphs are compiled, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphc.codegen.module import ModelPlan, UpdateRule, emit_module
from graphc.codegen.names import identifier
from graphc.codegen.numpy import Source, function_of
from graphc.derivatives import grad
from graphc.ir.graph import Graph, graph_of
from graphc.ir.node import Node
from graphc.ir.types import Type
from graphc.optim.optimizer import Optimizer
from graphc.planning.order import Plan
from graphc.rewrite.driver import Trace
from graphc.runtime.load import load_source
from graphc.stages import plan, resolve, simplify


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
    """
    trace = Trace()
    train = training_graph(declared, loss, trained, level) if optimizer and loss is not None else None
    scores = {"loss": loss, **metrics} if loss is not None else metrics
    rules = update_rules(declared, trained, optimizer, level, trace) if optimizer else ()
    model = ModelPlan(
        identifier(declared.name),
        _planned(declared, outputs, "eval", level, trace),
        _planned(declared, scores, "eval", level, trace),
        _plan_of(train, "train", level, trace) if train else None,
        rules,
        tuple(trained),
        optimizer.steps if optimizer else (),
        optimizer.rate if optimizer else None,
        label_inputs(declared),
        declared,
    )
    source = emit_module(model)
    return Module(source, load_source(source.text, model.name), model, trace)


def training_graph(declared: Graph, loss: Node, trained: Sequence[Node], level: str) -> Graph:
    """Loss and gradients as one graph, with the names of the declaration."""
    return within(declared, [loss, *grad(loss, list(trained), level)], "forward")


def within(declared: Graph, outputs: Any, name: str) -> Graph:
    """A graph of some outputs that keeps the names of the whole declaration, and only the arguments it needs."""
    graph = graph_of(outputs, name=name)
    return replace(graph, scope_names=declared.scope_names)


def _planned(declared: Graph, outputs: Any, mode: str, level: str, trace: Trace) -> Plan:
    return _plan_of(within(declared, outputs, "f"), mode, level, trace)


def _plan_of(graph: Graph, mode: str, level: str, trace: Trace) -> Plan:
    return plan(simplify(resolve(graph, mode), level, trace), level, trace)


def update_rules(
    declared: Graph, trained: Sequence[Node], optimizer: Optimizer, level: str, trace: Trace
) -> tuple[UpdateRule, ...]:
    """The optimizer's equations, once for all parameters whose code comes out the same."""
    by_type: dict[Type, list[str]] = {}
    for p in trained:
        by_type.setdefault(p.type, []).append(str(declared.name_of(p)))
    by_text: dict[tuple[str, ...], tuple[Plan, list[str]]] = {}
    for kind, members in by_type.items():
        name = optimizer.name if not by_text else f"{optimizer.name}_{len(by_text) + 1}"
        planned = plan(
            simplify(optimizer.rule_graph(kind.shape, kind.dtype, name), level, trace), level, trace
        )
        key = function_of(planned, "", comments=False).lines[1:]
        by_text.setdefault(key, (planned, []))[1].extend(members)
    return tuple(
        UpdateRule(planned, tuple(names), optimizer.slot_names, optimizer.equation)
        for planned, names in by_text.values()
    )


def label_inputs(graph: Graph) -> dict[Node, int]:
    """Inputs that are class labels, with the number of classes: those that a one-hot card reads."""
    labels: dict[Node, int] = {}
    for node in graph.nodes:
        if "one_hot" in node.op.properties and node.inputs[0].op.role == "input":
            classes = node.attrs["classes"]
            labels[node.inputs[0]] = min(classes, labels.get(node.inputs[0], classes))
    return labels
