"""Schedules as plain data, for a saved model: by name and settings, a user's own by the text of its equation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphc.errors import FileFormatError
from graphc.ir.node import Node, substitute
from graphc.ops.leaves import const
from graphc.optim.schedule import Coefficients, Schedule, schedule
from graphc.optim.schedules import SCHEDULES


def as_data(value: Any) -> Any:
    """A setting as numbers, text, lists and dicts.

    Example:
        >>> as_data(SCHEDULES["exponential"](0.1, 0.5))["schedule"]
        'exponential'
    """
    if isinstance(value, Schedule):
        own = dict(value.settings)
        if callable(own.get("what")):
            return {"equation": str(value.graph()), "coefficients": dict(value.coefficients)}
        return {"schedule": value.name, "settings": {key: as_data(part) for key, part in own.items()}}
    return [as_data(part) for part in value] if isinstance(value, (list, tuple)) else value


def from_data(data: Any) -> Any:
    """The setting that was written so.

    Raises:
        FileFormatError: a schedule that is not there.

    Example:
        >>> from_data(as_data(SCHEDULES["exponential"](0.1, 0.5)))
        exponential(start=0.1, factor=0.5, steps=1.0, staircase=False)
    """
    if isinstance(data, list):
        return [from_data(part) for part in data]
    if not isinstance(data, Mapping):
        return data
    if "equation" in data:
        return _by_equation(data["equation"], data["coefficients"])
    made = {**SCHEDULES, "schedule": schedule}.get(data.get("schedule", ""))
    if made is None:
        raise FileFormatError("there is no such schedule", given=f"{data.get('schedule')!r:.60}")
    return made(**{key: from_data(part) for key, part in data["settings"].items()})


def _by_equation(text: str, coefficients: Mapping[str, float]) -> Schedule:
    from graphc.symbolic.text import parse

    graph = parse(text)

    def rule(t: Node, **c: Any) -> Node:
        given: Coefficients = {"t": t, **c}
        nodes = {
            leaf: value if isinstance(value, Node) else const(value, "float64")
            for leaf in graph.arguments
            for value in [given[str(graph.name_of(leaf))]]
        }
        return substitute(graph.outputs, nodes)[graph.outputs[0]]

    return schedule(rule, **coefficients)
