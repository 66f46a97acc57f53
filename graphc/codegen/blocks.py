"""Lines for a card that carries graphs: what its ``block`` asks of the writer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphc.ir.node import Node, toposort
from graphc.ir.size import Dim, Size
from graphc.ops.template import Text

if TYPE_CHECKING:
    from graphc.codegen.statements import Statement, Writer

_ITSELF = re.compile(r"(\w+) = \1")
_VARIABLE = re.compile(r"[A-Za-z_]\w*")


class Block:
    """One computation with several results, being written.

    Attributes:
        node: one of its results; all have the same operands and bodies.
        operands: the texts of its operands, each a name or a literal.
    """

    def __init__(self, writer: Writer, group: Sequence[Node], operands: Sequence[str]) -> None:
        self.writer, self.node, self.operands = writer, group[0], operands
        self._names = {node.attrs["result"]: writer.names(node) for node in group}
        self.inner: list[Statement] = []

    def result(self, index: int, wish: str) -> str:
        """The variable of a result; one of its own where nobody reads that result."""
        if index not in self._names:
            self._names[index] = self.writer.names.reserve(wish)
        return self._names[index]

    def variable(self, wish: str) -> str:
        """A variable of the block's own."""
        return self.writer.names.reserve(wish)

    @staticmethod
    def size(dim: Dim) -> str:
        """A size as code."""
        return re.sub(r"(?<!\*)\*(?!\*)", " * ", str(dim)) if isinstance(dim, Size) else str(dim)

    def shape(self, dims: Sequence[Dim]) -> str:
        """A shape as code."""
        sizes = [self.size(d) for d in dims]
        return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"

    def assigned(self, lines: Sequence[str], pairs: Sequence[tuple[str, str]]) -> list[str]:
        """Lines that end with new values for some variables: computed in place of the old ones where that is safe."""
        lines, left = list(lines), []
        for variable, text in pairs:
            place = _where_assigned(lines, text)
            others = [x for v, x in pairs if v != variable]
            if text == variable:
                continue
            if place is None or _mentions([*lines[place + 1 :], *others], variable):
                left.append((variable, text))
            else:
                lines[place:] = [_renamed(line, text, variable) for line in lines[place:]]
                pairs = [(v, _renamed(x, text, variable)) for v, x in pairs]
        lines += assignments([(v, dict(pairs)[v]) for v, _ in left])
        return [line for line in lines if not _ITSELF.fullmatch(line)]

    def body(self, roots: Sequence[Node], operands: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
        """The lines of a body, and the texts of its roots; an operand is a wish for a name and a text."""
        args = {n.attrs["index"]: n for n in toposort(roots) if n.op.role == "arg"}
        reads = _reads(roots)
        lines, known = [], {}
        for index, leaf in sorted(args.items()):
            wish, text = operands[index]
            if not _VARIABLE.fullmatch(text) and reads[leaf] > 1:
                name = self.writer.names.reserve(wish)
                lines.append(f"{name} = {text}")
                text = name
            known[leaf] = text
        inner = self.writer.inner(known, roots)
        statements = inner.write([n for n in toposort(roots) if n.op.kind != "leaf"])
        self.inner += statements
        lines += [line for s in statements for line in s.lines("")]
        texts = [self.text_of(inner, root) for root in roots]
        made = [(root, text) for root, text in zip(roots, texts, strict=True) if _made_here(root, text)]
        self.inner += [_statement(root, "", text, "", "") for root, text in made]
        return lines, texts

    @staticmethod
    def text_of(inner: Writer, root: Node) -> str:
        """What a result of a body is called; a number has the dtype that it was declared with."""
        text: Text = inner.text(root)
        weak = root.op.role in ("const", "size") and not root.shape
        return f"np.{root.dtype}{'_' if root.dtype == 'bool' else ''}({text})" if weak else str(text)


def _made_here(root: Node, text: str) -> bool:
    """Whether the line that takes a result of a body computes it, too."""
    return root.op.kind != "leaf" and not _VARIABLE.fullmatch(text)


def _where_assigned(lines: Sequence[str], text: str) -> int | None:
    """The line that makes a variable; None for what is no variable."""
    return next((i for i, line in enumerate(lines) if line.startswith(f"{text} = ")), None)


def _mentions(lines: Sequence[str], variable: str) -> bool:
    return any(variable in _VARIABLE.findall(line.partition("  # ")[0]) for line in lines)


def _renamed(line: str, old: str, new: str) -> str:
    """A line with a variable renamed; ``np.old`` and ``f(old=1)`` are not that variable."""
    code, mark, comment = line.partition("  # ")
    return re.sub(rf"(?<![\w.]){re.escape(old)}\b(?!=[^=])", new, code) + mark + comment


def assignments(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """One line each, or all at once where a later one reads what an earlier one changes."""
    if any(_mentions([text for _, text in pairs[i + 1 :]], v) for i, (v, _) in enumerate(pairs)):
        return [f"{', '.join(v for v, _ in pairs)} = {', '.join(x for _, x in pairs)}"]
    return [f"{v} = {x}" for v, x in pairs]


def _reads(roots: Sequence[Node]) -> dict[Node, int]:
    """How often each node of a body is read."""
    count: dict[Node, int] = {}
    for node in (*(x for n in toposort(roots) for x in n.inputs), *roots):
        count[node] = count.get(node, 0) + 1
    return count


def block_statement(writer: Writer, group: Sequence[Node], operands: Sequence[str]) -> Statement:
    """The statement that computes all results of a group."""
    block = Block(writer, group, operands)
    node = group[0]
    assert node.op.block is not None
    lines = tuple(node.op.block(block))
    name, layer, inner = writer.names(node), writer.layer(node), tuple(block.inner)
    return _statement(node, name, "\n".join(lines), "", layer, lines, tuple(group), inner)


def _statement(*parts: Any) -> Statement:
    from graphc.codegen.statements import Statement  # which writes blocks by this module

    return Statement(*parts)
