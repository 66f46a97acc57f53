"""An optimizer of the user's own, from its equations as text."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from typing import Any

from graphc.codegen.names import MODULE_RESERVED, RESERVED
from graphc.errors import ArgumentError, ParseError
from graphc.optim.graphs import link_graph, shared_graph
from graphc.optim.link import GIVEN, Link, lines_of
from graphc.optim.optimizer import Optimizer, made
from graphc.optim.schedule import Schedule
from graphc.optim.settings import check_seed

_NAME = re.compile(r"[a-z][a-z0-9_]*")
OWN = frozenset({"init", "predict", "evaluate", "train_step", "train_epoch", "load", "generator", "name"})
"""What a module calls its own beside what every variable avoids."""


def rule(
    name: str,
    slots: Mapping[str, float | str] | None = None,
    update: str = "",
    *,
    shared: Mapping[str, float] | None = None,
    lr: Any = 0.01,
    seed: int | None = None,
    **settings: Any,
) -> Optimizer:
    """An optimizer by its equations, ``name = formula`` each, with semicolons or lines between them.

    A line may read ``theta`` (the parameter), ``g`` (its gradient), ``t`` (the number of the step, from 1), ``lr``, the
    slots, the settings and what lines above it made; it changes ``theta``, ``g`` or a slot, or names a value. It may
    call every pointwise function of graphc, and ``sum``, ``mean`` and ``norm`` over the elements of the parameter.
    The text is read by graphc's own parser; nothing of it is run.

    Args:
        name: the name of its function and the prefix of its slots: small letters, digits, underscores.
        slots: an array for each parameter, and what it starts from: a number, or ``"theta"``. A slot ``average`` is
            what ``averaged=True`` uses.
        update: the equations.
        shared: numbers that all parameters share, in float64, and what they start from.
        lr: the rate: a number or a schedule.
        seed: the lines may then read ``z``: standard normal noise, new for each parameter and step.
        settings: the numbers, or schedules, that the lines call by name.

    Raises:
        ParseError: text that is not such equations; a name that is not there.
        ArgumentError: a slot that no line changes, a rule that changes neither theta nor g, a name that is taken, a
            setting that is not a finite number.

    Example:
        >>> own = rule("heavy", slots={"v": 0.0}, update="v = beta*v + g; theta = theta - lr*v", beta=0.9)
        >>> own.equation
        'v ← β v + g; θ ← θ - λ v'
    """
    slots, shared = _starts(name, "slots", slots), _starts(name, "shared", shared)
    if seed is not None:
        check_seed(seed)
    _check_names(name, {**slots, **shared}, settings)
    numbers = {key: value for key, value in settings.items() if not isinstance(value, Schedule)}
    for key, value in {**slots, **shared, **numbers}.items():
        if not (_is_number(value) or (key in slots and value == "theta")):
            raise ArgumentError(f"{key} of the rule {name} is a finite number", given=f"{value!r:.60}")
    link = Link(name, lines_of(update), _pairs(slots), _pairs(shared), settings=_pairs(settings), seed=seed)
    _check_lines(link)
    own = {"name": name, "slots": _pairs(slots), "update": update, "shared": _pairs(shared), "lr": lr}
    own.update({} if seed is None else {"seed": seed})
    return made("rule", [link], {**own, **settings})


def _starts(name: Any, kind: str, values: Any) -> dict[str, Any]:
    """What each slot starts from."""
    try:
        return dict(values or {})
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"the {kind} of the rule {name} are a dict: what each starts from",
            given=f"{values!r:.60}",
            fix=f'{kind}={{"m": 0.0}}',
        ) from error


def _pairs(values: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(values.items())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def _is_name(key: Any) -> bool:
    return isinstance(key, str) and key.isidentifier() and key.isascii()


def _check_names(name: Any, slots: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise ArgumentError(
            "the name of a rule is of small letters, digits and underscores", given=f"{name!r:.60}"
        )
    if name in {*MODULE_RESERVED, *RESERVED, *OWN}:
        raise ArgumentError(f"{name} is what a generated module calls something else", fix=f"{name}_rule")
    for key in settings:
        if key in GIVEN:
            raise ArgumentError(f"a setting of {name} has a name that is taken", given=key)
    for key in slots:
        if not _is_name(key) or key in (*GIVEN, "step", *settings):
            raise ArgumentError(
                f"a slot of {name} has a name that is taken or is none",
                given=f"{key!r:.60}",
                expected=f"a name other than {', '.join(GIVEN)}, step and the settings",
            )


def _check_lines(link: Link) -> None:
    """Make the graphs once, so that what is wrong is said where it was written."""
    targets = {target for target, _ in link.lines}
    known = {*link.carried, *GIVEN, *([] if link.seed is None else ["z"]), *dict(link.settings)}
    for target in sorted(targets & {"t", "lr", *dict(link.settings)}):
        raise ArgumentError(f"{link.name} changes {target}, which no line can")
    for name in (*link.slot_names, *link.shared_names):
        if name not in targets:
            raise ArgumentError(f"no line of {link.name} changes its slot {name}", fix=f"{name} = ...")
    if not targets & {"theta", "g"}:
        raise ArgumentError(
            f"{link.name} changes neither theta nor g",
            given="; ".join(f"{a} = {b}" for a, b in link.lines) or "no equations",
            fix="theta = theta - lr*g",
        )
    if not set(link.reads) & {"theta", "g", "z", *link.slot_names}:
        raise ArgumentError(
            f"the lines of {link.name} read no array, so nothing says a shape", fix="theta = 0*theta + ..."
        )
    try:
        link_graph(link, (2,), "float32", 0.01, link.name)
        if link.shared:
            shared_graph(link, 0.01, link.name)
    except ParseError as error:
        raise ParseError(
            f"the rule {link.name}: {error.what}", given=error.given, expected=", ".join(sorted(known))
        ) from error
