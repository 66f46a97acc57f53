"""Validation: after every rewrite, what was replaced and what took its place, computed and held against each other.

Both are computed from the same values of the same leaves, so a difference is that rule's alone. How close they must
be is what the kind of the rule promises: ``exact`` equal bits, ``rounding`` its ulp in the normal range, ``harmless``
equality but for the sign of a zero, the others half of the digits, where the first is finite.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from graphc.errors import ValidationError
from graphc.ir.events import Event, Folded, Lowered, Rewrite
from graphc.ir.graph import Graph
from graphc.ir.node import Node, engine
from graphc.ir.provenance import replaced_by
from graphc.rewrite.rule import EXACT, FACT, HARMLESS, ROUNDING
from graphc.runtime.trial import Trial
from graphc.runtime.words import Words

_FAILURES = (ValueError, ArithmeticError, LookupError, TypeError)
"""What an operation may raise on values it is not made for, such as an index out of range."""


def validate_events(
    graph: Graph, events: Iterable[tuple[Node, Event]], values: bool | Mapping[str, Any] = True
) -> int:
    """Hold every replacement against what it replaced.

    Args:
        graph: the graph that the passes began with.
        events: what they recorded.
        values: arrays by name for some or all arguments; the others are drawn.

    Returns:
        How many replacements were compared.

    Raises:
        ValidationError: a rule changed a value by more than its kind allows; the message names it.
    """
    trial = Trial(graph, values if isinstance(values, Mapping) else {})
    compared = 0
    with engine(), np.errstate(all="ignore"):
        for after, event in events:
            before = replaced_by(event)
            if before is not None and isinstance(event, (Rewrite, Lowered, Folded)):
                compared += _compare(trial, before, after, event)
    return compared


def _compare(trial: Trial, before: Node, after: Node, event: Event) -> bool:
    if isinstance(event, Rewrite) and event.kind == FACT and trial.broken:
        return False  # the values lack a fact that the user claims, so they say nothing about the rule
    try:
        left = trial.value(before)
    except _FAILURES:
        return False
    try:
        right = trial.value(after)
    except _FAILURES as error:
        raise _error(trial, before, after, event, f"{type(error).__name__}: {error}") from error
    wrong = differing(np.asarray(left), np.asarray(right), event)
    if wrong is None:
        return True
    raise _error(trial, before, after, event, wrong)


def differing(left: Any, right: Any, event: Event) -> str | None:
    """Where two arrays differ by more than an event allows, in words; None where they do not."""
    if left.shape != right.shape or left.dtype != right.dtype:
        return f"{left.dtype}{list(left.shape)} became {right.dtype}{list(right.shape)}"
    wrong = ~_close(left, right, event)
    if not wrong.any():
        return None
    place = tuple(int(i[0]) for i in np.nonzero(np.atleast_1d(wrong)))
    a, b = np.atleast_1d(left)[place], np.atleast_1d(right)[place]
    where = f" at {list(place)}" if left.ndim else ""
    return f"{a!s} became {b!s}{where}; {int(wrong.sum())} of {wrong.size} values differ"


def _close(left: Any, right: Any, event: Event) -> Any:
    kind = event.kind if isinstance(event, Rewrite) else ""
    if left.dtype.kind != "f" or kind == EXACT or isinstance(event, Folded):
        return _same_bits(left, right)
    finite = np.isfinite(left)
    if kind == HARMLESS:
        return ~finite | ~np.isfinite(right) | (left == right)
    info = np.finfo(left.dtype)
    if kind == ROUNDING:
        assert isinstance(event, Rewrite)
        normal = finite & (np.abs(left) >= info.tiny)
        return ~normal | (np.abs(left - right) <= event.ulp * np.spacing(np.abs(left)))
    largest = max(1.0, float(np.max(np.abs(left), where=finite, initial=0.0)))
    return ~finite | (np.abs(left - right) <= np.sqrt(info.eps) * largest)


def _same_bits(left: Any, right: Any) -> Any:
    if left.dtype.kind != "f":
        return np.asarray(left == right)
    return np.asarray(
        (np.isnan(left) & np.isnan(right)) | ((left == right) & (np.signbit(left) == np.signbit(right)))
    )


def _error(trial: Trial, before: Node, after: Node, event: Event, wrong: str) -> ValidationError:
    rule = f"rule {event.rule} ({event.kind})" if isinstance(event, Rewrite) else "step to its body or value"
    origin, words = before.about.origin, Words(trial.graph)
    return ValidationError(
        f"the {rule} changed a value: {wrong}",
        given=words.formula(before),
        expected=f"the same value from {words.call(after)}",
        where=str(origin) if origin else None,
        fix="report it; until then, a level that does not allow the rule leaves it out",
    )
