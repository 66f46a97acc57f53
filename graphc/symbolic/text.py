"""The textual IR over graphc's own cards, operations and initialisers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphc.ir import text as ir_text
from graphc.ir.graph import Graph
from graphc.ir.node import Array
from graphc.ops import CARDS
from graphc.ops.init import OWN, Init, init
from graphc.symbolic.scalar import scalar_card


def parse(text: str) -> Graph:
    """The graph that a text describes; ``str(graph)`` is such a text.

    Nothing of the text is run: formulas, sizes and numbers go through parsers of their own, and the type of every node
    is inferred anew and compared.

    Raises:
        ParseError: the text is not well formed; the message has the line.

    Example:
        >>> graph = parse('''graphc 1
        ... graph f
        ... %x = input() : float32[n]
        ... %y = tanh(%x) : float32[n]
        ... return %y
        ... ''')
        >>> graph.outputs[0].op, graph.outputs[0].name
        (<op tanh>, 'y')
    """
    return ir_text.parse(text, CARDS, scalar_card=scalar_card, init=_initialiser)


def _initialiser(name: str, options: Mapping[str, Any], value: Array | None) -> Init:
    if value is not None:
        return Init("array", (), value)
    # a function has no text: it is known that there was one
    return Init(OWN) if name == OWN and not options else init(name, **options)
