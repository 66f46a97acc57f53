"""LaTeX of cards and of nodes: the notation cards carry as data, or what SymPy writes for their formulas."""

from __future__ import annotations

import math
from collections.abc import Mapping

from graphc.ir.node import Node, toposort
from graphc.ir.op import Op


def card_latex(op: Op) -> str:
    r"""The LaTeX of a card over its own operand names.

    Example:
        >>> from graphc.ops import CARDS
        >>> card_latex(CARDS["tanh"])
        '\\tanh x'
    """
    if op.latex is not None:
        names = op.operand_names(len(op.operands))
        holes = {name: name for name in (*op.attrs, *names)}
        return op.latex.format(**holes | ({"xs": ", ".join(names)} if op.variadic else {}))
    if op.formula is None:
        return rf"\\operatorname{{{op.name}}}({', '.join(n.removeprefix('*') for n in op.operands)})".replace(
            "\\\\", "\\"
        )
    import sympy

    from graphc.symbolic.derive import formula_expression

    return str(sympy.latex(formula_expression(op.formula, (*op.operands, *op.attrs))))


def node_latex(node: Node, names: Mapping[Node, str]) -> str:
    r"""The pointwise part above a node as one LaTeX expression, choices as cases.

    Args:
        node: a node made of pointwise operations.
        names: what to call the leaves; a word of more letters than one is set upright.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ())
        >>> node_latex(gx.where(x > 1, gx.floor(x), 1.0), {x: "x"})
        '\\begin{cases} \\left\\lfloor{x}\\right\\rfloor & x > 1 \\\\ 1 & \\text{otherwise} \\end{cases}'
    """
    import sympy

    from graphc.symbolic.printing import latex_text
    from graphc.symbolic.sympify import to_sympy

    symbols = {leaf: sympy.Symbol(name, real=True) for leaf, name in names.items()}
    constants = {n: sympy.pi for n in toposort([node]) if _is_pi(n)}
    return latex_text(to_sympy(node, {**symbols, **constants}))


def _is_pi(node: Node) -> bool:
    return node.op.role == "const" and node.shape == () and float(node.attrs["value"].value) == math.pi
