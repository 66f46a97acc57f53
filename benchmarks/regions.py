"""What the choice of forms makes of each activation: operations, nanoseconds and errors of value and derivative.

    python -m benchmarks.regions                           # the tables of docs/regions.md
    python -m benchmarks.regions --write docs/regions.md   # written into the page

`raw` is what SymPy derives from the plain formula (exp, log, tanh, erf; no sigmoid, no softplus), nothing shared, after
the same forward pass; `shared` is that with common subexpressions computed once; `graphc` is the program that is
compiled. Operations of the raw form are SymPy's `count_ops`. Nanoseconds are those of the price table. Errors are
measured against mpmath on a grid with extremes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sympy

import graphc as gx
from graphc.ir.formula import parse_formula
from graphc.ir.node import Node, engine
from graphc.nn.activations import ACTIVATIONS
from graphc.nn.forms import DTYPES, NOT_ALONE
from graphc.ops import CARDS
from graphc.rewrite.regions import NAME
from graphc.symbolic.atoms import SympyAlgebra, sigmoid, softplus
from graphc.symbolic.regions.accuracy import Error, error_between, error_of, reference
from graphc.symbolic.regions.algebra import Builder
from graphc.symbolic.regions.form import Form
from graphc.symbolic.regions.prices import price

ELEMENTARY = {"sigmoid": 4, "softplus": 3}
"""Operations of what stands for one card: 1 / (1 + exp(-x)), log(1 + exp(x)); of a negative operand one less."""

NAMES = [name for name in ACTIVATIONS if name not in (*NOT_ALONE, "swish")]


@dataclass(frozen=True)
class Row:
    """One activation in one dtype; operations and nanoseconds are those of the derivative, the forward pass kept."""

    name: str
    dtype: str
    raw_operations: int
    has_corners: bool
    operations: int
    raw: float
    shared: float
    price: float
    raw_error: Error
    error: Error
    changed: bool


def raw_derivative(name: str) -> tuple[Form, int] | None:
    """SymPy's derivative of the plain formula, and its operations; None where no card computes a function in it."""
    card = CARDS[name]
    x = sympy.Symbol("x0", real=True)
    numbers = {k: sympy.Rational(repr(v)) for k, v in card.attrs.items()}
    formula = parse_formula(str(card.formula), SympyAlgebra({card.operands[0]: x, **numbers}))
    plain = formula.replace(sigmoid, lambda a: 1 / (1 + sympy.exp(-a)))
    plain = plain.replace(softplus, lambda a: sympy.log(1 + sympy.exp(a)))
    try:
        derivative = plain.diff(x)
        return Builder(Form("f", (), 0, ()), [x]).form_of([derivative]), int(sympy.count_ops(derivative))
    except (NotImplementedError, TypeError):
        return None


def tree(form: Form, weight: dict[str, float]) -> float:
    """What a form weighs when nothing in it is shared."""
    sizes = [0.0] * len(form.kinds)
    for name, refs in form.steps:
        sizes.append(weight.get(name, 1.0) + sum(sizes[r] for r in refs if isinstance(r, int)))
    return sum(sizes[r] for r in form.outputs if isinstance(r, int))


def row(name: str, dtype: str) -> Row | None:
    """What is measured of one activation."""
    found = raw_derivative(name)
    if found is None:
        return None
    raw, raw_operations = found
    x, v = gx.input("x", ("n",), dtype=dtype), gx.input("v", ("n",), dtype=dtype)
    y = ACTIVATIONS[name](x)
    program = gx.compile([y, gx.vjp(y, x, v)])
    backward = [n for n in program.plan.of_phase("backward") if n.op.kind == "pointwise"]
    # the product with v is no part of it
    operations = sum(map(_operations, backward)) - 1
    nanoseconds = sum(price(n.op.name, dtype) for n in backward) - price("multiply", dtype)
    prices = {card: price(card, dtype) for card, _ in raw.steps}
    with engine(), np.errstate(all="ignore"):
        exact = reference(raw, dtype)
        got = program(exact.arrays[0], np.ones_like(exact.arrays[0]))[1]
    changed = any(getattr(e, "rule", "") == NAME for _, e in program.trace.events)
    return Row(
        name,
        dtype,
        raw_operations,
        any(card == "where" for card, _ in raw.steps),
        operations,
        round(tree(raw, prices), 2),
        raw.price(dtype),
        round(nanoseconds, 2),
        error_of(raw, exact),
        error_between([got], exact),
        changed,
    )


def _operations(node: Node) -> int:
    """Operations of a card, elementary ones counted: 1 / (1 + exp(x)) is three, without the sign of its operand."""
    if node.op.name in ELEMENTARY:
        return ELEMENTARY[node.op.name] - 2 * (node.inputs[0].op.name == "negative")
    return 1


def rows() -> Iterator[Row]:
    """Every activation of one number, in both dtypes."""
    for dtype in DTYPES:
        yield from (found for name in NAMES if (found := row(name, dtype)) is not None)


def markdown(found: list[Row], dtype: str) -> str:
    """The table of one dtype."""
    head = "| | operations raw | graphc | ns raw | raw, shared | graphc | error raw | graphc | ulp raw | graphc |"
    lines = [head, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for r in found:
        if r.dtype == dtype:
            name = f"**{r.name}**" if r.changed else r.name
            figures = [r.raw_operations, r.operations, f"{r.raw:.2f}", f"{r.shared:.2f}", f"{r.price:.2f}"]
            errors = [r.raw_error.scaled, r.error.scaled, r.raw_error.ulp, r.error.ulp]
            shown = [""] * 4 if r.has_corners else [f"{e:.2g}" for e in errors]
            cells = [name, *map(str, figures), *shown]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def tables() -> str:
    """Both tables, with a heading each."""
    found = list(rows())
    return "\n\n".join(f"### {dtype}\n\n{markdown(found, dtype)}" for dtype in DTYPES)


BEGIN, END = "<!-- tables -->", "<!-- end of tables -->"


def written(text: str, made: str) -> str:
    """A page with the tables between its marks."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{made}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    made = tables()
    if sys.argv[1:2] == ["--write"]:
        page = Path(sys.argv[2])
        page.write_text(written(page.read_text(encoding="utf-8"), made), encoding="utf-8")
    else:
        print(made)
