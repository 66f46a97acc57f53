"""Gradients held to differences: does the compiled gradient agree with how the outputs really change?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graphc.check.blame import stand_in, suspect, suspect_rule
from graphc.check.complex_step import NotAnalytic, complex_slope
from graphc.check.report import GradientReport, VariableCheck
from graphc.derivatives import grad
from graphc.errors import ArgumentError, DTypeError, NonFiniteError
from graphc.ir.graph import Graph, graph_of
from graphc.ir.node import Node, engine, substitute
from graphc.ir.structure import flatten
from graphc.ops.reduce import sum as sum_of
from graphc.ops.shape import stop_gradient
from graphc.runtime.arguments import bind_arguments
from graphc.runtime.guards import first_non_finite
from graphc.runtime.interpret import interpret, interpret_nodes
from graphc.runtime.program import make_rng
from graphc.stages import compile, resolve, retype

TOLERANCE = 1e-6

# Five points at 1e-3 are right to about 1e-11 where the function is smooth; near a kink only a short step is.
_LONG, _SHORT = 1e-3, 1e-6


def check_grad(
    outputs: Any,
    wrt: Any,
    values: Any,
    *,
    mode: str = "eval",
    level: str = "default",
    tolerance: float = TOLERANCE,
    elements: int = 64,
    seed: int = 0,
) -> GradientReport:
    """Compare the compiled gradient with central differences, in float64.

    Outputs that are not scalars are weighted with random numbers and added up. What stands behind
    ``stop_gradient`` is held fixed. Each variable is compared element by element, and along a random direction to which
    every element adds; there by the complex step too, where each operation has a form for complex numbers.

    Args:
        outputs: a float node, or a list, tuple or dict of them.
        wrt: leaves, or their names; one, or a list, tuple or dict.
        values: arrays for every argument, by name or in order of declaration.
        mode: ``eval`` or ``train``.
        level: which rewrites may happen, in the program and in its gradient.
        tolerance: the largest ``|gradient - difference| / max(1, |difference|)`` that passes.
        elements: how many elements of each variable are compared; a larger variable is sampled, and where its direction
            disagrees, it is halved until the element is found.
        seed: of the sample, the weights and what is random in the program.

    Raises:
        ArgumentError: a variable that is no argument of the outputs, missing or unknown values.
        DTypeError: an output or a variable that is not a float.
        NonFiniteError: outputs that are not finite at these values, so that there is nothing to compare.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (2,))
        >>> gx.check_grad(gx.sum(gx.tanh(x)), x, {"x": [0.5, -1.0]}).ok
        True
    """
    check = _Check(outputs, wrt, values, mode, level, elements, seed)
    found = tuple(check.variable(i, tolerance) for i in range(len(check.wrt)))
    report = GradientReport(found, tolerance, None, check.simplified, check.no_complex_step)
    return report if report.ok else replace(report, suspect=check.suspect(tolerance))


class _Check:
    """One declared loss in float64: its gradient program, its forward program, and a point."""

    def __init__(
        self, outputs: Any, wrt: Any, values: Any, mode: str, level: str, elements: int, seed: int
    ) -> None:
        if elements < 1:
            raise ArgumentError("at least one element is compared", given=f"elements={elements!r}")
        declared = _in_float64(graph_of(outputs))
        names = _variable_names(declared, graph_of(outputs), wrt)
        graph = resolve(declared, mode)
        self.elements, self.seed, self.graph = elements, seed, graph
        self.random = np.random.default_rng(seed)
        self.wrt = [_variable(graph, name) for name in names]
        self.names = names
        bound = _bound(graph, values)
        self.loss, weights = _weighted(graph, bound, self.random, seed)
        self.arrays = {**bound, **weights}
        self._compile(level)

    def _compile(self, level: str) -> None:
        self.level = level
        # together with the loss, from whose inputs named sizes can be read even where a gradient needs no values
        self.both = compile([self.loss, *grad(self.loss, self.wrt, level)], level=level, name="gradient")
        with np.errstate(all="ignore"):
            value, *self.gradients = self.both(
                **self._arguments(self.both.graph), **self._rng(self.both.graph)
            )
        if not np.isfinite(value):
            raise self._no_value(float(value))
        frozen, held = _frozen(self.loss, self.arrays, self.graph, self.seed)
        self.arrays |= held
        self.forward = compile(frozen, level=level, name="forward")
        self.simplified = self._simplified(frozen, float(value))
        self.no_complex_step = ""

    def _no_value(self, value: float) -> NonFiniteError:
        place = first_non_finite(graph_of(self.loss), self._arguments(graph_of(self.loss)), self.rng())
        return NonFiniteError(
            f"the outputs are {value} at these values, so there is no difference to compare a gradient with",
            given=place.text if place else None,
            where=place.where if place else None,
            fix="choose values at which the outputs are finite",
        )

    def _simplified(self, loss: Node, value: float) -> float:
        """How far rewriting moved the value: a wrong rule moves differences and gradient alike."""
        declared = graph_of(loss)
        with np.errstate(all="ignore"):
            plain = float(interpret(declared, self._arguments(declared), make_rng(declared, self.seed)))
        return abs(value - plain) / max(1.0, abs(plain)) if np.isfinite(plain) else 0.0

    def suspect(self, tolerance: float) -> str | None:
        """What is to blame: an operation whose derivative is wrong, or a rule that changed a value."""
        found = suspect(self.loss, self.arrays, self.graph, self.level, tolerance, self.rng())
        if found:
            return found
        return suspect_rule(self.loss, self.both, self._arguments, self.level, tolerance, self.rng())

    def variable(self, i: int, tolerance: float) -> VariableCheck:
        """Compare the elements of one variable, and a direction."""
        leaf, gradient = self.wrt[i], np.asarray(self.gradients[i])
        if not gradient.size:
            return VariableCheck(self.names[i], gradient.shape, 0, 0, (), 0.0, 0.0, 0.0)
        rows = [self._element(leaf, index, gradient) for index in self._sample(gradient.shape)]
        along, kink, direction = self._along(leaf, gradient)
        if along > tolerance and max(row[3] for row in rows) <= tolerance:
            rows.append(self._element(leaf, self._halved(leaf, gradient, direction), gradient))
        kinks = sum(row[-1] for row in rows)
        exactly = None if kink or kinks else self._complex(leaf, gradient, direction)
        index, slope, difference, error, _ = max(rows, key=lambda row: row[3])
        return VariableCheck(
            self.names[i],
            gradient.shape,
            len(rows),
            kinks,
            index,
            slope,
            difference,
            error,
            along,
            exactly,
        )

    def _element(
        self, leaf: Node, index: tuple[int, ...], gradient: Any
    ) -> tuple[tuple[int, ...], float, float, float, bool]:
        direction = np.zeros(gradient.shape)
        direction[index] = 1.0
        slope = float(gradient[index])
        scale = max(1.0, abs(float(np.asarray(self.arrays[leaf])[index])))
        return (index, slope, *self._best(leaf, direction, slope, scale))

    def _best(self, leaf: Node, direction: Any, slope: float, scale: float) -> tuple[float, float, bool]:
        """The difference nearest to a slope, how near it is, and whether it stands on a kink."""
        best = (float("nan"), float("inf"), False)
        for difference, kink in self._differences(leaf, direction, slope, scale):
            error = abs(slope - difference) / max(1.0, abs(difference))
            if np.isfinite(error) and error < best[1]:
                best = (difference, error, kink)
            if error <= TOLERANCE * 1e-2:
                break
        return best

    def _along(self, leaf: Node, gradient: Any) -> tuple[float, bool, Any]:
        """The error along a random direction, whether it crosses a kink, and the direction."""
        direction = self.random.choice([-1.0, 1.0], gradient.shape) * np.maximum(
            1.0, np.abs(self.arrays[leaf])
        )
        slope = float(np.sum(gradient * direction))
        _, error, kink = self._best(leaf, direction, slope, 1 / np.sqrt(gradient.size))
        return error, kink, direction

    def _halved(self, leaf: Node, gradient: Any, direction: Any) -> tuple[int, ...]:
        """The element that disagrees, by halves: the one of the larger error, again and again."""
        places = np.arange(gradient.size)
        while len(places) > 1:
            halves = np.array_split(places, 2)
            places = max(halves, key=lambda half: self._part(leaf, gradient, direction, half))
        return tuple(int(i) for i in np.unravel_index(int(places[0]), gradient.shape))

    def _part(self, leaf: Node, gradient: Any, direction: Any, places: Any) -> float:
        part = np.zeros(gradient.shape)
        part.flat[places] = direction.flat[places]
        difference, _, _ = self._best(leaf, part, float(np.sum(gradient * part)), 1 / np.sqrt(len(places)))
        return abs(float(np.sum(gradient * part)) - difference)

    def _complex(self, leaf: Node, gradient: Any, direction: Any) -> float | None:
        graph = self.forward.graph
        try:
            arrays = {n: self.arrays[n] for n in graph.arguments}
            found = complex_slope(graph, arrays, {leaf: direction}, make_rng(graph, self.seed))
        except NotAnalytic as error:
            self.no_complex_step = f"{error} has no form for complex numbers here"
            return None
        if not np.isfinite(found):
            self.no_complex_step = "a formula overflows, which its stable form does not"
            return None
        return abs(float(np.sum(gradient * direction)) - found) / max(1.0, abs(found))

    def _differences(
        self, leaf: Node, direction: Any, slope: float, scale: float
    ) -> Iterator[tuple[float, bool]]:
        """Estimates of a slope, the best first; the last, for a kink, is whatever between both sides is nearest."""
        long, short = _LONG * scale, _SHORT * scale
        a, b, c, d = (self._at(leaf, direction, k * long) for k in (-2, -1, 1, 2))
        yield (a - 8 * b + 8 * c - d) / (12 * long), False
        left, middle, right = (self._at(leaf, direction, k * short) for k in (-1, 0, 1))
        yield (right - left) / (2 * short), False
        below, above = sorted(((middle - left) / short, (right - middle) / short))
        if above - below > 1e-3 * max(1.0, abs(above), abs(below)):
            yield float(np.clip(slope, below, above)), True

    def _at(self, leaf: Node, direction: Any, step: float) -> float:
        moved = np.array(self.arrays[leaf], dtype="float64") + step * direction
        with np.errstate(all="ignore"):
            program = self.forward
            return float(program(**self._arguments(program.graph, {leaf: moved}), **self._rng(program.graph)))

    def _arguments(self, graph: Graph, changed: Mapping[Node, Any] | None = None) -> dict[str, Any]:
        arrays = {**self.arrays, **(changed or {})}
        return {str(graph.name_of(leaf)): arrays[leaf] for leaf in graph.arguments}

    def _rng(self, graph: Graph) -> dict[str, Any]:
        return {"rng": self.seed} if graph.sites else {}

    def rng(self) -> dict[str, Any]:
        """Generators of the random sites, as at every call."""
        return make_rng(self.graph, self.seed)

    def _sample(self, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
        count = int(np.prod(shape, dtype=int))
        chosen = (
            range(count)
            if count <= self.elements
            else self.random.choice(count, self.elements, replace=False)
        )
        return [tuple(int(i) for i in np.unravel_index(k, shape)) for k in chosen]


def _in_float64(graph: Graph) -> Graph:
    for node in graph.outputs:
        if not node.type.is_float:
            raise DTypeError("only a float has a gradient", given=str(node.type), expected="float outputs")
    if all(n.dtype != "float32" for n in graph.nodes):
        return graph
    new: Graph = retype(graph, "float64")
    return new


def _variable_names(graph: Graph, declared: Graph, wrt: Any) -> list[str]:
    found, _ = flatten(wrt, lambda x: isinstance(x, (Node, str)), "wrt")
    if not found:
        raise ArgumentError("check_grad needs something to differentiate by", given=repr(wrt))
    return [x if isinstance(x, str) else _leaf_name(declared, x) for x in found]


def _leaf_name(declared: Graph, node: Node) -> str:
    if node not in declared.arguments:
        raise ArgumentError(
            "check_grad differentiates by arguments of the outputs",
            given=str(declared.name_of(node) or node.op.name),
            expected=", ".join(str(declared.name_of(n)) for n in declared.arguments) or "none at all",
        )
    return str(declared.name_of(node))


def _variable(graph: Graph, name: str) -> Node:
    leaf = graph.leaf(name)
    if not leaf.type.is_float:
        raise DTypeError(f"{name} cannot be differentiated", given=str(leaf.type), expected="a float")
    return leaf


def _bound(graph: Graph, values: Any) -> dict[Node, Any]:
    if isinstance(values, Mapping):
        arrays = bind_arguments(graph, (), {str(k): v for k, v in values.items()}, "check_grad")
    elif isinstance(values, Sequence) and not isinstance(values, str):
        arrays = bind_arguments(graph, tuple(values), {}, "check_grad")
    else:
        given = type(values).__name__
        raise ArgumentError("values are arrays by name, or a list of arrays", given=given)
    return dict(zip(graph.arguments, arrays, strict=True))


def _weighted(
    graph: Graph, arrays: Mapping[Node, Any], random: np.random.Generator, seed: int
) -> tuple[Node, dict[Node, Any]]:
    """One scalar from all outputs: each weighted with random numbers, which are inputs of their own."""
    if len(graph.outputs) == 1 and graph.outputs[0].shape == ():
        return graph.outputs[0], {}
    by_name = {str(graph.name_of(leaf)): array for leaf, array in arrays.items()}
    with np.errstate(all="ignore"):
        values = interpret_nodes(graph, by_name, make_rng(graph, seed))
    weights: dict[Node, Any] = {}
    total: Any = None
    with engine():
        for i, output in enumerate(graph.outputs):
            weight = stand_in(output, f"weight{i}")
            weights[weight] = random.uniform(0.5, 1.5, np.shape(values[output]))
            term = sum_of(output * weight)
            total = term if total is None else total + term
    return total, weights


def _frozen(loss: Node, arrays: Mapping[Node, Any], graph: Graph, seed: int) -> tuple[Node, dict[Node, Any]]:
    """The loss with everything behind ``stop_gradient`` held at its value here."""
    whole = graph_of(loss)
    stopped = [n for n in whole.nodes if n.op is stop_gradient]
    if not stopped:
        return loss, {}
    by_name = {str(whole.name_of(leaf)): arrays[leaf] for leaf in whole.arguments}
    values = interpret_nodes(graph_of([loss, *stopped]), by_name, make_rng(whole, seed))
    held = {n: stand_in(n, f"held{i}") for i, n in enumerate(stopped)}
    with engine():
        new = substitute([loss], held)[loss]
    return new, {leaf: values[n] for n, leaf in held.items()}
