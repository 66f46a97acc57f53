"""Where the time of generated code goes, line by line: the same code with a clock between its statements."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from time import perf_counter
from typing import Any

from graphc.runtime.load import load_source

STAMP = "_stamp"
RESULT = "_result"


@dataclass(frozen=True)
class LineTimes:
    """Where the time of a call went.

    Attributes:
        seconds: a call of the code as it is, the mean over the fastest quarter too.
        lines: for each line of the listing the seconds that a call spends in it. The first line of a function has what
            it takes to enter it, the last what it takes to leave it, which is when its values are freed.
        calls: how many calls with clocks the means are over.
    """

    seconds: float
    lines: dict[int, float]
    calls: int

    @property
    def total(self) -> float:
        """The seconds of all lines."""
        return sum(self.lines.values())


def stamped(text: str) -> str:
    r"""A listing with a stamp behind each statement of its functions, but for the helpers whose names begin with _.

    Example:
        >>> print(stamped("def f(x):\n    y = x + 1\n    return y\n"))
        def f(x):
            _stamp(1)
            y = x + 1
            _stamp(2)
            _result = y
            _stamp(3)
            return _result
    """
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            node.body = [_mark(node.lineno), *_stamped_block(node.body)]
    return ast.unparse(ast.fix_missing_locations(tree))


def functions_of(text: str) -> dict[int, str]:
    r"""For each line of a listing the innermost function that it stands in.

    Example:
        >>> functions_of("import math\n\ndef f(x):\n    return x\n")
        {3: 'f', 4: 'f'}
    """
    found: dict[int, str] = {}
    for node in ast.walk(ast.parse(text)):  # what stands inside comes later
        if isinstance(node, ast.FunctionDef):
            found.update(dict.fromkeys(range(node.lineno, (node.end_lineno or node.lineno) + 1), node.name))
    return found


def _stamped_block(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for statement in body:
        found += _stamped_statement(statement)
    return found


def _stamped_statement(statement: ast.stmt) -> list[ast.stmt]:
    if isinstance(statement, ast.FunctionDef) or _is_docstring(statement):
        return [statement]  # its own body is stamped as a function
    if isinstance(statement, ast.Return):
        value = statement.value or ast.Constant(None)
        kept = ast.Assign([ast.Name(RESULT, ast.Store())], value)
        return [kept, _mark(statement.lineno), ast.Return(ast.Name(RESULT, ast.Load()))]
    inner = [name for name in ("body", "orelse", "finalbody") if getattr(statement, name, None)]
    for name in inner:
        setattr(statement, name, _stamped_block(getattr(statement, name)))
    leaves = isinstance(statement, (ast.Raise, ast.Break, ast.Continue))
    return [statement] if inner or leaves else [statement, _mark(statement.lineno)]


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _mark(line: int) -> ast.stmt:
    return ast.Expr(ast.Call(ast.Name(STAMP, ast.Load()), [ast.Constant(line)], []))


class Watch:
    """Stamps: after a statement, its line and the time."""

    def __init__(self) -> None:
        self.stamps: list[tuple[int, float]] = []

    def stamp(self) -> Callable[[int], None]:
        """The function that generated code calls."""
        add, clock = self.stamps.append, perf_counter

        def stamp(line: int) -> None:
            add((line, clock()))

        return stamp

    def price(self) -> float:
        """The seconds that a stamp takes itself."""
        stamp = self.stamp()
        self.stamps.clear()
        for _ in range(2000):
            stamp(0)
        times = [t for _, t in self.stamps]
        self.stamps.clear()
        return median(b - a for a, b in pairwise(times))

    def taken(self, start: float, end: float, price: float) -> dict[int, float]:
        """The seconds of each line between two moments, what stamps take left out."""
        lines: dict[int, float] = {}
        before, line = start, 0
        for line, time in self.stamps:
            lines[line] = lines.get(line, 0.0) + max(0.0, time - before - price)
            before = time
        lines[line] = lines.get(line, 0.0) + max(0.0, end - before)  # to return is to free what it made
        self.stamps.clear()
        return lines


def watched(text: str, name: str) -> tuple[dict[str, Any], Watch]:
    """The names of a listing, loaded with stamps, and the watch that they go to."""
    watch = Watch()
    space = load_source(stamped(text), f"{name}_watched")
    space[STAMP] = watch.stamp()
    return space, watch


def line_times(plain: Callable[[], Any], call: Callable[[], Any], watch: Watch, seconds: float) -> LineTimes:
    """The mean over the fastest quarter of the calls.

    Args:
        plain: calls the code as it is.
        call: calls the same code with stamps.
        watch: receives the stamps of ``call``.
        seconds: about how long to measure.
    """
    plain()
    call()
    price = watch.price()
    found: list[tuple[float, dict[int, float]]] = []
    bare: list[float] = []
    end = perf_counter() + seconds
    while len(found) < 5 or perf_counter() < end:
        bare.append(_timed(plain)[1])
        start, taken = _timed(call)
        found.append((taken, watch.taken(start, start + taken, price)))
    found.sort(key=lambda item: item[0])
    kept = [lines for _, lines in found[: (len(found) + 3) // 4]]
    numbers = dict.fromkeys(n for lines in kept for n in lines)
    means = {n: sum(lines.get(n, 0.0) for lines in kept) / len(kept) for n in sorted(numbers)}
    bare = sorted(bare)[: len(kept)]
    return LineTimes(sum(bare) / len(bare), means, len(kept))


def _timed(call: Callable[[], Any]) -> tuple[float, float]:
    start = perf_counter()
    call()
    return start, perf_counter() - start
