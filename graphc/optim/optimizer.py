"""Optimizers: chained transforms of the gradient, each a few equations over nodes.

The last line of every optimizer is θ ← θ - λ u, where u is what the transforms made of the gradient g.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from graphc.errors import ArgumentError
from graphc.ir.graph import Graph, graph_of
from graphc.ir.node import Node, engine
from graphc.ops.leaves import hyper, input, state
from graphc.ops.math import sqrt
from graphc.ops.shape import astype

Slots = Mapping[str, Node]


@dataclass(frozen=True)
class Transform:
    """One link of a chain: from (u, slots) to the next (u, slots).

    Attributes:
        name: the prefix of its slots, as in ``adam.m``.
        slots: the names of values that it carries for each parameter; all start at zero.
        update: ``(u, slots, step) -> (u, next slots)``; ``step`` counts from 1.
        equation: what it computes, for people.
        counts: whether it reads the step.
    """

    name: str
    slots: tuple[str, ...]
    update: Callable[[Node, Slots, Node], tuple[Node, dict[str, Node]]]
    equation: str
    counts: bool = False


@dataclass(frozen=True, repr=False)
class Optimizer:
    """A chain of transforms and a rate.

    Attributes:
        name: what it is called.
        rate: the learning rate λ.
        transforms: from the gradient to the step.
        settings: the numbers it was made with, to make it again.
    """

    name: str
    rate: float
    transforms: tuple[Transform, ...]
    settings: tuple[tuple[str, Any], ...] = ()

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{key}={value!r}' for key, value in self.settings)})"

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The slots of one parameter: ``adam.m``, ``adam.v``."""
        return tuple(f"{t.name}.{slot}" for t in self.transforms for slot in t.slots)

    @property
    def steps(self) -> tuple[str, ...]:
        """Counters shared by all parameters: ``adam.step``."""
        return tuple(f"{t.name}.step" for t in self.transforms if t.counts)

    @property
    def equation(self) -> str:
        """All equations, in order."""
        last = "θ ← θ - λ u" if self.transforms else "θ ← θ - λ g"
        return "; ".join([*(t.equation for t in self.transforms), last])

    def step(
        self, theta: Node, g: Node, slots: Slots, steps: Slots, lr: Node
    ) -> tuple[Node, dict[str, Node]]:
        """The next value of one parameter, and of its slots by full name.

        Args:
            theta: the parameter.
            g: its gradient.
            slots: its slots by full name.
            steps: the counters by full name, already counted up.
            lr: the rate.
        """
        u, nexts = g, {}
        for t in self.transforms:
            own = {slot: slots[f"{t.name}.{slot}"] for slot in t.slots}
            u, new = t.update(u, own, steps.get(f"{t.name}.step", g))
            nexts.update({f"{t.name}.{slot}": node for slot, node in new.items()})
        return theta - lr * u, {name: nexts[name] for name in self.slot_names}

    def rule_graph(self, shape: tuple[Any, ...], dtype: str, name: str) -> Graph:
        """The equations for a parameter of one shape: arguments theta, g, slots, steps, lr; outputs theta, slots."""
        with engine():
            theta, g = input("theta", shape, dtype), input("g", shape, dtype)
            slots = {n: input(n, shape, dtype).named(n) for n in self.slot_names}
            steps = {n: input(n, (), "int64") for n in self.steps}
            lr = hyper("lr", self.rate, dtype)
            after, nexts = self.step(theta, g, slots, steps, lr)
            outputs = [after.named("theta_next"), *(nexts[n] for n in self.slot_names)]
            for n in self.slot_names:
                nexts[n].named(f"{n}_next")
            graph = graph_of(outputs, name=name)
        arguments = (theta, g, *slots.values(), *steps.values(), lr)
        from dataclasses import replace

        return replace(graph, arguments=arguments)

    def updates(self, params: Mapping[str, Node], gradients: Mapping[str, Node]) -> dict[Node, Node]:
        """The next value of every parameter and slot over actual gradients, for drawing and for ``compile``.

        Returns:
            A dict for ``compile(..., updates=...)``; slots are states named ``adam.m/A2``.
        """
        with engine():
            lr = hyper("lr", self.rate, next(iter(params.values())).dtype if params else "float32")
            counters = {n: state(n, (), "zeros", "int64") for n in self.steps}
            counted = {n: c + 1 for n, c in counters.items()}
            result: dict[Node, Node] = {c: counted[n] for n, c in counters.items()}
            for name, theta in params.items():
                slots = {n: state(f"{n}/{name}", theta.shape, "zeros", theta.dtype) for n in self.slot_names}
                after, nexts = self.step(theta, gradients[name], slots, counted, lr)
                result[theta] = after.named(f"{name}_next")
                result.update({slots[n]: nexts[n].named(f"{n}_next/{name}") for n in self.slot_names})
        return result


def sgd(lr: float = 0.01) -> Optimizer:
    """Stochastic gradient descent: θ ← θ - λ g.

    Args:
        lr: the rate λ.

    Raises:
        ArgumentError: a rate that is not a finite number of at least 0.

    Example:
        >>> sgd(0.1).equation
        'θ ← θ - λ g'
    """
    return Optimizer("sgd", _rate(lr), (), (("lr", lr),))


def momentum(lr: float = 0.01, beta: float = 0.9) -> Optimizer:
    """Gradient descent with momentum: v ← β v + g; θ ← θ - λ v (the course's form: the gradient is not damped).

    Args:
        lr: the rate λ.
        beta: the share β of the velocity that is kept, from 0 up to 1.

    Source: Polyak 1964; the form is PyTorch's with ``dampening=0``.
    """
    _fraction("beta", beta)

    def update(u: Node, slots: Slots, step: Node) -> tuple[Node, dict[str, Node]]:
        v = beta * slots["v"] + u
        return v, {"v": v}

    transform = Transform("momentum", ("v",), update, f"v ← {beta:g} v + g; u = v")
    return Optimizer("momentum", _rate(lr), (transform,), (("lr", lr), ("beta", beta)))


def adam(
    lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, eps_on: str = "corrected"
) -> Optimizer:
    """Adam: m ← β₁ m + (1-β₁) g; v ← β₂ v + (1-β₂) g²; θ ← θ - λ m̂ / (√v̂ + ε).

    m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) are corrected for the start at zero, t counts from 1, ε stands outside
    the root.

    Args:
        lr: the rate λ.
        beta1: decay of the mean of the gradient.
        beta2: decay of the mean of its square.
        eps: ε.
        eps_on: ``corrected``: ε is added to √v̂, as in algorithm 1 of the paper and in PyTorch; ``raw``: to √v, as in
            the paper's remark on efficiency and in scikit-learn: λ √(1-β₂ᵗ)/(1-β₁ᵗ) m / (√v + ε).

    Source: Kingma and Ba 2015, algorithm 1 and section 2.
    """
    _fraction("beta1", beta1)
    _fraction("beta2", beta2)
    if not (isinstance(eps, (int, float)) and 0 <= eps < float("inf")):
        raise ArgumentError("eps is a finite number of at least 0", given=repr(eps))
    if eps_on not in ("corrected", "raw"):
        raise ArgumentError(
            "eps_on says where ε is added", given=repr(eps_on), expected="'corrected' or 'raw'"
        )

    def update(u: Node, slots: Slots, step: Node) -> tuple[Node, dict[str, Node]]:
        m = (beta1 * slots["m"] + (1 - beta1) * u).named("m")
        v = (beta2 * slots["v"] + (1 - beta2) * (u * u)).named("v")
        t = astype(step, "float64")
        # the corrections are scalars, so they are computed in float64 and rounded once
        c1 = astype(1.0 - beta1**t, u.dtype).named("correction1")
        c2 = astype(1.0 - beta2**t, u.dtype).named("correction2")
        if eps_on == "raw":
            return (sqrt(c2) / c1) * (m / (sqrt(v) + eps)), {"m": m, "v": v}
        return (m / c1) / (sqrt(v / c2) + eps), {"m": m, "v": v}

    root = "√v̂ + ε" if eps_on == "corrected" else "√v + ε, corrected"
    equation = f"m ← {beta1:g} m + {1 - beta1:g} g; v ← {beta2:g} v + {1 - beta2:g} g²; u = m̂ / ({root})"
    settings = (("lr", lr), ("beta1", beta1), ("beta2", beta2), ("eps", eps), ("eps_on", eps_on))
    return Optimizer(
        "adam", _rate(lr), (Transform("adam", ("m", "v"), update, equation, counts=True),), settings
    )


OPTIMIZERS: Mapping[str, Callable[..., Optimizer]] = MappingProxyType(
    {"sgd": sgd, "momentum": momentum, "adam": adam}
)
"""Every optimizer, by the name under which a saved model finds it again."""


def _rate(lr: Any) -> float:
    if isinstance(lr, bool) or not isinstance(lr, (int, float)) or not 0 <= lr < float("inf"):
        raise ArgumentError("the learning rate is a finite number of at least 0", given=repr(lr))
    return float(lr)


def _fraction(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
        raise ArgumentError(f"{name} is at least 0 and less than 1", given=repr(value))
