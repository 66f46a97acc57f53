"""Random programs: some steps from the table, what they make, and a loss that depends on all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from random import Random

from hypothesis import strategies as st

import graphc as gx
from graphc.ir.node import Node, engine
from tests.programs.maker import LARGEST, Maker, Program
from tests.programs.table import ROWS, Row

COMMON = (
    "add",
    "subtract",
    "multiply",
    "divide",
    "negative",
    "exp",
    "log",
    "sum",
    "matmul",
    "where",
    "getitem",
)
"""What most equations are made of, and most rules are about: drawn more often."""

DTYPES = ("float64",) * 4 + ("float32", "mixed")
MOST = 3
SEEDS = st.integers(0, 2**20)
KEPT = 4


Steps = Sequence[tuple[str, int]]
"""The operations of a program, each with the seed of its choices: so a step may go and the others stay as they are."""


def make_program(
    steps: Steps, seed: int = 0, dtype: str | None = None, rows: Mapping[str, Row] = ROWS
) -> Program:
    """The program of these steps.

    Args:
        steps: names of rows, each with the seed of its choices.
        seed: of sizes, dtype and mode.
        dtype: of the floats; drawn unless given.
        rows: how operations are drawn.
    """
    choose = Random(seed).randrange
    sizes = {"n": (4, 3, 5)[choose(3)], "m": (2, 3)[choose(2)]}
    maker = Maker(choose, dtype or DTYPES[choose(len(DTYPES))], sizes)
    maker.leaf(
        ("n", "m"), made="input"
    )  # an argument from which both named sizes can be read, whatever follows
    made = []
    for name, choices in steps:
        maker.choose = Random(choices).randrange
        made += step(maker, rows[name])
    return finished(maker, made, ("eval", "train")[choose(2)], [name for name, _ in steps])


def step(maker: Maker, row: Row) -> list[Node]:
    """What a row makes; what is not too large is there for later steps."""
    made = row(maker)
    nodes = [made] if isinstance(made, Node) else list(made)
    for node in nodes:
        if 0 < _count(maker, node) <= LARGEST and node.ndim < 5:
            maker.keep(node)
    return nodes


def _count(maker: Maker, node: Node) -> int:
    count = 1
    for length in maker.shape(node):
        count *= length
    return count


def finished(maker: Maker, made: Sequence[Node], mode: str, drawn: Sequence[str]) -> Program:
    """The last values as outputs, and their weighted sum as a loss."""
    outputs = tuple(dict.fromkeys(made[-KEPT:]))
    floats = [x for x in outputs if x.type.is_float]
    with engine():
        parts = [weighted(x) for x in floats] or [gx.const(0.0, dtype="float64")]
        loss = reduce(gx.add, parts)
    used = gx.graph_of([*outputs, loss]).arguments
    leaves = tuple(x for x in maker.leaves if x in used or x is maker.leaves[0])
    wrt = tuple(x for x in leaves if x.type.is_float)
    return Program(outputs, loss, wrt, leaves, maker.bounds, maker.sizes, mode, tuple(drawn))


def weighted(x: Node) -> Node:
    """The sum with another weight for each place along the last axis: the sum of a softmax alone has no slope."""
    if not x.ndim:
        return x
    return gx.sum(x * (0.5 + 0.25 * gx.astype(gx.arange(x.shape[-1]), x.dtype)))


def programs(
    dtype: str | None = None, most: int = MOST, rows: Mapping[str, Row] = ROWS
) -> st.SearchStrategy[Program]:
    """Random programs, which Hypothesis makes smaller where one fails: fewer steps, then other choices."""
    names = [*rows, *(name for name in COMMON * 3 if name in rows)]
    steps = st.lists(st.tuples(st.sampled_from(names), SEEDS), min_size=1, max_size=most)
    return st.builds(lambda steps, seed: make_program(steps, seed, dtype, rows), steps, SEEDS)
