"""What a random program is made with: a pool of values so far, leaves as they are needed, values within a domain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

import graphc as gx
from graphc.errors import ShapeError
from graphc.ir.node import Node
from graphc.ir.size import evaluate, size
from graphc.ir.types import broadcast

T = TypeVar("T")

LARGEST = 150
"""Elements of a value that later steps may take: more would make programs slow, not different."""

SHAPES: tuple[tuple[Any, ...], ...] = (
    ("n", 3),
    (3,),
    (),
    ("n", 1),
    (3, 3),
    ("n",),
    ("n", "m"),
    ("m",),
    (1, 3),
    (2, 3, 4),
    ("n", 2, 3),
)
CONSTANTS = (0.0, -0.0, 1.0, -1.0, 2.0, 0.5, -3.0)
REAL = (-2.0, 2.0)


@dataclass
class Program:
    """A random program: its outputs, the nodes that are differentiated, and where values may lie.

    Attributes:
        outputs: the values of the last steps.
        loss: one scalar that depends on each of them, with a weight of its own.
        wrt: the leaves that it is differentiated by; none where it depends on no float.
        leaves: every leaf that was made, in order.
        bounds: for an integer leaf its smallest value and the first above the largest.
        sizes: what the named sizes are.
        mode: train or eval.
        names: the operations that were drawn.
    """

    outputs: tuple[Node, ...]
    loss: Node
    wrt: tuple[Node, ...]
    leaves: tuple[Node, ...]
    bounds: dict[str, tuple[int, int]]
    sizes: dict[str, int]
    mode: str
    names: tuple[str, ...]

    def __repr__(self) -> str:
        head = f"a program of {', '.join(self.names)} with {self.sizes} in mode {self.mode}"
        return f"{head}:\n{gx.graph_of(list(self.outputs))}"

    def values(self, seed: int, special: bool = False) -> dict[str, Any]:
        """Arrays for the leaves by name; with ``special``, infinities, nans, zeros and subnormals among them."""
        random = np.random.default_rng(seed)
        return {str(x.name): self._value(x, random, special) for x in self.leaves}

    def _value(self, x: Node, random: np.random.Generator, special: bool) -> Any:
        shape = tuple(evaluate(size(d), self.sizes) for d in x.shape)
        if x.dtype == "bool":
            return random.random(shape) < 0.5
        if not x.type.is_float:
            return random.integers(*self.bounds[str(x.name)], shape)
        array = random.uniform(*REAL, shape)
        if special:
            odd = random.choice([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-320, 1e200, -1e-200], shape)
            array = np.where(random.random(shape) < 0.3, odd, array)
        with np.errstate(over="ignore"):
            return array.astype(x.dtype)[()]


@dataclass
class Maker:
    """Makes one program, by choices that come from outside (Hypothesis, or a seed).

    Attributes:
        choose: a number from 0 up to, not including, its argument.
        dtype: of the floats: float64, float32, or ``mixed``.
        sizes: what the named sizes are.
    """

    choose: Callable[[int], int]
    dtype: str = "float64"
    sizes: dict[str, int] = field(default_factory=lambda: {"n": 4, "m": 2})
    pool: list[Node] = field(default_factory=list)
    leaves: list[Node] = field(default_factory=list)
    bounds: dict[str, tuple[int, int]] = field(default_factory=dict)

    # -- choices -------------------------------------------------------------------------------------------------

    def one(self, options: Sequence[T]) -> T:
        """One of them; the first is the simplest."""
        return options[self.choose(len(options))]

    def rarely(self) -> bool:
        """True in one of six."""
        return self.choose(6) == 5

    def coin(self) -> bool:
        """True in one of two."""
        return self.choose(2) == 1

    def axis(self, x: Node) -> int:
        """An axis, counted from either end."""
        a = self.choose(x.ndim)
        return a - x.ndim if self.rarely() else a

    def axes(self, x: Node) -> Any:
        """One axis, several, or None for all."""
        kind = self.choose(4)
        if kind == 0 or not x.ndim:
            return None
        if kind == 1 and x.ndim > 1:
            first = self.choose(x.ndim)
            return tuple(sorted({first, self.choose(x.ndim)}))
        return self.axis(x)

    def order(self, count: int) -> tuple[int, ...]:
        """A permutation."""
        rest = list(range(count))
        return tuple(rest.pop(self.choose(len(rest))) for _ in range(count))

    # -- shapes --------------------------------------------------------------------------------------------------

    def length(self, dim: Any) -> int:
        """How long an axis is in the run."""
        return evaluate(size(dim), self.sizes)

    def shape(self, node: Node) -> tuple[int, ...]:
        """The shape in the run."""
        return tuple(self.length(d) for d in node.shape)

    # -- values of the pool, or new leaves -----------------------------------------------------------------------

    def float_dtype(self) -> str:
        """The dtype of a new float."""
        return self.one(("float64", "float32")) if self.dtype == "mixed" else self.dtype

    def leaf(
        self, shape: Sequence[Any], kind: str = "float", bounds: tuple[int, int] = (-3, 4), made: str = ""
    ) -> Node:
        """A new leaf; ``made`` says which kind of leaf, otherwise it is drawn."""
        dtype = {"float": self.float_dtype, "int": lambda: "int64", "bool": lambda: "bool"}[kind]()
        name, shape = f"x{len(self.leaves)}", tuple(shape)
        whole = all(isinstance(d, int) for d in shape)
        if not made:
            made = self.one(("input", "param", "state", "hyper")) if whole and kind == "float" else "input"
            made = "param" if made == "hyper" and shape else made
        make = {"input": gx.input, "param": gx.param, "state": gx.state}
        node = gx.hyper(name, dtype=dtype) if made == "hyper" else make[made](name, shape, dtype=dtype)
        self.leaves.append(node)
        self.bounds[name] = bounds
        return node

    def _known(self, kind: str, fits: Callable[[Node], bool]) -> Node | None:
        found = [x for x in self.pool if kind_of(x) == kind and fits(x)]
        # the latest most often: long chains, not wide ones
        return found[-1 - min(self.choose(len(found)), self.choose(len(found)))] if found else None

    def value(
        self, kind: str = "float", fits: Callable[[Node], bool] = lambda x: True, shapes: Any = SHAPES
    ) -> Node:
        """A value of the pool, or a new leaf of one of the shapes."""
        node = None if self.rarely() else self._known(kind, fits)
        if node is not None:
            return node
        return self.leaf(self.one([s for s in shapes if fits_shape(s, kind, fits)] or shapes), kind)

    def number(self, least: int = 0, most: int = 3, kind: str = "float") -> Node:
        """A float (or int, or bool) with so many axes."""
        return self.value(kind, lambda x: least <= x.ndim <= most)

    def of(self, shape: Sequence[Any], kind: str = "float") -> Node:
        """A value of this very shape: known, new, or a known one stretched and summed to it."""
        wanted = tuple(size(d) if isinstance(d, str) else d for d in shape)
        node = self._known(kind, lambda x: x.shape == wanted)
        if node is not None and not self.rarely():
            return node
        other = self._known(kind, lambda x: x.type.is_float and x.ndim <= len(wanted))
        return self.leaf(wanted, kind) if other is None or self.coin() else stretched(other, wanted)

    def beside(self, x: Node, kind: str = "float", same_dtype: bool = False) -> Any:
        """What broadcasts with a value: another value, the same, a new leaf, or a Python number."""
        how = self.choose(8)
        if how == 0 and kind == "float" and not same_dtype:
            return self.one(CONSTANTS)
        if how == 1 and kind_of(x) == kind:
            return x
        if how > 3:
            node = self._known(kind, lambda y: broadcasts(x, y) and (not same_dtype or y.dtype == x.dtype))
            if node is not None:
                return node
        return self.leaf(self._narrowed(x), kind)

    def _narrowed(self, x: Node) -> tuple[Any, ...]:
        how = self.choose(4)
        if how == 1:
            return ()
        if how == 2:
            return tuple(1 if self.coin() else d for d in x.shape)
        return x.shape[self.choose(x.ndim) :] if how == 3 and x.ndim else x.shape

    def within(self, x: Any, low: float, high: float) -> Any:
        """The value brought into an interval; sometimes as it is, outside of where the function is smooth."""
        if not isinstance(x, Node):
            return min(max(x, low), high)
        if not x.type.is_float:
            return x
        how = self.choose(16)
        if how == 15:
            return x
        middle, half = (low + high) / 2, (high - low) / 2
        if how < 8:
            return middle + half * gx.tanh(x)
        if how < 12:
            return middle + half * gx.sin(x)
        return low + (high - low) * gx.sigmoid(x) if how < 14 else gx.clip(x, low, high)

    def places(self, shape: Sequence[Any], count: Any) -> Node:
        """Integers that are places on an axis of this length."""
        known = self._known("int", lambda x: tuple(x.shape) == tuple(shape) and x.op.name == "argsort")
        if known is not None and self.length(known.shape[-1]) <= self.length(count):
            return known
        longest = self.length(count)
        return self.leaf(shape, "int", (-longest if self.rarely() else 0, longest))

    def keep(self, node: Node) -> None:
        """A new value, for later steps and as an output."""
        self.pool.append(node)


def kind_of(x: Node) -> str:
    """float, int or bool."""
    return "float" if x.type.is_float else "bool" if x.dtype == "bool" else "int"


def fits_shape(shape: Sequence[Any], kind: str, fits: Callable[[Node], bool]) -> bool:
    """Whether a leaf of this shape would do."""
    dtype = {"float": "float64", "int": "int64", "bool": "bool"}[kind]
    return fits(gx.input("probe", shape, dtype=dtype))


def broadcasts(x: Node, y: Node) -> bool:
    """Whether two values may meet."""
    try:
        broadcast([x.shape, y.shape])
    except ShapeError:
        return False
    return True


def stretched(x: Node, shape: Sequence[Any]) -> Node:
    """A float averaged where its sizes do not fit, stretched to a shape, and made different at each place."""
    lead = len(shape) - x.ndim
    other = tuple(i for i, d in enumerate(x.shape) if d not in (1, shape[i + lead]))
    wide = gx.broadcast_to(gx.mean(x, axis=other, keepdims=True) if other else x, shape)
    if not shape:
        return wide
    return wide * (1.0 + 0.1 * gx.astype(gx.arange(shape[-1]), wide.dtype))
