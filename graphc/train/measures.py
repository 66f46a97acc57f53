"""What a model is measured by: metrics as nodes, scores of whole predictions, and metrics asked for by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphc.errors import ArgumentError
from graphc.ir.graph import graph_of, unknown_name
from graphc.ir.node import Node
from graphc.nn.metrics import METRICS, Score


def read_metrics(given: Any, outputs: Any, loss: Node | None) -> tuple[dict[str, Node], dict[str, Score]]:
    """Metrics and scores by name.

    Args:
        given: a dict by name, or a list; of nodes, scores (``nn.f1(logits, t)``), and names (``"f1_macro"``), which
            compare the output with the target of the loss.
        outputs: those of the model.
        loss: its loss.

    Raises:
        ArgumentError: something else, a name that the history needs, or one that needs a single output and target.
        UnknownNameError: no such metric.
    """
    pairs = given.items() if isinstance(given, Mapping) else [(_name(m), m) for m in given or ()]
    found: dict[str, Any] = {}
    for name, metric in pairs:
        _check_name(name, found)
        found[name] = _by_name(metric, outputs, loss) if isinstance(metric, str) else metric
        _check_kind(name, found[name])
    metrics = {k: m for k, m in found.items() if isinstance(m, Node)}
    _name_nodes(metrics, outputs, loss)
    return metrics, {k: m for k, m in found.items() if isinstance(m, Score)}


def _name(metric: Any) -> Any:
    """The name of a metric in a list."""
    if isinstance(metric, Score):
        return metric.kind
    if isinstance(metric, Node):
        if metric.about.name is None:
            raise ArgumentError(
                "a metric in a list needs a name", given=str(metric.type), fix='metrics={"accuracy": ...}'
            )
        return metric.about.name
    return metric


def _check_name(name: Any, found: Mapping[str, Any]) -> None:
    if not isinstance(name, str) or not name or name in ("loss", "epoch") or name.startswith("val_"):
        raise ArgumentError(
            "this name of a metric is taken by the history",
            given=repr(name),
            expected="text other than loss, epoch and val_...",
        )
    if name in found:
        raise ArgumentError(f"two metrics are named {name!r}", fix="pass a dict with names of your own")


def _check_kind(name: str, metric: Any) -> None:
    if not isinstance(metric, Score) and (not isinstance(metric, Node) or metric.shape != ()):
        given = str(getattr(metric, "type", type(metric).__name__))
        raise ArgumentError(f"{name} must be a scalar node", given=given, fix="reduce it with gx.mean")


def _by_name(name: str, outputs: Any, loss: Node | None) -> Any:
    if name not in METRICS:
        raise unknown_name(name, list(METRICS), "metric")
    inputs = [n for n in graph_of(outputs).nodes if n.op.role == "input"]
    targets = [] if loss is None else _targets(loss, inputs)
    if not isinstance(outputs, Node) or len(targets) != 1:
        raise ArgumentError(
            f"the metric {name!r} by its name needs one output and one target",
            given=f"{'one output' if isinstance(outputs, Node) else 'several outputs'}, {len(targets)} targets",
            fix=f"pass nn.{name.partition('_')[0]}(prediction, target)",
        )
    return METRICS[name](outputs, targets[0])


def _targets(loss: Node, inputs: list[Node]) -> list[Node]:
    return [n for n in graph_of(loss).nodes if n.op.role == "input" and n not in inputs]


def _name_nodes(metrics: Mapping[str, Node], outputs: Any, loss: Node | None) -> None:
    """Before lines of the user name them: a metric is often made inside the call of ``Model`` itself."""
    for name, node in metrics.items():
        if node.op.kind == "leaf":
            continue  # a constant is shared
        if node.about.name is None and node is not loss and node is not outputs:
            node.about.name = name
