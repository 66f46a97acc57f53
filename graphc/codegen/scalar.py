"""From the NumPy text of a card to the expression of one element, for kernels."""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Sequence
from functools import cache

from graphc.ir.node import Node
from graphc.ops import scalars, small
from graphc.ops.template import Text, render

AXES = "ijklmnopq"
"""What the indices of a kernel are called."""

EVERYWHERE = {
    "np.abs": "abs",
    "np.ceil": "np.ceil",
    "np.floor": "np.floor",
    "np.isfinite": "np.isfinite",
    "np.isinf": "np.isinf",
    "np.isnan": "np.isnan",
    "np.maximum": "_maximum",
    "np.minimum": "_minimum",
    "np.sqrt": "np.sqrt",
    "np.trunc": "np.trunc",
    "np.where": "_where",
}
"""For functions of NumPy what computes one element, to the same bit."""

POLYNOMIALS = {
    "np.exp": "_exp",
    "np.expm1": "_expm1",
    "np.log": "_log",
    "np.log1p": "_log1p",
    "np.tanh": "_tanh",
    "_sigmoid": "_logistic",
    "_softplus": "_log1p_exp",
}
"""The same in float32, to a few units in the last place. In float64 NumPy's own vectors are faster."""

FLAGS = {"_plus": '{"reassoc"}'}
"""What the compiler may assume in a function, where that is not the fusing of a product with a sum."""


def element_of(node: Node, operands: Sequence[str], exact: bool) -> str | None:
    """The expression of one element, over these texts for its operands; None where a kernel has none.

    Args:
        node: of a pointwise card.
        operands: a variable, an element of an array, or a number, for each operand.
        exact: whether it must be NumPy's value to the last bit.
    """
    names = [f"operand{i}" for i in range(len(operands))]
    if node.op.kind != "pointwise":
        return None
    if any(t.dtype not in ("float32", "float64", "bool", "int64") for t in (node, *node.inputs)):
        return None
    tree = ast.parse(str(render(node, [Text(n) for n in names])), mode="eval")
    try:
        found = _Elements(node, dict(zip(names, operands, strict=True)), exact).visit(tree)
    except _NoForm:
        return None
    return ast.unparse(found)


class _NoForm(Exception):
    """What stands in a template has no form for one element."""


class _Elements(ast.NodeTransformer):
    """Rewrites the expression of whole arrays."""

    def __init__(self, node: Node, operands: dict[str, str], exact: bool) -> None:
        self.node, self.operands = node, operands
        self.single = _dtype(node) == "float32"
        self.functions = {**EVERYWHERE, **(POLYNOMIALS if self.single and not exact else {})}

    def generic_visit(self, node: ast.AST) -> ast.AST:
        known = (ast.Expression, ast.Compare, ast.UnaryOp, ast.BinOp, ast.operator, ast.cmpop, ast.unaryop)
        if not isinstance(node, known) or isinstance(node, (ast.Pow, ast.FloorDiv, ast.Mod, ast.MatMult)):
            raise _NoForm
        return super().generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id not in self.operands:
            raise _NoForm
        return ast.parse(self.operands[node.id], mode="eval").body

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.parse(f"f4({node.value!r})", mode="eval").body if self.single else node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if isinstance(node.op, ast.Invert):
            if self.node.dtype != "bool":
                raise _NoForm
            return ast.UnaryOp(ast.Not(), self.visit(node.operand))
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = ast.unparse(node.func)
        if name not in self.functions or node.keywords:
            raise _NoForm
        function = ast.parse(self.functions[name], mode="eval").body
        return ast.Call(function, [self.visit(a) for a in node.args], [])


def _dtype(node: Node) -> str:
    """The dtype of what an expression computes with: that of its operands, for a comparison."""
    if node.dtype != "bool":
        return node.dtype
    return next((x.dtype for x in node.inputs if x.type.is_float), node.dtype)


def number(text: str, dtype: str) -> str:
    """A number of this dtype."""
    return {"float32": f"f4({text})", "float64": f"float({text})"}.get(dtype, text)


@cache
def scalar_functions() -> dict[str, str]:
    """The source of each function that an element may call."""
    made = {n: f for m in (scalars, small) for n, f in vars(m).items() if inspect.isfunction(f)}
    return {n: inspect.getsource(f).rstrip() for n, f in made.items()}


@cache
def own_names() -> frozenset[str]:
    """What every kernel calls its own: indices, variables, functions."""
    own = {"rank", "f4", "np", "njit", "kernel", "start", "offset"}
    return frozenset({*AXES, *dir(builtins), *scalar_functions(), *own})


def scalar_sources(text: str) -> list[list[str]]:
    """The functions that a text calls, and those that they call, callees first, each under its decorator."""
    table = scalar_functions()
    wanted = [name for name in table if f"{name}(" in text]
    while more := [n for n in table if n not in wanted and any(f"{n}(" in table[w] for w in wanted)]:
        wanted += more
    order = [n for n in table if n in wanted]
    return [[f"@njit({_flags(n)})", *table[n].split("\n")] for n in order]


def _flags(name: str) -> str:
    if hasattr(small, name) and not hasattr(scalars, name):
        return f'error_model="numpy", fastmath={CONTRACT}'
    return f'error_model="numpy", fastmath={FLAGS.get(name, CONTRACT)}, forceinline=True'


CONTRACT = '{"contract"}'
"""A product and a sum may be one instruction, rounded once."""
