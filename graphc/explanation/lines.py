"""Which statement a line of a listing belongs to, lines inside loops and choices included."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphc.codegen.numpy import Source
from graphc.codegen.statements import Statement

_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?![\w(])")


@dataclass(frozen=True)
class Place:
    """What computes a line: the statement, and the block that it stands in, where it stands in one."""

    statement: Statement
    block: Statement | None = None


def places(source: Source) -> dict[int, Place]:
    """For each line of a listing (counted from 1) that computes something, the statement that it is.

    Statements stand in the listing in their order, so each is looked for below the one before.
    """
    text = [line.strip() for line in source.text.split("\n")]
    found: dict[int, Place] = {}
    start = 0
    for statement in source.statements:
        lines = [line.strip() for line in statement.lines()]
        at = _where(text, lines, start)
        if at is None:
            continue
        inner = _within(statement, lines)
        for i in range(len(lines)):
            found[at + i + 1] = inner.get(i, Place(statement))
        start = at + len(lines)
    return found


def _where(text: Sequence[str], lines: Sequence[str], start: int) -> int | None:
    """The next place at which some lines stand; a listing may leave out their comments."""
    bare = [_bare(line) for line in lines]
    for at in range(start, len(text) - len(lines) + 1):
        if _bare(text[at]) == bare[0] and [_bare(t) for t in text[at : at + len(lines)]] == bare:
            return at
    return None


def _bare(line: str) -> str:
    return line.partition("  # ")[0]


def _within(block: Statement, lines: Sequence[str]) -> dict[int, Place]:
    """For the lines of a block the statements of its bodies: the same code, but for the names of variables."""
    found: dict[int, Place] = {}
    at = 0
    unnamed = []
    for inner, outer in _flattened(block):
        if not inner.name:
            unnamed.append((inner, outer))
            continue
        code = _shape(inner.lines("")[0])
        here = next((i for i in range(at, len(lines)) if _shape(lines[i]) == code), None)
        if here is not None:
            found[here], at = Place(inner, outer), here + 1
    for inner, outer in unnamed:
        code = _shape(inner.expression)
        at_once = [i for i, line in enumerate(lines) if i not in found and _value(line) == code]
        found |= {i: Place(inner, outer) for i in at_once[:1]}
    return found


def _value(line: str) -> str:
    """What stands right of the first equals sign, by its shape."""
    return _shape(line.partition(" = ")[2])


def _flattened(block: Statement) -> Iterator[tuple[Statement, Statement]]:
    """The statements of bodies in order, with the block each stands in; blocks in blocks become their statements."""
    stack = [(s, block) for s in reversed(block.inner)]
    while stack:
        statement, outer = stack.pop()
        if statement.inner:
            stack.extend((s, statement) for s in reversed(statement.inner))
        else:
            yield statement, outer


def _shape(line: str) -> str:
    """The code of a line without the names of its variables."""
    return _NAME.sub("_", _bare(line.strip()))
