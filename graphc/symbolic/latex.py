"""LaTeX of cards: the notation they carry as data, or what SymPy writes for their formula."""

from __future__ import annotations

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
        return op.latex.format(**{n: n for n in names}, **({"xs": ", ".join(names)} if op.variadic else {}))
    if op.formula is None:
        return rf"\\operatorname{{{op.name}}}({', '.join(op.operands)})".replace("\\\\", "\\")
    import sympy

    from graphc.symbolic.derive import formula_expression

    return str(sympy.latex(formula_expression(op.formula, (*op.operands, *op.attrs))))
