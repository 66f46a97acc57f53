"""The function of a module that makes starting values."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.codegen.numpy import array_text, quoted
from graphc.codegen.statements import MAX_WIDTH
from graphc.codegen.update import UpdatePlan, slot_lines
from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.ops.init import OWN as OWN_INIT


def init_lines(graph: Graph, update: UpdatePlan | None) -> list[str]:
    """The function ``init``."""
    leaves = [*graph.leaves("param"), *graph.leaves("state")]
    own = any(leaf.attrs["init"].name == OWN_INIT for leaf in leaves)
    lines = [
        f"def init(seed{', own' if own else ''}):",
        *(_OWN_DOC if own else _INIT_DOC),
        *_draw_lines(leaves),
        *dict_lines("params", [_init_entry(graph, p) for p in graph.leaves("param")]),
        *dict_lines("state", [_init_entry(graph, s) for s in graph.leaves("state")]),
    ]
    slots = slot_lines(update) if update else []
    return [*lines, *dict_lines("slots", slots), "    return params, state, slots"]


def init_helpers(graph: Graph) -> list[str]:
    """The functions above ``init`` that it calls to draw."""
    leaves = [*graph.leaves("param"), *graph.leaves("state")]
    return sorted({leaf.attrs["init"].helper(_int_shape(leaf)) for leaf in leaves} - {""})


def _draw_lines(leaves: Sequence[Node]) -> list[str]:
    """The distributions that these leaves are drawn from, as local functions."""
    inits = [(n.attrs["init"], _int_shape(n)) for n in leaves if n.attrs["init"].value is None]
    drawn = [init.expression(shape, "name") for init, shape in inits]
    families = {init.draw(shape)[0].lines for init, shape in inits if init.name != OWN_INIT} - {()}
    if not families and not any("generator(" in text for text in drawn):
        return []
    return ["", *_GENERATOR, "", *(line for lines in sorted(families) for line in (*lines, ""))]


_INIT_DOC = [
    '    """Starting values: (params, state, slots). Each is drawn from the seed and its own name."""',
]
_OWN_DOC = [
    '    """Starting values: (params, state, slots). Each is drawn from the seed and its own name.',
    "",
    "    own: functions (rng, shape) by name, for the parameters that started by a function of their author's.",
    '    """',
]
_GENERATOR = (
    "    def generator(name):",
    "        return np.random.Generator(np.random.PCG64([seed, _name_seed(name)]))",
)


def dict_lines(name: str, entries: Sequence[str]) -> list[str]:
    """A dict with an entry on each line."""
    return [f"    {name} = {{", *entries, "    }"] if entries else [f"    {name} = {{}}"]


def _init_entry(graph: Graph, leaf: Node) -> str:
    name, init = quoted(graph.name_of(leaf)), leaf.attrs["init"]
    text = array_text(init.value.value) if init.value is not None else init.expression(_int_shape(leaf), name)
    text = f"{text}.astype(np.{leaf.dtype})" if leaf.shape else f"np.{leaf.dtype}({text})"
    line = f"        {name}: {text},"
    return line if len(line) <= MAX_WIDTH else f"        {name}: (\n            {text}\n        ),"


def _int_shape(leaf: Node) -> tuple[int, ...]:
    return tuple(int(str(d)) for d in leaf.shape)
