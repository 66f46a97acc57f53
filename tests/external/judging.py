"""How cases of single functions are judged: value, vector-Jacobian product, and the derivative of that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import graphc as gx
from graphc import nn
from graphc.errors import GraphcError
from tests.external.harness import DIFFERS, NOT_COVERED, RIGHT, WRONG, Outcome

TOLERANCE = 1e-9
"""Relative to the larger of 1 and the number wanted."""

REFUSED = {
    "the eps of a normalisation": "an eps below 0 is refused: a variance of 0 would have no root",
    "would both be stretched": "a shape that would stretch both operands is refused where their ranks differ",
    "the axes that meet have different sizes": "PyTorch's tensordot stretches an axis of size 1, graphc's does not",
    "so it has no maximum": "the maximum, and so the softmax, of nothing is refused",
}
"""What graphc refuses on purpose: words of the error to the reason."""


class Missing(Exception):
    """What graphc does not have, by its name."""


class Names:
    """The public names of a module; one that it does not have is not covered."""

    def __init__(self, module: Any, prefix: str) -> None:
        self._module, self._prefix = module, prefix

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(self._module, name)
        except AttributeError:
            raise Missing(f"{self._prefix}.{name}") from None


ops, layers = Names(gx, "gx"), Names(nn, "nn")


def later(what: str) -> Callable[..., Any]:
    """An adapter for what graphc does not have, under the name that the table shows."""

    def missing(*args: Any, **kwargs: Any) -> Any:
        raise Missing(what)

    return missing


@dataclass(frozen=True)
class Problem:
    """One case of a function.

    Attributes:
        function: from input nodes by name to the outputs.
        arrays: the values of the inputs.
        outs: the outputs wanted.
        cotangents: one for each of the first outputs; the gradients are of their dot products' sum.
        grads: the gradients wanted, by input.
        weights: for each gradient, what it is multiplied with before it is differentiated again.
        second: the derivatives wanted of those dot products' sum, by input.
        tolerance: relative to the larger of 1 and the number wanted.
        excuse: why a gradient may differ by convention.
    """

    function: Callable[[Mapping[str, Any]], Sequence[Any]]
    arrays: Mapping[str, Any]
    outs: Sequence[Any]
    cotangents: Sequence[Any] = ()
    grads: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, Any] = field(default_factory=dict)
    second: Mapping[str, Any] = field(default_factory=dict)
    tolerance: float = TOLERANCE
    excuse: str = ""


def guarded(check: Callable[[], Outcome]) -> Outcome:
    """What came of a check; an exception is one wrong case, with its message."""
    try:
        with np.errstate(all="ignore"):
            return check()
    except Missing as missing:
        return Outcome(NOT_COVERED, str(missing))
    except Exception as error:  # noqa: BLE001  one case that fails must not end the others
        return failed(error)


def failed(error: Exception) -> Outcome:
    """Wrong, unless graphc refuses it on purpose."""
    if isinstance(error, GraphcError):
        for words, reason in REFUSED.items():
            if words in str(error):
                return Outcome(DIFFERS, reason)
    return Outcome(WRONG, f"{type(error).__name__}: {' '.join(str(error).split())[:160]}")


def judged(problem: Problem) -> Outcome:
    """Right where the value, every gradient and every second derivative are."""
    nodes = {name: gx.input(name, a.shape, str(a.dtype)) for name, a in problem.arrays.items()}
    given = dict(problem.arrays) | {f"cot{i}": c for i, c in enumerate(problem.cotangents)}
    outs = list(problem.function(nodes))
    if len(outs) != len(problem.outs):
        return Outcome(WRONG, f"{len(outs)} outputs instead of {len(problem.outs)}")
    first = gradients(outs, nodes, problem)
    second = second_derivatives(first, nodes, problem)
    found = called([*outs, *first, *second], given)
    value = differences(found, problem.outs, "output", problem.tolerance)
    if value:
        return Outcome(WRONG, value)
    slope = differences(found[len(outs) :], problem.grads.values(), "gradient", problem.tolerance)
    slope = slope or differences(
        found[len(outs) + len(first) :], problem.second.values(), "second derivative", problem.tolerance
    )
    if slope and problem.excuse:
        return Outcome(DIFFERS, problem.excuse)
    return Outcome(WRONG if slope else RIGHT, slope)


def gradients(outs: Sequence[Any], nodes: Mapping[str, Any], problem: Problem) -> list[Any]:
    """The vector-Jacobian products by the inputs that have one, each the sum over the outputs."""
    wrt = [nodes[name] for name in problem.grads]
    total: list[Any] = []
    for i, (out, array) in enumerate(zip(outs, problem.cotangents, strict=False)):
        cotangent = gx.input(f"cot{i}", array.shape, str(out.dtype))
        parts = gx.vjp(out, wrt, cotangent) if wrt else []
        total = [a + b for a, b in zip(total, parts, strict=True)] if total else list(parts)
    return total


def second_derivatives(first: Sequence[Any], nodes: Mapping[str, Any], problem: Problem) -> list[Any]:
    """The gradients of the gradients' weighted sum."""
    if not problem.second:
        return []
    weighted = [
        gx.sum(g * gx.const(problem.weights[name].astype(g.dtype)))
        for name, g in zip(problem.grads, first, strict=True)
        if name in problem.weights
    ]
    total = weighted[0]
    for part in weighted[1:]:
        total = total + part
    return list(gx.grad(total, [nodes[name] for name in problem.second]))


def called(nodes: Sequence[Any], given: Mapping[str, Any]) -> list[Any]:
    """The values of nodes; of what is given, the program takes what it needs."""
    program = gx.compile(list(nodes))
    names = [str(program.graph.name_of(leaf)) for leaf in program.graph.arguments]
    return [np.asarray(value) for value in program(**{name: given[name] for name in names})]


def differences(found: Sequence[Any], wanted: Iterable[Any], what: str, tolerance: float) -> str:
    """What differs first: a dtype, a shape or a number; nothing where all agree."""
    for i, (got, want) in enumerate(zip(found, wanted, strict=False)):
        told = difference(got, np.asarray(want), tolerance)
        if told:
            return f"{what} {i}: {told}"
    return ""


def difference(got: Any, want: Any, tolerance: float) -> str:
    """How an array differs from the one wanted: in dtype, in shape, or by more than the tolerance."""
    if got.shape != want.shape:
        return f"shape {got.shape} instead of {want.shape}"
    if got.dtype != want.dtype:
        return f"{got.dtype} instead of {want.dtype}"
    if want.dtype.kind != "f":
        return "" if np.array_equal(got, want) else f"{got.ravel()[:4]} instead of {want.ravel()[:4]}"
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    error = np.where(same, 0.0, np.abs(got - want) / np.maximum(1.0, np.abs(want)))
    beyond = ~(error <= tolerance)  # a nan is beyond
    at = np.argmax(beyond) if beyond.any() else 0
    return f"{got.ravel()[at]!r} instead of {want.ravel()[at]!r}" if beyond.any() else ""
