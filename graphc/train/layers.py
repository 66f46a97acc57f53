"""What gradients and activations look like, layer by layer, while a model trains."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.derivatives import grad
from graphc.errors import ArgumentError
from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.stages import compile
from graphc.train.callbacks import Callback, Row
from graphc.train.programs import within
from graphc.train.run import check_count
from graphc.train.summary import in_order_of_use

if TYPE_CHECKING:
    from graphc.train.run import Run


@dataclass(frozen=True)
class Spread:
    """An array in four numbers.

    Attributes:
        mean: of its elements.
        std: their standard deviation (divided by n).
        norm: √ Σ x², computed in float64.
        zeros: the share of elements that are 0.
    """

    mean: float
    std: float
    norm: float
    zeros: float


def spread(array: Any) -> Spread:
    """The numbers of an array.

    Example:
        >>> from graphc.train.layers import spread
        >>> spread([3.0, 0.0, 0.0, 4.0])
        Spread(mean=1.75, std=1.7853571071357126, norm=5.0, zeros=0.5)
    """
    x = np.asarray(array, dtype=np.float64)
    return Spread(
        float(x.mean()), float(x.std()), float(np.linalg.norm(x.reshape(-1))), float((x == 0).mean())
    )


class LayerStatistics(Callback):
    """The gradient of each parameter and the output of each layer, on the last batch of an epoch.

    They are computed apart from training, with draws of their own, so that training is the same to the last bit.

    Args:
        every: look after this many epochs.

    Attributes:
        rows: a dict per look: its epoch, and under ``gradients`` and ``activations`` a ``Spread`` by name.

    Example:
        >>> import numpy as np
        >>> import graphc as gx
        >>> x, t = gx.input("x", ("n", 2)), gx.input("t", ("n", 1))
        >>> y = gx.nn.dense(gx.nn.dense(x, 4, activation="relu", name="hidden"), 1, name="output")
        >>> look = gx.train.LayerStatistics()
        >>> history = gx.Model(y, gx.nn.mse(y, t)).fit(np.eye(2), np.ones((2, 1)), callbacks=[look], verbose=False)
        >>> list(look.rows[0]["activations"])
        ['hidden', 'output']
    """

    def __init__(self, every: int = 1) -> None:
        check_count("every", every, 1)
        self.every = every
        self.rows: list[dict[str, Any]] = []
        self._program: Any = None

    def on_train_begin(self, run: Run) -> None:
        """Compile what is looked at."""
        self.rows, self._program = [], looking_program(run.model)

    def on_epoch_end(self, run: Run, row: Row) -> None:
        """Look."""
        if run.epoch % self.every == 0 and run.before is not None:
            found = look_at(self._program, run)
            looked = {kind: {k: spread(v) for k, v in values.items()} for kind, values in found.items()}
            self.rows.append({"epoch": run.epoch, **looked})

    def __str__(self) -> str:
        """The last look as a table."""
        if not self.rows:
            return "nothing was looked at yet"
        lines = [f"epoch {self.rows[-1]['epoch']:<18}{'mean':>12}{'std':>12}{'norm':>12}{'zeros':>8}"]
        for kind in ("activations", "gradients"):
            lines.append(kind)
            for name, s in self.rows[-1][kind].items():
                lines.append(f"  {name:<22}{s.mean:>12.4g}{s.std:>12.4g}{s.norm:>12.4g}{s.zeros:>8.1%}")
        return "\n".join(lines)

    def table(self) -> list[dict[str, Any]]:
        """One flat row per epoch and name, as a data frame takes it."""
        return [
            {"epoch": row["epoch"], "kind": kind, "name": name, **asdict(s)}
            for row in self.rows
            for kind in ("activations", "gradients")
            for name, s in row[kind].items()
        ]


def looking_program(model: Any) -> Any:
    """What computes the output of each layer and all gradients, for ``look_at``."""
    trained = {str(model.graph.name_of(p)): p for p in model._trained()}
    gradients = dict(zip(trained, grad(model.loss, list(trained.values()), model.level), strict=True))
    graph = within(model.graph, {"activations": layer_outputs(model), "gradients": gradients}, "layers")
    return compile(graph, mode="train", level=model.level, name="layers")


def gradients_of(model: Any, x: Any, y: Any = None, seed: int = 0) -> dict[str, Any]:
    """The gradient of each trained parameter at the values that the model has now, in order of use, on one batch.

    Args:
        model: with a loss.
        x: as for ``fit``, arrays.
        y: as for ``fit``, arrays.
        seed: of random sites, such as dropout's masks.

    Raises:
        ArgumentError: a model without a loss.
        DataError, ShapeError: data that do not fit.
    """
    if model.loss is None:
        raise ArgumentError("this model has no loss", fix="gx.Model(outputs, loss)")
    data = model.checked_data(x, y)
    nodes, chosen = within(model.graph, model.loss, "f").nodes, set(model._trained())
    trained = {str(model.graph.name_of(p)): p for p in in_order_of_use(nodes) if p in chosen}
    if not trained:
        return {}
    gradients = dict(zip(trained, grad(model.loss, list(trained.values()), model.level), strict=True))
    program = compile(within(model.graph, gradients, "gradients"), mode="train", level=model.level)
    values = {**data, **model.params, **model.state}
    names = [str(program.graph.name_of(n)) for n in program.graph.arguments]
    rng = program.make_rng(seed) if program.graph.sites else None
    with np.errstate(all="ignore"):
        found = program(*[_value(values, name, model.graph) for name in names], rng=rng)
    result: dict[str, Any] = found[0] if program.graph.updates else found
    return result


def layer_outputs(model: Any) -> dict[str, Node]:
    """The last value of each layer that the loss reads."""
    found: dict[str, Node] = {}
    for node in within(model.graph, model.loss, "f").nodes:
        layer = model.graph.layer_of(node)
        if layer and node.op.kind != "leaf" and node.op.role not in ("const", "size") and node.type.is_float:
            found[layer] = node
    return found


def look_at(program: Any, run: Run) -> Any:
    """``activations`` and ``gradients`` by name: of the last batch, at the values after its step."""
    assert run.before is not None
    values = {**run.before.batch, **run.model.values.params, **run.model.values.state}
    names = [str(program.graph.name_of(n)) for n in program.graph.arguments]
    rng = program.make_rng(run.epoch) if program.graph.sites else None
    with np.errstate(all="ignore"):
        found = program(*[_value(values, name, run.model.graph) for name in names], rng=rng)
    return found[0] if program.graph.updates else found


def _value(values: dict[str, Any], name: str, graph: Graph) -> Any:
    return values[name] if name in values else graph.leaf(name).attrs["default"]
