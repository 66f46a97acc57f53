"""What a node is called in a figure: short names that are distinct in the whole figure.

``hidden1.W`` and ``hidden2.W`` are W₁ and W₂; a name that is there once stays bare; where short names would be
ambiguous, the full name is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.render.notation import ACCENTS, SUBSCRIPTS, greek

MAX_NAME, MAX_PATH = 28, 44
"""A longer name, and a longer name of a layer, is shortened in the middle."""

Path = tuple[str, ...]

_NUMBERED = re.compile(r"(.*[^\W\d_])_?(\d{1,3})")
_AUTOMATIC = ("v", "u", "w", "q", "node")


def pretty(name: str) -> str:
    """A name in the mathematician's characters: ``A2`` is ``A₂``, ``theta`` is ``θ``.

    Example:
        >>> pretty("A2"), pretty("beta1"), pretty("x_hat"), pretty("prediction")
        ('A₂', 'β₁', 'x̂', 'prediction')
    """
    name = printable(name)
    match = _NUMBERED.fullmatch(name)
    if match is None:
        return _lettered(name)
    stem, digits = match.groups()
    return _lettered(stem) + digits.translate(SUBSCRIPTS)


def _lettered(name: str) -> str:
    """A Greek letter by its name, and a letter with its accent: ``x_hat`` is ``x̂``."""
    stem, _, word = name.rpartition("_")
    letter = greek(stem) or stem
    if word in ACCENTS and len(letter) == 1:
        return letter + ACCENTS[word]
    return greek(name) or name


def printable(text: str, limit: int = MAX_NAME) -> str:
    """Text that any picture can hold: no control characters, and not too long."""
    clean = "".join(
        c if c.isprintable() and not "\ud800" <= c <= "\udfff" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
    if not clean.strip():
        return "(blank)"
    return clean if len(clean) <= limit else f"{clean[: limit - 10]}…{clean[-9:]}"


def path_of(graph: Graph, node: Node) -> Path:
    """The scopes around a node, outermost first, with the numbers of unnamed layers."""
    return tuple(graph.scope_names.get(s) or s.name or s.kind for s in node.about.scopes)


def titles_of(graph: Graph, nodes: Sequence[Node]) -> dict[Node, str]:
    """A title for each named node, in the order in which they are met."""
    groups: dict[str, list[Node]] = {}
    for node in nodes:
        groups.setdefault(str(node.about.name), []).append(node)
    numbers = _layer_numbers(graph, nodes, groups)
    titles: dict[Node, str] = {}
    for name, members in groups.items():
        paths = [path_of(graph, n) for n in members]
        by_layer = len(set(paths)) == len(paths)
        for i, (node, path) in enumerate(zip(members, paths, strict=True)):
            index = None if len(members) == 1 else numbers[path] if by_layer else i + 1
            titles[node] = _primed(_numbered(pretty(name), index), members[:i], titles)
    return _distinct(graph, titles)


def _layer_numbers(
    graph: Graph, nodes: Iterable[Node], groups: Mapping[str, Sequence[Node]]
) -> dict[Path, int]:
    """Numbers of the layers that share names: those at the end of their own names, else in order.

    What has no parameters, such as a pool, goes by the number of the layer before it.
    """
    shared = {name for name, members in groups.items() if len(members) > 1}
    paths = dict.fromkeys(path_of(graph, n) for n in nodes if n.about.name in shared)
    ends = [re.search(r"(\d+)$", path[-1]) if path else None for path in paths]
    own = [int(end.group(1)) for end in ends if end]
    if len(own) == len(paths) and len(set(own)) == len(own):
        return dict(zip(paths, own, strict=True))
    trained = {path_of(graph, n) for n in nodes if n.op.role == "param"}
    numbers: dict[Path, int] = {}
    for path in paths:
        numbers[path] = max(numbers.values(), default=0) + (path in trained)
    return numbers


def _primed(title: str, before: Iterable[Node], titles: Mapping[Node, str]) -> str:
    """A name that a layer without parameters has from the one before it as well is primed: h₂, h₂′."""
    taken = {titles[node] for node in before}
    while title in taken:
        title += "′"
    return title


def _numbered(title: str, index: int | None) -> str:
    if index is None:
        return title
    lower = str(index).translate(SUBSCRIPTS)
    return f"{title},{lower}" if ord(title[-1]) in SUBSCRIPTS.values() else title + lower


def _distinct(graph: Graph, titles: dict[Node, str]) -> dict[Node, str]:
    """Where two titles are the same, both are the full names instead, and then numbered."""
    for full in (True, False):
        count: dict[str, int] = {}
        for title in titles.values():
            count[title] = count.get(title, 0) + 1
        seen: dict[str, int] = {}
        for node, title in titles.items():
            if count[title] > 1 and full:
                titles[node] = printable(str(graph.name_of(node)))
            elif count[title] > 1:
                seen[title] = seen.get(title, 0) + 1
                titles[node] = f"{title} ({seen[title]})"
    return titles


def automatic_letter(titles: Iterable[str]) -> str:
    """A letter for what has no name, that no title begins with."""
    taken = {re.sub(r"[₀-₉,]+$", "", t) for t in titles}
    return next((letter for letter in _AUTOMATIC if letter not in taken), "value")
