"""One link of an optimizer: a few lines of equations over the parameter, its gradient and what is carried along.

The text is read by the one formula parser, so the same lines are computed, listed, drawn, and set in LaTeX.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from graphc.errors import ArgumentError, ParseError
from graphc.ir.formula import parse_formula
from graphc.ir.node import Node
from graphc.ops.arith import square
from graphc.ops.math import sqrt
from graphc.ops.reduce import max as largest
from graphc.ops.reduce import mean
from graphc.ops.reduce import sum as total_of
from graphc.ops.shape import astype, broadcast_to
from graphc.optim.notation import Latex, latex_line, unicode_line
from graphc.optim.schedule import Schedule
from graphc.symbolic.formulas import NodeAlgebra, formula_names

GIVEN = ("theta", "g", "t", "lr")
"""What every line may read: the parameter, the gradient (or what the links before made of it), the number of the
step from 1, and the rate."""

WHOLE: Mapping[str, Callable[[Node], Node]] = {
    "sum": total_of,
    "mean": mean,
    "norm": lambda x: sqrt(total_of(square(x))),
    "unit_norm": lambda x: sqrt(total_of(square(x), tuple(range(x.ndim - 1)), keepdims=True)),
}
"""Functions over all elements of one parameter; ``unit_norm`` over those of each unit, along all axes but the last."""

COMBINED: Mapping[str, Callable[[Node], Node]] = {"sum": total_of, "max": largest}
"""How a total over all parameters is put together: from one such number for each."""

Lines = tuple[tuple[str, str], ...]
Values = Mapping[str, Any]
_LINE = re.compile(r"\s*([A-Za-z_]\w*)\s*=(?!=)\s*(.*\S)\s*", re.DOTALL)


@dataclass(frozen=True)
class Total:
    """A number over all elements of all parameters, such as the squared global norm: ``n = sum of g**2``.

    Attributes:
        name: what the lines call it.
        formula: of each element.
        combine: ``sum`` or ``max``.
    """

    name: str
    formula: str
    combine: str = "sum"

    @property
    def equation(self) -> str:
        """What one parameter brings to it, for people."""
        line = unicode_line(self.name, self.formula, ())
        return line.replace("= ", f"= {'Σ' if self.combine == 'sum' else 'max'} ", 1)


@dataclass(frozen=True)
class Link:
    """Equations, one ``name = formula`` a line, that make the next parameter, gradient and slots.

    Attributes:
        name: the prefix of its slots, as in ``adam.m``, and the name of its function in a listing.
        lines: in order; a line changes ``theta``, ``g``, a slot, or gives a value a name.
        slots: an array for each parameter and what it starts from: a number, or ``theta``.
        shared: a number for all parameters together, in float64, and what it starts from.
        totals: numbers over all parameters that the lines read.
        settings: what the lines call by name: β, ε, each a number, or a schedule.
        every: the links after this one act at every such step alone.
        scale: what the rate is multiplied by.
        only: the parameters or layers it is for; None for all.
        but: the parameters or layers that it leaves alone.
        seed: the lines may then read ``z``, standard normal noise that depends on this seed, the step and the name of
            the parameter alone.
    """

    name: str
    lines: Lines
    slots: tuple[tuple[str, float | str], ...] = ()
    shared: tuple[tuple[str, float], ...] = ()
    totals: tuple[Total, ...] = ()
    settings: tuple[tuple[str, Any], ...] = ()
    every: int = 1
    scale: float = 1.0
    only: tuple[str, ...] | None = None
    but: tuple[str, ...] = ()
    seed: int | None = None

    def __post_init__(self) -> None:
        names = [
            *GIVEN,
            *self.slot_names,
            *self.shared_names,
            *(x.name for x in self.totals),
            *dict(self.settings),
        ]
        for name in names:
            if names.count(name) > 1:
                raise ArgumentError(f"{name} has two meanings in the equations of {self.name}")

    @property
    def carried(self) -> tuple[str, ...]:
        """What lasts from line to line: the parameter, its gradient, slots and shared numbers."""
        return ("theta", "g", *self.slot_names, *self.shared_names)

    @property
    def equation(self) -> str:
        """The lines, for people."""
        return "; ".join(unicode_line(target, formula, self.carried) for target, formula in self.lines)

    @property
    def latex(self) -> tuple[str, ...]:
        """The lines in LaTeX, totals first."""
        totals = [
            rf"{Latex().name(x.name)} &= \{x.combine} {parse_formula(x.formula, Latex())}"
            for x in self.totals
        ]
        if self.only is not None:
            totals.insert(0, rf"&\text{{{', '.join(self.only)}:}}".replace("_", r"\_"))
        return (*totals, *(latex_line(target, formula, self.carried) for target, formula in self.lines))

    @cached_property
    def reads(self) -> frozenset[str]:
        """Every name that a line or a total reads."""
        formulas = [*(f for _, f in self.lines), *(total.formula for total in self.totals)]
        return frozenset(name for formula in formulas for name in formula_names(formula))

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The slots of one parameter."""
        return tuple(name for name, _ in self.slots)

    @cached_property
    def driven(self) -> dict[str, Schedule]:
        """The settings that follow the step."""
        return {name: value for name, value in self.settings if isinstance(value, Schedule)}

    @property
    def structure(self) -> Link:
        """The same with the equation of each schedule in its place: what is equal runs the same code."""
        return replace(self, settings=tuple((n, v.key if n in self.driven else v) for n, v in self.settings))

    @property
    def shared_names(self) -> tuple[str, ...]:
        """What all parameters share, without the counter."""
        return tuple(name for name, _ in self.shared)

    @cached_property
    def shared_lines(self) -> Lines:
        """The lines from which the shared numbers come."""
        needed, found = set(self.shared_names), []
        for target, formula in reversed(self.lines):
            if target in needed:
                needed.update(formula_names(formula))
                found.append((target, formula))
        return tuple(reversed(found))

    @property
    def counts(self) -> bool:
        """Whether it reads the number of the step."""
        return "t" in self.reads or self.every > 1 or self.seed is not None

    @property
    def changed(self) -> tuple[str, ...]:
        """What it changes for each parameter: ``theta``, ``g``, slots, in this order."""
        targets = {target for target, _ in self.lines}
        return tuple(name for name in ("theta", "g", *self.slot_names) if name in targets)

    def matches(self, param: str) -> bool:
        """Whether it is for this parameter."""
        chosen = self.only is None or any(belongs(param, name) for name in self.only)
        return chosen and not any(belongs(param, name) for name in self.but)

    # -- equations as nodes ---------------------------------------------------------------------------------------

    def step(self, values: Values, dtype: str) -> dict[str, Any]:
        """The values of one parameter after the lines.

        Args:
            values: nodes for all that the lines read: what is shared already as it is after this step.
            dtype: of the parameter.
        """
        known = self._known(values, dtype)
        for target, formula in self.lines:
            if target not in self.shared_names:
                known[target] = _fitted(target, _value(formula, known, dtype), known, self.slot_names)
        return known

    def total(self, total: Total, values: Values, dtype: str) -> Node:
        """What one parameter brings to a total, in float64: parameters may differ in dtype."""
        part = COMBINED[total.combine](_value(total.formula, self._known(values, dtype), dtype))
        return part if part.dtype == "float64" else astype(part, "float64")

    def share(self, values: Values) -> dict[str, Node]:
        """The next values of what all parameters share, in float64: from lines that read no parameter."""
        known = self._known(values, "float64")
        for target, formula in self.shared_lines:
            known[target] = _value(formula, known, "float64")
        return {name: known[name] for name in self.shared_names}

    def _known(self, values: Values, dtype: str) -> dict[str, Any]:
        known: dict[str, Any] = {**dict(self.settings), **values}
        if "t" in known:
            known["t"] = astype(known["t"], "float64")
        if "lr" in known and self.scale != 1.0:
            known["lr"] = self.scale * known["lr"]
        return known


class _Equations(NodeAlgebra):
    """Formulas of an update: numbers of the step are computed in float64 and rounded once, where they meet arrays."""

    def operate(self, symbol: str, args: list[Any]) -> Any:
        return super().operate(symbol, self._rounded(args))

    def call(self, name: str, args: list[Any]) -> Any:
        if name in WHOLE and len(args) == 1 and isinstance(args[0], Node):
            return WHOLE[name](args[0])
        return super().call(name, self._rounded(args))

    def _rounded(self, args: list[Any]) -> list[Any]:
        if not any(isinstance(a, Node) and a.dtype == self.dtype for a in args):
            return args
        return [astype(a, self.dtype) if _wider(a, self.dtype) else a for a in args]


def _wider(value: Any, dtype: str | None) -> bool:
    return isinstance(value, Node) and value.type.is_float and value.dtype != dtype


def _value(formula: str, known: Values, dtype: str) -> Any:
    return parse_formula(formula, _Equations(known, dtype))


def _fitted(target: str, value: Any, known: Values, slots: Sequence[str]) -> Any:
    """What a parameter, gradient or slot becomes has its type."""
    if target not in ("theta", "g", *slots):
        return value
    like = next(known[name] for name in (target, "theta", "g", *slots) if name in known)  # all of one type
    if not isinstance(value, Node):
        value = like * 0 + value
    value = value if value.dtype == like.dtype else astype(value, like.dtype)
    return value if value.shape == like.shape else broadcast_to(value, like.shape)


# -- text ---------------------------------------------------------------------------------------------------------


def lines_of(text: str) -> Lines:
    """The equations of a text: ``name = formula``, with a line or a semicolon between two.

    Raises:
        ParseError: a part that is not of this form.

    Example:
        >>> lines_of("v = beta*v + g; theta = theta - lr*v")
        (('v', 'beta*v + g'), ('theta', 'theta - lr*v'))
    """
    if not isinstance(text, str):
        raise ParseError("equations are text", given=f"{text!r:.60}", expected="name = formula; ...")
    found = []
    for part in re.split(r"[;\n]", text):
        if part.strip():
            match = _LINE.fullmatch(part)
            if match is None:
                raise ParseError(
                    "an equation of an update gives a value to one name",
                    given=repr(part.strip()[:80]),
                    expected="name = formula",
                )
            found.append((match[1], match[2]))
    return tuple(found)


def belongs(param: str, name: str) -> bool:
    """Whether a parameter is the one of this name, or one of this layer.

    Example:
        >>> belongs("h.W", "h"), belongs("h.W", "h.W"), belongs("h2.W", "h")
        (True, True, False)
    """
    return param == name or param.startswith(f"{name}.")
