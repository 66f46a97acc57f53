"""What stands above a step: names, functions, buffers, and what is made of them once for each size of batch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from graphc.codegen.lifetimes import Buffer, buffer_lines
from graphc.codegen.names import Names
from graphc.codegen.statements import MAX_WIDTH, Statement
from graphc.codegen.strips import Run
from graphc.ir.node import Node

_FUNCTION = re.compile(r"\bnp\.((?:\w+\.)*\w+)(?=\()")


@dataclass
class Closure:
    """What stands above a step, made once for each size of batch.

    Attributes:
        names: of the whole function.
        fixed: nodes that are the same arrays at every step.
        rows: those of them that lie in rows, so that a reshape of them is a view.
        settled: numbers that are computed once, of sizes and constants.
        setup: lines.
        buffers: for each buffer its name, shape, dtype and the lines that need it.
        made: the views among the lines, as statements.
        hoisted: what is computed once, by its expression.
        functions: the name of each function of NumPy that a step calls.
        before: lines that the shapes of buffers need.
        called: what is computed at each place.
        runs: calls over the same rows, and whether they stand in a loop.
        turned: of which array the name of a transposed one is a view.
        notes: comments behind lines of ``setup``, by what these make.
    """

    names: Names
    fixed: set[Node] = field(default_factory=set)
    rows: set[Node] = field(default_factory=set)
    settled: set[Node] = field(default_factory=set)
    setup: list[str] = field(default_factory=list)
    buffers: list[Buffer] = field(default_factory=list)
    made: list[Statement] = field(default_factory=list)
    hoisted: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)
    called: dict[int, str] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    turned: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def within(self, fixed: Iterable[Node], rows: Iterable[Node]) -> Closure:
        """What stands above the step, for a body whose nodes are not those around it."""
        return replace(self, fixed=set(fixed), rows=set(rows), settled=set(), called={})

    def loop(self, names: Sequence[str], short: Sequence[str], rows: str, start: int, end: int) -> None:
        """A loop needs all of these buffers from its first line to its last; some hold a strip of rows alone."""
        for i, (name, shape, dtype, first, last) in enumerate(self.buffers):
            if name in short:
                shape = re.sub(r"^\([^,)]*", f"({rows}", shape)
            if name in names:
                self.buffers[i] = (name, shape, dtype, min(first, start), max(last, end))

    def alias(self, name: str) -> str:
        """The first of several names for one array: two would keep a loop over both from being vectorised."""
        same = dict(line.split(" = ", 1) for line in self.setup if re.fullmatch(r"\w+ = [A-Za-z_]\w*", line))
        while name in same:
            name = same[name]
        return name

    def hoist(self, expression: str, wish: str) -> str:
        """The name of what is computed once."""
        if expression not in self.hoisted:
            name = self.hoisted[expression] = self.names.reserve(wish)
            self.setup.append(f"{name} = {expression}")
        return self.hoisted[expression]

    def bound(self, line: str) -> str:
        """A line whose functions are looked up once."""
        return _FUNCTION.sub(lambda m: self._function(m[1]), line)

    def _function(self, path: str) -> str:
        if path not in self.functions:
            self.functions[path] = self.names.function(path)
        return self.functions[path]

    def lines(self) -> list[str]:
        """Functions, buffers, and what is made of them."""
        return [line for line in self.text() if not line.startswith("# ")]

    def text(self) -> list[str]:
        """The same under headings, with a comment behind each view."""
        functions = [f"{name} = np.{path}" for path, name in self.functions.items()]
        buffers = [*self.before, *buffer_lines(self.buffers, self.called)]
        return [
            *headed("functions, looked up once", functions),
            *headed("arrays; those that are not needed at the same time share memory", buffers),
            *headed("other names for them, views, and what never changes", map(self._noted, self.setup)),
        ]

    def _noted(self, line: str) -> str:
        """A line with its comment, where that fits."""
        target, _, value = line.partition(" = ")
        note = self.notes.get(target) or ("the same array" if value.isidentifier() else "")
        texts = [f"{line}  # {text}" for text in (note, note.rpartition("  ")[2]) if text]
        return next((text for text in texts if len(text) < MAX_WIDTH - 4), line)


def headed(heading: str, lines: Iterable[str]) -> list[str]:
    """Lines below a comment; nothing where there are none."""
    below = [*lines]
    return [f"# {heading}", *below] if below else []


def keep_used(closure: Closure, body: Iterable[str]) -> None:
    """Drop what these lines do not read: arrays of values that exist inside of a kernel alone."""
    used = {*_words(body), *_words(closure.before)}
    setup: list[str] = []
    for line in reversed(closure.setup):
        target, _, value = line.partition(" = ")
        if not value or target in used:
            setup.insert(0, line)
            used |= {*_words([value or line])}
    closure.setup[:] = setup
    closure.buffers = [b for b in closure.buffers if b[0] in used]
    closure.functions = {path: name for path, name in closure.functions.items() if name in used}


def _words(lines: Iterable[str]) -> list[str]:
    """Every name in some code."""
    return [word for line in lines for word in re.findall(r"[A-Za-z_]\w*", line.partition("  # ")[0])]
