"""Optimizers: links of equations in a chain, with a rate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.ir.graph import unknown_name
from graphc.ir.node import Node, engine
from graphc.optim.graphs import COUNTER, Sweep
from graphc.optim.link import Link, belongs
from graphc.optim.schedule import Schedule
from graphc.optim.settings import checked_rate


@dataclass(frozen=True, repr=False)
class Optimizer:
    """A chain of links and a rate; without a link that changes the parameter, a transform for ``chain``.

    Attributes:
        name: what it is called, and under what a saved model finds it again.
        rate: the learning rate λ, a number or a schedule; None for a transform.
        links: their equations, in order.
        settings: what it was made with, to make it again.
        frozen: parameters or layers that stay as they are.
    """

    name: str
    rate: float | Schedule | None
    links: tuple[Link, ...]
    settings: tuple[tuple[str, Any], ...] = ()
    frozen: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{key}={value!r}' for key, value in self.settings)})"

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The slots of one parameter: ``adam.m``, ``adam.v``."""
        return tuple(f"{link.name}.{slot}" for link in self.links for slot in link.slot_names)

    @property
    def steps(self) -> tuple[str, ...]:
        """Counters shared by all parameters: ``adam.step``."""
        own = (f"{link.name}.step" for link in self.links if link.counts)
        return (*((COUNTER,) if self.schedules else ()), *own)

    @property
    def schedules(self) -> dict[str, Schedule]:
        """What follows the step: the rate as ``lr``, a setting as ``momentum.beta``."""
        found = {"lr": self.rate} if isinstance(self.rate, Schedule) else {}
        return found | {f"{link.name}.{n}": s for link in self.links for n, s in link.driven.items()}

    @property
    def structure(self) -> tuple[Any, ...]:
        """All but the numbers that may change: optimizers of the same structure run the same code."""
        rate = self.rate.key if isinstance(self.rate, Schedule) else self.rate is None
        return (rate, tuple(link.structure for link in self.links), self.frozen)

    @property
    def remembered(self) -> tuple[Any, ...]:
        """The equations of what it carries: where they differ, slots of the same name mean something else."""
        return tuple((x.name, x.lines, x.slots, x.shared) for x in self.links if x.slots or x.shared)

    def hypers(self, factor: float = 1.0) -> dict[str, float]:
        """The numbers that an update takes beside the gradients: the rate, or the coefficients of schedules.

        Args:
            factor: what the rate is multiplied by.
        """
        found: dict[str, float] = {}
        if isinstance(self.rate, Schedule):
            found["rate_factor"] = factor
        else:
            found["lr"] = (self.rate or 0.0) * factor
        return found | {f"{n}.{k}": v for n, s in self.schedules.items() for k, v in s.coefficients.items()}

    def rate_after(self, slots: Mapping[str, Any]) -> float:
        """The rate of the next step, from what the optimizer carries."""
        if isinstance(self.rate, Schedule):
            return float(self.rate(int(slots.get(COUNTER, 0))))
        return self.rate or 0.0

    @property
    def equation(self) -> str:
        """All equations, in order."""
        return "; ".join(link.equation for link in self.links)

    def latex(self) -> str:
        r"""All equations in LaTeX, derived from their text.

        Example:
            >>> from graphc import optim
            >>> print(optim.momentum().latex())
            \begin{aligned}
            v &\leftarrow \beta v + g \\
            \theta &\leftarrow \theta - \lambda v
            \end{aligned}
        """
        rows = " \\\\\n".join(row for link in self.links for row in link.latex)
        return f"\\begin{{aligned}}\n{rows}\n\\end{{aligned}}"

    @property
    def trains(self) -> bool:
        """Whether it changes parameters."""
        return any("theta" in link.changed for link in self.links)

    # -- what it carries ------------------------------------------------------------------------------------------

    def shared_start(self) -> dict[str, Any]:
        """What all parameters share, before the first step: counters and numbers by full name."""
        found: dict[str, Any] = {COUNTER: np.int64(0)} if self.schedules else {}
        for link in self.links:
            found.update({f"{link.name}.step": np.int64(0)} if link.counts else {})
            found.update({f"{link.name}.{name}": np.float64(start) for name, start in link.shared})
        return found

    def slot_start(self, param: str) -> dict[str, float | str]:
        """What the slots of one parameter start from, by full name: a number, or ``theta``."""
        return {
            f"{link.name}.{slot}/{param}": start
            for link in self.links
            if link.matches(param)
            for slot, start in link.slots
        }

    def starting_slots(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Everything that it carries, before the first step."""
        slots = self.shared_start()
        for name, value in params.items():
            for slot, start in self.slot_start(name).items():
                slots[slot] = np.copy(value)[()] if start == "theta" else np.full_like(value, start)
        return slots

    def trained(self, params: Iterable[str]) -> list[str]:
        """The parameters that it changes, of these."""
        return [name for name in params if not any(belongs(name, other) for other in self.frozen)]

    def check_groups(self, params: Sequence[str]) -> None:
        """Raises UnknownNameError where a group is for a parameter or layer that is not there."""
        named = [n for link in self.links for n in (*(link.only or ()), *link.but)]
        for name in dict.fromkeys([*self.frozen, *named]):
            if not any(belongs(param, name) for param in params):
                raise unknown_name(name, list(params), "parameter or layer")

    def averages(self, param: str) -> str | None:
        """The slot that holds the average of a parameter; None where there is none."""
        names = [
            f"{x.name}.average/{param}" for x in self.links if "average" in x.slot_names and x.matches(param)
        ]
        return names[-1] if names else None

    # -- as graphs ------------------------------------------------------------------------------------------------

    def updates(self, params: Mapping[str, Node], gradients: Mapping[str, Node]) -> dict[Node, Node]:
        """The next value of every parameter and slot over actual gradients, for drawing and for ``compile``.

        Returns:
            A dict for ``compile(..., updates=...)``; slots are states named ``adam.m/A2``.
        """
        with engine():
            chosen = {name: params[name] for name in self.trained(params)}
            return Sweep(chosen, gradients, self.rate).updates(self.links)


def made(name: str, links: Sequence[Link], settings: Mapping[str, Any]) -> Optimizer:
    """An optimizer of these links; the setting ``lr`` is its rate.

    Raises:
        ArgumentError: a rate that is not a finite number of at least 0.
    """
    rate = checked_rate(settings["lr"]) if "lr" in settings else None
    return Optimizer(name, rate, tuple(links), tuple(settings.items()))
