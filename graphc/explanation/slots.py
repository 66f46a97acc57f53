"""Where the values of a planned listing lie, as the listing says it: buffers, and the values that share each."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from graphc.ir.size import evaluate, size
from graphc.ops.vectors import _packed

MAKES = "_buffers"
CUTS = "_cut"


@dataclass(frozen=True)
class Slot:
    """A buffer of the workspace.

    Attributes:
        name: the value that it is made for.
        shape: as the listing has it, with names of sizes.
        dtype: of its elements.
        first: the first computation of the step, counted from 0, that needs it.
        last: the last one; two slots share memory where no computation needs both.
        shared: other values that lie in it, written over those that died, in order.
        until: what the last one computes, or the empty text.
        bytes: its size, once the sizes that have names are known; else None.
    """

    name: str
    shape: str
    dtype: str
    first: int
    last: int
    shared: tuple[str, ...] = ()
    until: str = ""
    bytes: int | None = None

    def __str__(self) -> str:
        also = f", then {', '.join(self.shared)}" if self.shared else ""
        size = "" if self.bytes is None else f", {self.bytes:,} bytes"
        end = f" ({self.until})" if self.until else ""
        return f"{self.name}: {self.dtype}{self.shape}{size}{also}; computations {self.first} to {self.last}{end}"


def slots_of(text: str) -> tuple[Slot, ...]:
    r"""The slots that a listing makes.

    Example:
        >>> text = "[h, d] = _buffers(((n, 3), np.float32, 0, 9), ((3,), np.float32, 2, 4))\nh2 = h\n"
        >>> print(slots_of(text)[0])
        h: float32(n, 3), then h2; computations 0 to 9
    """
    if MAKES not in text:
        return ()
    tree = ast.parse(text)
    same, lines = _aliases(tree), text.split("\n")
    return tuple(
        Slot(name, *_read(spec), tuple(same.get(name, ())), _until(spec, lines))
        for names, specs in _made(tree)
        for name, spec in zip(names, specs, strict=True)
    )


def sized(slots: Sequence[Slot], text: str, sizes: Mapping[str, int]) -> tuple[tuple[Slot, ...], int]:
    """The slots with their bytes, and the bytes of the workspace that holds them all.

    Args:
        slots: of a listing.
        text: the listing.
        sizes: a value for each size that has a name.
    """
    known = dict(sizes)
    for name, dim, most in _STRIP.findall(text):
        known[name] = min(evaluate(size(dim), sizes), int(most))
    shapes = [tuple(evaluate(size(d), known) for d in _dims(slot.shape)) for slot in slots]
    specs = [(shape, s.dtype, s.first, s.last) for shape, s in zip(shapes, slots, strict=True)]
    made = tuple(
        replace(s, bytes=math.prod(shape) * np.dtype(s.dtype).itemsize)
        for shape, s in zip(shapes, slots, strict=True)
    )
    return made, int(_packed(specs)[1])  # type: ignore[no-untyped-call]


_STRIP = re.compile(r"^ *(\w+) = min\(([^,()]+), (\d+)\)$", re.MULTILINE)


def _dims(shape: str) -> list[int | str]:
    parts = [part.strip() for part in shape.strip("()").split(",")]
    return [int(part) if part.isdigit() else part.replace(" ", "") for part in parts if part]


def _until(spec: ast.Tuple, lines: Sequence[str]) -> str:
    """What the comment behind a buffer says of its end."""
    return lines[(spec.end_lineno or 1) - 1].partition("  # until ")[2]


def pieces_of(text: str) -> tuple[int, ...]:
    """The lengths of the pieces that a listing cuts vectors into."""
    if CUTS not in text:
        return ()
    calls = (node for node in ast.walk(ast.parse(text)) if _is_call(node, CUTS))
    first = (call.args[0] for call in calls if isinstance(call, ast.Call))
    return tuple(a.value for a in first if isinstance(a, ast.Constant) and isinstance(a.value, int))


def _made(tree: ast.AST) -> Iterator[tuple[list[str], list[ast.Tuple]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _is_call(node.value, MAKES) and isinstance(node.value, ast.Call):
            target = node.targets[0]
            parts = target.elts if isinstance(target, (ast.List, ast.Tuple)) else [target]
            yield (
                [ast.unparse(p) for p in parts],
                [a for a in node.value.args if isinstance(a, ast.Tuple)],
            )


def _is_call(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _read(spec: ast.Tuple) -> tuple[str, str, int, int]:
    shape, dtype, first, last = (ast.unparse(part) for part in spec.elts)
    return shape, dtype.removeprefix("np.").rstrip("_"), int(first), int(last)


def _aliases(tree: ast.AST) -> dict[str, list[str]]:
    """What else each array is called."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and len(node.targets) == 1:
            found.setdefault(node.value.id, []).append(ast.unparse(node.targets[0]))
    return found
