"""A schedule: a number that follows the step of training, as an equation in the same language as the network.

The step t is that of the update about to be made: the first has t = 0. What an equation is made with (rates, lengths,
factors) are its coefficients: named scalar arguments of whatever is generated, so changing one recompiles nothing.
Everything is computed in float64.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from graphc.errors import ArgumentError
from graphc.ir.graph import Graph, graph_of
from graphc.ir.node import Node, engine
from graphc.ops.arith import maximum
from graphc.ops.leaves import hyper, input
from graphc.ops.rounding import floor
from graphc.ops.shape import astype
from graphc.optim.bounds import finite
from graphc.runtime.figures import COLOURS, DASHES, WIDTH, axes_for, legend, tidy
from graphc.symbolic.formulas import CONSTANTS, formula_names, formula_nodes

LISTED = 85
"""A formula that makes a line of more characters than this is read in the code itself."""

Coefficients = Mapping[str, Any]
Rule = Callable[[Node, Coefficients], Any]


@dataclass(frozen=True, repr=False, eq=False)
class Schedule:
    """A number that follows the step.

    Attributes:
        name: which of ``optim.schedules`` it is.
        settings: what it was made with, to make it again.
        coefficients: the numbers of its equation, by name.
        rule: from the step (a float64 node) and the coefficients to the value, in nodes.
        formula: the text of the equation, where it is one formula.

    ``schedule(t)`` is the value at a step, ``schedule.equation(node)`` the same as a node. Schedules multiply:
    ``warmup * decay``, ``0.5 * decay``.

    Example:
        >>> from graphc.optim import schedules
        >>> halved = schedules.step(0.4, every=10, factor=0.5)
        >>> halved(0), halved(9), halved(10)
        (0.4, 0.4, 0.2)
    """

    name: str
    settings: tuple[tuple[str, Any], ...]
    coefficients: Coefficients
    rule: Rule
    formula: str = ""

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{key}={value!r}' for key, value in self.settings)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Schedule):
            return NotImplemented
        return self.key == other.key and dict(self.coefficients) == dict(other.coefficients)

    def __hash__(self) -> int:
        return hash((self.name, *self.coefficients.values()))

    @property
    def text(self) -> str:
        """What it computes, for a listing."""
        told = f"{self.name} at step t, from 0"
        return f"{told}: {self.formula}" if self.formula and len(told + self.formula) < LISTED else told

    def __call__(self, step: Any) -> Any:
        """The value at a step, from 0, or at an array of them.

        Returns:
            A float, or a float64 array.

        Raises:
            ArgumentError: a step below 0.
        """
        from graphc.runtime.interpret import interpret

        steps = _numbers(step)
        if not (steps >= 0).all():
            raise ArgumentError("steps count from 0", given=f"{step!r:.60}")
        with np.errstate(all="ignore"):  # in the branches that are not chosen
            [values] = interpret(self.graph(("n",)), {"t": steps.reshape(-1), **self.coefficients})
        return float(values[0]) if steps.ndim == 0 else values.reshape(steps.shape)

    def equation(self, step: Node, coefficients: Coefficients | None = None) -> Node:
        """The value as a node: float64, of the shape of the step.

        Args:
            step: a node that counts steps from 0.
            coefficients: nodes in place of the coefficients, by name; the others are constants.
        """
        with engine():
            value = self.rule(astype(step, "float64"), {**self.coefficients, **(coefficients or {})})
            if not isinstance(value, Node):
                value = 0.0 * astype(step, "float64") + value
            return astype(value, "float64")

    def graph(self, shape: tuple[Any, ...] = (), name: str = "schedule", prefix: str = "") -> Graph:
        """The equation as a graph: arguments are ``t`` and the coefficients."""
        from dataclasses import replace

        with engine():
            t = input("t", shape, "float64")
            hypers = {key: hyper(prefix + key, None, "float64") for key in self.coefficients}
            value = self.equation(t, hypers).named("value")
            graph = graph_of([value], name=name)
        return replace(graph, outputs=graph.outputs, arguments=(t, *hypers.values()))

    @cached_property
    def key(self) -> str:
        """The equation without its numbers: what has the same key runs the same code."""
        return str(self.graph())

    def latex(self) -> str:
        r"""The equation in LaTeX, over t and the names of its coefficients.

        Example:
            >>> from graphc.optim import schedules
            >>> schedules.exponential(0.1, 0.99).latex()
            '\\mathrm{factor}^{\\frac{t}{\\mathrm{steps}}} \\mathrm{start}'
        """
        from graphc.symbolic.latex import node_latex

        graph = self.graph()
        return node_latex(graph.outputs[0], {leaf: str(graph.name_of(leaf)) for leaf in graph.arguments})

    def in_epochs(self, steps_per_epoch: float, smooth: bool = False) -> Schedule:
        """The same with epochs for its unit: λ(⌊t / n⌋), or λ(t / n).

        Args:
            steps_per_epoch: n, how many updates an epoch has.
            smooth: change within the epochs as well, not only between them.

        Raises:
            ArgumentError: n that is not a number above 0.

        Example:
            >>> from graphc.optim import schedules
            >>> by_epoch = schedules.exponential(0.1, 0.5).in_epochs(100)
            >>> by_epoch(99), by_epoch(100), by_epoch(250)
            (0.1, 0.05, 0.025)
        """
        from graphc.optim.combined import in_epochs

        return in_epochs(self, steps_per_epoch, smooth)

    def __mul__(self, other: Any) -> Schedule:
        from graphc.optim.combined import product

        if not isinstance(other, (Schedule, int, float)):
            return NotImplemented
        return product([self, other])

    def __rmul__(self, other: Any) -> Schedule:
        from graphc.optim.combined import product

        if not isinstance(other, (int, float)):
            return NotImplemented
        return product([other, self])

    def plot(self, steps: int = 200, ax: Any = None) -> Any:
        """Draw the value over the first steps with matplotlib.

        Args:
            steps: how many.
            ax: matplotlib axes to draw on; a new figure by default.

        Returns:
            The axes.

        Raises:
            MissingDependency: matplotlib is not installed.
        """
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
            raise ArgumentError("a plot has a number of steps", given=repr(steps), expected="an int above 0")
        ax = axes_for(ax, 5.0, 3.0)
        values = self(np.arange(steps))
        # steps, not slopes: a value holds until the next update
        at = len(ax.lines)  # several on the same axes are told apart
        look = {
            "color": COLOURS[at % len(COLOURS)],
            "linestyle": DASHES[at % len(DASHES)],
            "linewidth": WIDTH,
        }
        ax.plot(np.arange(steps), values, drawstyle="steps-post", label=self.name, **look)
        tidy(ax, x="step", y="value")
        legend(ax)
        return ax


def _numbers(step: Any) -> Any:
    try:
        return np.asarray(step, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError("a step is a number", given=f"{step!r:.60}") from error


# -- what schedules are made of -----------------------------------------------------------------------------------


def formula_rule(text: str) -> Rule:
    """The rule of a formula over ``t`` and the names of coefficients."""

    def rule(t: Node, c: Coefficients) -> Any:
        return formula_nodes(text, {"t": t, **c}, "float64")

    return rule


def part(coefficients: Coefficients, prefix: str) -> dict[str, Any]:
    """The coefficients of one part of a combination."""
    return {key.removeprefix(prefix): value for key, value in coefficients.items() if key.startswith(prefix)}


def prefixed(schedule: Schedule, prefix: str) -> dict[str, Any]:
    """The coefficients of a schedule as a part of a combination."""
    return {prefix + key: value for key, value in schedule.coefficients.items()}


def since(t: Node, start: Any) -> Node:
    """Steps since ``start``; 0 before it, where a part is computed but not chosen."""
    later: Node = maximum(t - start, 0.0)
    return later


def epoch_of(t: Node, count: Any, smooth: bool) -> Node:
    """Epochs passed."""
    epoch: Node = t / count if smooth else floor(t / count)
    return epoch


def schedule(what: Any, **coefficients: float) -> Schedule:
    """A schedule of one's own: a formula of the step, or a function of its node.

    Args:
        what: a formula as text over ``t`` (the step, from 0) and the names of coefficients; a function
            ``(t, **coefficients) -> node`` of a float64 node; a number, which stays; or a schedule, as it is.
        coefficients: the numbers of the equation; changing them recompiles nothing.

    Raises:
        ArgumentError: something else, a coefficient that is no finite number, or a function that gives no node of the
            shape of t.
        ParseError: the text is not a formula, or uses a name that is not there.

    Example:
        >>> root = schedule("start / sqrt(1 + t)", start=0.1)
        >>> root(0), root(3)
        (0.1, 0.05)
        >>> import graphc as gx
        >>> schedule(lambda t, start: start * gx.exp(-t), start=0.1)(0)
        0.1
    """
    if isinstance(what, Schedule):
        return what
    numbers = {key: finite(key, value) for key, value in coefficients.items()}
    if isinstance(what, str):
        return _from_formula(what, numbers)
    if callable(what):
        return _from_function(what, numbers)
    from graphc.optim.formulas import constant

    return constant(what)


def _from_formula(text: str, numbers: dict[str, float]) -> Schedule:
    for name in numbers:
        if name == "t" or name in CONSTANTS or not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            raise ArgumentError("this cannot be the name of a coefficient", given=repr(name))
    unused = [name for name in numbers if name not in formula_names(text)]
    if unused:
        raise ArgumentError(f"the formula does not use {', '.join(unused)}", given=repr(text)[:120])
    return _tried(Schedule("schedule", (("what", text), *numbers.items()), numbers, formula_rule(text), text))


def _from_function(function: Callable[..., Any], numbers: dict[str, float]) -> Schedule:
    return _tried(
        Schedule("schedule", (("what", function), *numbers.items()), numbers, lambda t, c: function(t, **c))
    )


def _tried(made: Schedule) -> Schedule:
    """An equation of the shape of the step, or an error now rather than in training."""
    value = made.graph(("n",)).outputs[0]
    if value.type.shape != input("t", ("n",), "float64").shape:
        raise ArgumentError(
            "a schedule is one number at each step", given=str(value.type), expected="the shape of t"
        )
    return made
