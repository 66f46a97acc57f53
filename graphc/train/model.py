"""A model: outputs, a loss, metrics, and the values that training changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from graphc.codegen.epoch import batched_inputs
from graphc.codegen.labels import label_inputs
from graphc.codegen.names import identifier
from graphc.errors import ArgumentError, ShapeError
from graphc.ir.graph import Graph, graph_of, unknown_name
from graphc.ir.node import Node
from graphc.optim.graphs import COUNTER
from graphc.optim.optimizer import Optimizer
from graphc.optim.registry import optimizer_of
from graphc.rewrite.rule import check_level
from graphc.runtime.arguments import cast_array
from graphc.runtime.compiled import need_numba
from graphc.stages import check_layout, check_target
from graphc.train.averages import averaged_params
from graphc.train.callbacks import Callback
from graphc.train.data import Arrays, checked, named_arrays
from graphc.train.evaluation import evaluate, predict, readable, score_nodes, scoring_program
from graphc.train.fitting import Request, fit
from graphc.train.history import History
from graphc.train.measured import Measured
from graphc.train.measures import read_metrics
from graphc.train.programs import Module, build_module, training_graph, with_hypers, within
from graphc.train.run import Seeds, Training, check_settings, seeds_of
from graphc.train.shown import Shown
from graphc.train.solving import Goal, solve
from graphc.train.values import Values


class Model(Shown, Measured):
    """A network with a loss, ready to be trained, drawn, explained, listed, exported and saved.

    Args:
        outputs: what ``predict`` returns: a node, or a list, tuple or dict of nodes.
        loss: a scalar to minimise; None for a model that only predicts.
        metrics: reported beside the loss: a dict by name, or a list; of scalar nodes (``nn.accuracy(logits, t)``), of
            scores over whole predictions (``nn.f1(logits, t)``), and of names (``"accuracy"``, ``"f1_macro"``,
            ``"r2"``), which compare the output with the target.
        optimizer: the default optimizer, or its name: ``"adam"`` is ``gx.optim.adam()``.
        name: used for files and functions.
        level: ``exact``, ``default`` or ``fast``: which rewrites may happen.
        layout: how training runs: ``planned``, in buffers that are there, with ``train_step`` changing values in place;
            ``rows``, the same with every value stored as it was declared; or ``fresh``, in new arrays, with
            ``train_step`` a pure function.
        target: ``numpy``; or ``numba``: what a planned step does element by element is compiled (``graphc[numba]``).

    Raises:
        ArgumentError: a loss or metric that is not a scalar node.
        DuplicateNameError: two leaves of one name.
        MissingDependency: the target ``numba``, and Numba is not installed.

    Example:
        >>> import graphc as gx
        >>> x, t = gx.input("x", ("batch", 1)), gx.input("t", ("batch", 1))
        >>> y = gx.nn.dense(x, 1, name="line")
        >>> model = gx.Model(y, gx.nn.mse(y, t), name="line")
        >>> history = model.fit([[0.0], [1.0]], [[1.0], [3.0]], optimizer=gx.optim.sgd(0.5), epochs=200, verbose=False)
        >>> model.params["line.W"].round(2), model.params["line.b"].round(2)
        (array([[2.]], dtype=float32), array([1.], dtype=float32))
    """

    def __init__(
        self,
        outputs: Any,
        loss: Node | None = None,
        metrics: Mapping[str, Any] | Sequence[Any] | None = None,
        optimizer: Optimizer | str | None = None,
        name: str = "model",
        level: str = "default",
        layout: str = "planned",
        target: str = "numpy",
    ) -> None:
        check_layout(layout)
        check_target(target)
        if target == "numba":
            need_numba()
        self.layout, self.target = layout, target
        self.outputs, self.loss = outputs, loss
        self.name, self.level = name, level
        self.optimizer = None if optimizer is None else optimizer_of(optimizer)
        check_level(level)
        self._check_loss()
        self.metrics, self.scores = read_metrics(metrics, outputs, loss)
        whole = {"outputs": outputs, "metrics": self.metrics} | ({"loss": loss} if loss is not None else {})
        whole |= {"scores": score_nodes(self.scores)} if self.scores else {}
        self.graph: Graph = graph_of(whole, name=identifier(name))
        for leaf in self.graph.leaves("hyper"):
            if leaf.attrs["default"] is None:
                raise ArgumentError(
                    f"the hyper-parameter {self.graph.name_of(leaf)} of a model needs a default",
                    where=str(leaf.about.origin) if leaf.about.origin else None,
                    fix=f"gx.hyper({leaf.attrs['name']!r}, 1.0)",
                )
        if loss is not None and loss.about.name is None and loss.op.kind != "leaf":  # a constant is shared
            loss.named("loss")
        self.values = Values()
        self.history = History()
        self.training: Training | None = None
        self.frozen: frozenset[str] = frozenset()
        self._modules: dict[Any, Module] = {}

    # -- what it is made of ---------------------------------------------------------------------------------------

    @property
    def x_names(self) -> list[str]:
        """The inputs that the outputs read, in order of declaration."""
        inner = within(self.graph, self.outputs, "f")
        return [str(self.graph.name_of(n)) for n in inner.leaves("input")]

    @property
    def y_names(self) -> list[str]:
        """The other inputs: targets and weights."""
        return [n for n in self._input_names if n not in self.x_names]

    @property
    def batched(self) -> list[str]:
        """The inputs that are cut into batches: those whose first size is a name."""
        return [str(self.graph.name_of(n)) for n in batched_inputs(self.graph)]

    @property
    def train_inputs(self) -> list[str]:
        """The inputs of the loss, in order."""
        assert self.loss is not None
        return [str(self.graph.name_of(n)) for n in within(self.graph, self.loss, "f").leaves("input")]

    @property
    def params(self) -> dict[str, Any]:
        """Copies of the parameters, by name; drawn from seed 0 if nothing was trained or set yet."""
        self._ensure_values()
        return {name: np.copy(value) for name, value in self.values.params.items()}

    @property
    def state(self) -> dict[str, Any]:
        """Copies of the states, by name."""
        self._ensure_values()
        return {name: np.copy(value) for name, value in self.values.state.items()}

    def weights(self, averaged: bool = False) -> dict[str, Any]:
        """Copies of the parameters in use, or ``averaged``: of their averages by the optimizer (``optim.ema``).

        ``predict``, ``evaluate`` and ``export`` take the same option.
        """
        return {name: np.array(value)[()] for name, value in self.in_use(averaged).items()}

    def in_use(self, averaged: bool = False) -> dict[str, Any]:
        """The arrays of ``weights`` themselves, which training changes in place."""
        self._ensure_values()
        params = self.values.params
        return averaged_params(self.optimizer, params, self.values.slots) if averaged else params

    def set_params(self, params: Mapping[str, Any]) -> Model:
        """Set parameters by name; the others stay. Slots of an optimizer start anew.

        Raises:
            UnknownNameError, ShapeError, DTypeError: what does not fit; then nothing is changed.
        """
        self._ensure_values()
        leaves = {str(self.graph.name_of(n)): n for n in self.graph.leaves("param")}
        new = {}
        for name, value in params.items():
            if name not in leaves:
                raise unknown_name(name, list(leaves), "parameter")
            new[name] = self._fitting(value, leaves[name], name)
        self.values.params = {**self.values.params, **new}
        # a callback may call this in the middle of a run, whose optimizer then needs slots to go on with
        had, optimizer = bool(self.values.slots), self.optimizer
        self.values.slots = self.starting_slots(optimizer) if had and optimizer is not None else {}
        self.values.untouched = False
        self.training = None
        return self

    def reset(self, seed: int = 0) -> Model:
        """Draw all values anew from a seed and forget the history."""
        check_settings(0, 1, seed)
        self.values, self.history, self.training = Values(), History(), None
        self._ensure_values(seeds_of(seed))
        self.values.untouched = False
        return self

    def freeze(self, *names: str) -> Model:
        """Keep these parameters (or all of a layer, by its name) as they are in training; without names, thaw all.

        Raises:
            UnknownNameError: a name that is neither a parameter nor a layer.
        """
        known = [str(self.graph.name_of(n)) for n in self.graph.leaves("param")]
        chosen = set()
        for name in names:
            found = [k for k in known if k == name or k.startswith(f"{name}.")]
            if not found:
                raise unknown_name(name, known, "parameter or layer")
            chosen.update(found)
        self.frozen = frozenset(self.frozen | chosen if names else ())
        self.values.slots, self.training = {}, None
        return self

    # -- use ------------------------------------------------------------------------------------------------------

    def predict(self, x: Any, averaged: bool = False) -> Any:
        """The outputs for data (arrays, a dict by input name, or a data set), in the structure of ``outputs``."""
        return predict(self, x, averaged)

    def evaluate(self, x: Any, y: Any = None, averaged: bool = False) -> dict[str, float]:
        """The loss and the metrics on data or a stream, in the form in use.

        They are means over chunks (of 1,024 examples, or a stream's batches) weighted by size; of a loss that sums or
        weighs examples that is not its value over all. Scores are of all of it.
        """
        self._need_loss()
        return self.evaluate_arrays(readable(self, x, y), self.module(None), averaged)

    def evaluate_arrays(self, data: Any, module: Module, averaged: bool = False) -> dict[str, float]:
        """The same, on data that was checked before."""
        self._need_loss()
        return evaluate(self, data, module, averaged)

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        optimizer: Optimizer | str | None = None,
        epochs: int = 1,
        batch_size: int | None = None,
        validation_data: Any = None,
        validation_split: float = 0.0,
        stratify: bool = False,
        shuffle: bool = True,
        seed: int | Mapping[str, int] = 0,
        verbose: bool | None = None,
        callbacks: Iterable[Callback | Callable[[Model, dict[str, float]], Any]] = (),
        steps_per_epoch: int | None = None,
        resume: Any = None,
    ) -> History:
        """Train.

        Args:
            x: arrays for the inputs that the outputs read; or a dict by input name, a data set, or an iterable of
                batches (a function that returns one, for several epochs).
            y: arrays for the other inputs, in order of declaration.
            optimizer: of ``gx.optim``, or a name such as ``"adam"``; by default the last one used, the model's own, or
                ``sgd()``.
            epochs: how many times to go through the data.
            batch_size: examples per step (by default 32, or all where there are fewer); the last batch may be smaller.
            validation_data: ``(x, y)``, a data set or a stream of batches, evaluated after each epoch.
            validation_split: a share of the examples to hold out for that instead.
            stratify: whether each class gives that share, to within one example.
            shuffle: whether each epoch has an order of its own.
            seed: decides starting values, orders and masks; or a dict with a seed for each of ``init``, ``shuffle``,
                ``random`` and ``split``, so that one may change without the others.
            verbose: a progress bar; by default where standard error is a terminal.
            callbacks: objects of ``gx.train`` such as ``EarlyStopping()``, and functions ``(model, row)``, called after
                each epoch; one that returns False stops training.
            steps_per_epoch: where an epoch of a stream without an end stops.
            resume: a file that ``gx.train.Checkpoint`` (or ``save`` after Ctrl-C) wrote: values, history and position
                come from there, and the run goes on to the last bit as if it had never ended. ``epochs`` then counts
                from where that run began.

        Returns:
            The model's history, with a row per epoch.

        Raises:
            DataError, ShapeError, DTypeError: data that does not fit; nothing is changed.
            NonFiniteError: the loss became nan or infinite; the message names where it began, and the values before
                that step are kept.
        """
        request = Request(
            optimizer,
            epochs,
            batch_size,
            validation_data,
            validation_split,
            stratify,
            shuffle,
            seed,
            verbose,
            callbacks,
            steps_per_epoch,
            resume,
        )
        return fit(self, x, y, request)

    def solve(
        self,
        x: Any,
        y: Any = None,
        *,
        optimizer: Optimizer | str | None = None,
        until: str = "loss",
        tolerance: float | None = 1e-6,
        max_steps: int = 10_000,
        seed: int | Mapping[str, int] = 0,
        record_every: int = 1,
    ) -> History:
        """Descend along the gradient over all of the data at once: θ ← θ - λ ∇L(θ), until it has converged.

        Args:
            x: as for ``fit``, arrays.
            y: as for ``fit``, arrays.
            optimizer: by default the last one used, the model's own, or ``sgd()``.
            until: what has become small: ``loss`` |L_t - L_{t-1}|, ``gradient`` ‖∇L‖, or ``parameters`` ‖θ_t - θ_{t-1}‖
                (Euclidean norms over all trained parameters together).
            tolerance: how small, absolutely; None for a fixed number of steps.
            max_steps: never more steps than this.
            seed: as for ``fit``.
            record_every: put every so many steps into the history, and the last one.

        Returns:
            The model's history: a row per step with ``loss`` and ``gradient_norm`` before it, and the ``change`` of the
            parameters by it; ``history.stopped`` says why it ended.

        Raises:
            ArgumentError: an unknown criterion, or a tolerance that is none.
            DataError, NonFiniteError: as for ``fit``.

        Example:
            >>> import graphc as gx
            >>> x, t = gx.input("x", ("n", 1)), gx.input("t", ("n", 1))
            >>> y = gx.nn.dense(x, 1, name="line")
            >>> model = gx.Model(y, gx.nn.mse(y, t, reduction="sum"))
            >>> history = model.solve([[0.0], [1.0]], [[1.0], [3.0]], optimizer=gx.optim.sgd(0.2), until="gradient")
            >>> history.stopped[:29], model.params["line.b"].round(3)
            ('the norm of the gradient is 9', array([1.], dtype=float32))
        """
        return solve(self, x, y, optimizer, Goal(until, tolerance, max_steps), seed, record_every)

    # -- what there is to see -------------------------------------------------------------------------------------

    def module(self, optimizer: Optimizer | str | None, layout: str | None = None) -> Module:
        """The generated module, compiled once per optimizer; another rate is another default, and no compilation."""
        if optimizer is None:
            return self.compiled(None, layout)
        chosen = optimizer_of(optimizer)
        return with_hypers(self.compiled(chosen, layout), chosen.hypers())

    def compiled(self, optimizer: Optimizer | None, layout: str | None = None) -> Module:
        """The module for an optimizer of this structure, whatever the defaults of its rate."""
        layout = self.layout if layout is None else layout
        check_layout(layout)
        key = (None if optimizer is None else optimizer.structure, self.frozen, layout, self.target)
        if key not in self._modules:
            self._modules[key] = build_module(
                self.graph,
                self.outputs,
                self.loss,
                self.metrics,
                self._trained(optimizer),
                optimizer,
                self.level,
                layout,
                self.target,
            )
        return self._modules[key]

    @cached_property
    def scoring(self) -> Any:
        """The program that evaluates a model with scores, compiled once."""
        return scoring_program(self)

    def source(self, optimizer: Optimizer | str | None = None, layout: str | None = None) -> str:
        """The NumPy program that trains and runs the model; ``layout`` as for the model itself."""
        return self.module(optimizer or self.optimizer, layout).source.text

    def training_graph(self) -> Graph:
        """Loss and gradients as one graph (before the passes of compile)."""
        self._need_loss()
        assert self.loss is not None
        return training_graph(self.graph, self.loss, self._trained(), self.level)

    def export(
        self,
        path: Any,
        optimizer: Optimizer | str | None = None,
        data: Any = None,
        weights: str = "auto",
        averaged: bool = False,
    ) -> Any:
        """Write a file that predicts, evaluates and trains with NumPy alone; weights inside or beside it.

        Args:
            path: a ``.py`` file; weights go to a ``.npz`` of the same name.
            optimizer: which ``train_step`` to write; by default the last one used.
            data: a data set or ``(x, y)`` to put beside it; running the file then prints loss and metrics on it.
            weights: ``inline``, ``npz``, or ``auto`` (inside where there are few).
            averaged: write the averages that the optimizer made of the parameters; see ``weights``.

        Returns:
            The path.
        """
        from graphc.train.export import export_model

        return export_model(self, path, optimizer or self.optimizer, data, weights, averaged)

    def save(self, path: Any) -> Any:
        """Write the model (declaration, values, optimizer) to one ``.gx`` file; ``gx.load`` reads it."""
        from graphc.train.store import save

        return save(self, path)

    def make_rng(self, seed: int) -> dict[str, Any]:
        """A generator for each random site."""
        from graphc.runtime.program import make_rng

        return make_rng(self.graph, seed)

    def starting_slots(self, optimizer: Optimizer) -> dict[str, Any]:
        """What an optimizer carries for the trained parameters, before its first step."""
        names = [str(self.graph.name_of(p)) for p in self._trained(optimizer)]
        return optimizer.starting_slots({name: self.values.params[name] for name in names})

    def checked_data(self, x: Any, y: Any) -> Arrays:
        """Data by input name, in the declared dtypes, checked once."""
        arrays = named_arrays(x, y, self.x_names, self.y_names)
        return checked(arrays, self.graph, list(self.graph.leaves("input")), label_inputs(self.graph))

    def __repr__(self) -> str:
        count = sum(math.prod(map(int, map(str, n.shape))) for n in self.graph.leaves("param"))
        return f"<model {self.name}: {len(self.graph.leaves('param'))} parameters, {count} numbers>"

    # -- inner workings -------------------------------------------------------------------------------------------

    def _check_loss(self) -> None:
        if self.loss is not None and (not isinstance(self.loss, Node) or self.loss.shape != ()):
            given = str(getattr(self.loss, "type", type(self.loss).__name__))
            raise ArgumentError("the loss must be a scalar node", given=given, fix="reduce it with gx.mean")

    def _need_loss(self) -> None:
        if self.loss is None:
            raise ArgumentError("this model has no loss", fix="gx.Model(outputs, loss)")

    @property
    def _input_names(self) -> list[str]:
        return [str(self.graph.name_of(n)) for n in self.graph.leaves("input")]

    @property
    def evaluated_inputs(self) -> list[str]:
        """The inputs of the loss and the metrics, in order."""
        inner = within(self.graph, [self.loss, *self.metrics.values()], "f")
        return [str(self.graph.name_of(n)) for n in inner.leaves("input")]

    def _trained(self, optimizer: Optimizer | None = None) -> list[Node]:
        """The parameters that training changes, but for those that the optimizer leaves alone."""
        leaves = {str(self.graph.name_of(n)): n for n in self.graph.leaves("param")}
        names = [name for name, n in leaves.items() if n.attrs["trainable"] and name not in self.frozen]
        if optimizer is not None:
            optimizer.check_groups(list(leaves))
            names = optimizer.trained(names)
        return [leaves[name] for name in names]

    def begin(self, optimizer: Optimizer, seeds: Seeds) -> None:
        """Ready for the first step: values that were only looked at until now are drawn from these seeds."""
        if self.values.untouched:
            self.values = Values()
        self._ensure_values(seeds)
        self._ensure_slots(optimizer)
        self.values.untouched = False

    def _ensure_values(self, seeds: Seeds = Seeds()) -> None:  # noqa: B008
        if self.values.rng is None:
            self.values.draw(self.graph, seeds)

    def _ensure_slots(self, optimizer: Optimizer) -> None:
        starting = self.starting_slots(optimizer)
        old = self.optimizer
        other = old is None or (optimizer.name, optimizer.remembered) != (old.name, old.remembered)
        if other or starting.keys() != self.values.slots.keys():
            self.values.slots = starting
        if old is not None and _key(optimizer) != _key(old):
            self.values.step, self.values.factor = 0, 1.0  # another rate starts anew
            self.values.slots = {**self.values.slots, **{k: v for k, v in starting.items() if k == COUNTER}}
        self.optimizer = optimizer

    def _fitting(self, value: Any, leaf: Node, name: str) -> Any:
        array = np.array(cast_array(value, leaf.dtype, name, leaf))
        if array.shape != leaf.shape:
            raise ShapeError(f"{name} has another shape", given=str(array.shape), expected=str(leaf.shape))
        return array[()]


def _key(optimizer: Optimizer | None) -> tuple[Any, ...]:
    return (None, ()) if optimizer is None else (optimizer.name, optimizer.settings)
