"""A graph before and after, for the rules that move something behind a pool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gx
from graphc.ir.node import Node

Pair = tuple[Node, Any]


def pooled(x: Node, stride: int = 2, axis: int = 3) -> Node:
    """The largest of each pair along the last of three axes."""
    return gx.max(gx.sliding_windows(x, 2, stride=stride), axis=axis)


def in_squares(x: Node) -> Node:
    """The largest of each 2 x 2 window: a pool over two axes."""
    return gx.max_pool(x, 2)


def images(cube: Node) -> Node:
    """One of two channels."""
    return gx.expand_dims(cube, 0)


POOL_PAIRS: dict[str, tuple[Callable[..., Pair], ...]] = {
    "relu-behind-pool": (
        lambda cube: (pooled(gx.relu(cube)), gx.relu(pooled(cube))),
        lambda cube: (pooled(gx.relu(cube), stride=1), gx.relu(pooled(cube, stride=1))),
        lambda cube: (in_squares(gx.relu(images(cube))), gx.relu(in_squares(images(cube)))),
    ),
    "sum-behind-pool": (
        lambda cube, row: (pooled(cube + gx.expand_dims(row, 1)), pooled(cube) + gx.expand_dims(row, 1)),
        lambda cube, s: (pooled(s + cube), pooled(cube) + s),
        lambda cube, column: (
            in_squares(images(cube) + gx.expand_dims(column, 1)),
            in_squares(images(cube)) + gx.expand_dims(column, 1),
        ),
    ),
}

POOLS_REFUSED: dict[str, tuple[Callable[..., Node], ...]] = {
    "relu-behind-pool": (
        lambda cube: gx.max(gx.relu(cube), axis=2),
        lambda cube: pooled(gx.relu(cube), axis=1),
        lambda cube: gx.max(gx.sliding_windows(gx.relu(cube), 1), axis=3),
    ),
    "sum-behind-pool": (
        lambda cube: pooled(cube + gx.exp(cube)),
        lambda cube, b: pooled(cube + gx.expand_dims(b[:1], 1)),
        lambda cube, row: gx.max(cube + gx.expand_dims(row, 1), axis=2),
        lambda cube, row: pooled(cube + gx.expand_dims(row, 1), axis=1),
    ),
}
