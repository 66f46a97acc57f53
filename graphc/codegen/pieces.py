"""Values that are written straight into the places where a larger one holds them, so that nothing is joined."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.ir.node import Node
from graphc.ops.slices import index_word, slice_text
from graphc.planning.buffers import Memory


@dataclass(frozen=True)
class Piece:
    """Where a value stands in a larger one."""

    whole: Node
    index: tuple[Any, ...]

    def text(self, name: str) -> str:
        """The view, where the larger value goes by this name."""
        return f"{name}[{slice_text(self.index)}]"

    @property
    def word(self) -> str:
        """Which part it is, as stands behind a name."""
        return index_word(self.index)


def pieces(
    nodes: Sequence[Node],
    into: Collection[Node],
    apart: Collection[Node],
    plain: Callable[[Node], bool],
    users: Mapping[Node, Sequence[Node]],
) -> dict[Node, Piece]:
    """The values that may be written where a larger one holds them: element by element, and read by nothing after it.

    Args:
        nodes: in the order in which they are computed.
        into: those that are written into an array.
        apart: those whose arrays somebody else has chosen.
        plain: whether a value is written element by element.
        users: who reads each.
    """
    at = {node: i for i, node in enumerate(nodes)}
    found: dict[Node, Piece] = {}
    for whole in nodes:
        if whole.op.piece is None or whole not in into or whole in apart:
            continue
        for place, part in enumerate(whole.inputs):
            own = part in into and part not in apart and plain(part) and part not in found
            own = own and part.dtype == whole.dtype and whole.inputs.count(part) == 1
            if own and all(at.get(user, len(at)) <= at[whole] for user in users[part]):
                found[part] = Piece(whole, whole.op.piece(whole, place))
    return found


def with_room(memory: Memory, found: Mapping[Node, Piece]) -> Memory:
    """Arrays of larger values are there from their first piece on."""
    span = dict(memory.span)
    for part, piece in found.items():
        first, last = span[piece.whole]
        span[piece.whole] = (min(first, span[part][0]), last)
    return Memory(memory.home, span)
