"""How to draw the arguments of each public function: one row each; what has none is listed with the reason.

A new pointwise card is drawn from its own domain. A new function of another kind needs a row in ``ROWS``: a function of
the ``Maker`` that builds one node or several, whatever the choices. A card that no public function is named after needs
a line in ``BROUGHT``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import graphc as gx
from graphc.ir.op import Op
from graphc.ops import CARDS
from tests.programs import effects as e
from tests.programs import pointwise as p
from tests.programs import products as d
from tests.programs import structure as s
from tests.programs.pointwise import Row

_ROWS: dict[str, Row] = {
    # leaves
    "input": lambda m: m.leaf(("n", 3), made="input"),
    "param": lambda m: m.leaf((3, 3), made="param"),
    "state": lambda m: m.leaf((3,), made="state"),
    "hyper": lambda m: m.leaf((), made="hyper"),
    "const": s.const,
    "size": s.size,
    "full": s.full,
    "zeros": s.shaped(gx.zeros),
    "ones": s.shaped(gx.ones),
    "zeros_like": lambda m: gx.zeros_like(m.number()),
    "ones_like": lambda m: gx.ones_like(m.number()),
    # pointwise, but not a card, or not of its domain
    "maximum": p.two(gx.maximum),
    "minimum": p.two(gx.minimum),
    "clip": p.clip,
    "where": p.where,
    "polygamma": p.polygamma,
    "bitwise_left_shift": p.shifted(gx.bitwise_left_shift),
    "bitwise_right_shift": p.shifted(gx.bitwise_right_shift),
    "positive": lambda m: gx.positive(m.number()),
    "nan_to_num": lambda m: gx.nan_to_num(m.number()),
    # reductions and order
    "sum": p.reduced(gx.sum, "float", "int", "bool"),
    "mean": p.reduced(gx.mean),
    "var": p.spread(gx.var),
    "std": p.spread(gx.std),
    "max": p.reduced(gx.max, "float", "float", "int"),
    "min": p.reduced(gx.min, "float", "float", "int"),
    "argmax": p.found(gx.argmax),
    "argmin": p.found(gx.argmin),
    "any": p.reduced(gx.any, "bool"),
    "all": p.reduced(gx.all, "bool"),
    "norm": p.norm,
    "vector_norm": p.vector_norm,
    "prod": p.multiplied(gx.prod),
    "cumsum": p.along(gx.cumsum, "float", "float", "int"),
    "cumprod": p.multiplied(gx.cumprod),
    "sort": p.along(gx.sort, "float", "float", "int", descending=(False, True)),
    "argsort": p.along(gx.argsort, "float", "int", descending=(False, True)),
    "quantile": p.quantile,
    "median": p.reduced(gx.median),
    "softmax": p.along(gx.softmax),
    "log_softmax": p.along(gx.log_softmax),
    "logsumexp": p.reduced(gx.logsumexp),
    "cumulative_sum": p.along(gx.cumulative_sum, include_initial=(False, True)),
    "cumulative_prod": p.multiplied(gx.cumulative_prod),
    "partition": p.partitioned(gx.partition),
    "argpartition": p.partitioned(gx.argpartition),
    "count_nonzero": p.reduced(gx.count_nonzero, "float", "int", "bool"),
    "ptp": p.reduced(gx.ptp),
    "diff": p.diff,
    "searchsorted": p.searchsorted,
    # shapes
    "reshape": s.reshape,
    "transpose": s.transpose,
    "matrix_transpose": lambda m: gx.matrix_transpose(m.number(2)),
    "expand_dims": s.expand_dims,
    "squeeze": s.squeeze,
    "broadcast_to": s.broadcast_to,
    "astype": s.astype,
    "stop_gradient": s.stop_gradient,
    "concat": s.concat,
    "permute_dims": s.permuted,
    "moveaxis": s.pair_of_axes(gx.moveaxis),
    "swapaxes": s.pair_of_axes(gx.swapaxes),
    "flip": s.flip,
    "roll": s.roll,
    "repeat": s.repeat,
    "tile": s.tile,
    "pad": s.pad,
    "stack": s.stack,
    "split": s.split,
    "unstack": s.unstack,
    # places
    "take": s.take,
    "one_hot": s.one_hot,
    "gather": s.gather,
    "scatter_add": s.scatter_add,
    "take_along_axis": s.take_along_axis,
    "put": s.put,
    "put_along_axis": s.put_along_axis,
    "set_at": s.set_at,
    "getitem": s.indexed,
    "getitem with arrays": s.picked,
    "add_at": s.at(gx.add_at),
    "multiply_at": s.at(gx.multiply_at),
    "maximum_at": s.at(gx.maximum_at),
    "minimum_at": s.at(gx.minimum_at),
    "broadcast_arrays": s.broadcast_arrays,
    "meshgrid": s.meshgrid,
    # made
    "full_like": lambda m: gx.full_like(m.number(), 1.5),
    "arange": s.arange,
    "linspace": s.linspace,
    "eye": s.eye,
    "tril": s.triangle(gx.tril),
    "triu": s.triangle(gx.triu),
    "diagonal": s.diagonal(gx.diagonal),
    "diag": s.diag,
    "trace": s.diagonal(gx.trace),
    # products
    "matmul": d.matmul,
    "einsum": d.einsum,
    "tensordot": d.tensordot,
    "vecdot": d.vecdot,
    "inner": d.inner,
    "outer": d.small(gx.outer),
    "kron": d.kron,
    "cross": d.cross,
    "matrix_power": d.matrix_power,
    # linear algebra
    "inv": lambda m: gx.inv(d.regular(m)),
    "solve": d.solve,
    "solve_triangular": d.solve_triangular,
    "det": lambda m: gx.det(d.matrix(m)),
    "slogdet": d.slogdet,
    "cholesky": lambda m: gx.cholesky(d.definite(m), upper=m.coin()),
    "eigh": d.eigh,
    "eigvalsh": lambda m: gx.eigvalsh(d.spaced(m)),
    "svd": d.svd,
    "svdvals": lambda m: gx.svdvals(d.spaced(m)),
    "qr": lambda m: list(gx.qr(d.regular(m))),
    "pinv": d.pinv,
    "matrix_norm": d.matrix_norm,
    # windows
    "sliding_windows": d.sliding_windows,
    "fold": d.fold,
    "conv": d.convolved(gx.conv, 2),
    "conv1d": d.convolved(gx.conv1d, 1),
    "conv2d": d.convolved(gx.conv2d, 2),
    "conv_transpose": d.conv_transpose,
    "max_pool": d.pooled(gx.max_pool, dilation=(1, 2)),
    "avg_pool": d.pooled(gx.avg_pool, count_include_pad=(True, False)),
    "global_avg_pool": lambda m: gx.global_avg_pool(d.image(m, 2)),
    "global_max_pool": lambda m: gx.global_max_pool(d.image(m, 2)),
    # effects and derivatives
    "bernoulli": e.bernoulli,
    "assume": e.assume,
    "normal": e.normal,
    "scan": e.scan,
    "cond": e.cond,
    "update": e.update,
    "by_mode": e.by_mode,
    "composite": e.composite,
    "composite with a gradient": e.with_gradient,
    "scalar_function": e.scalar_function,
    "grad": e.gradient,
    "vjp": e.product_of(gx.vjp),
    "jvp": e.product_of(gx.jvp),
    "hvp": e.hvp,
    "gauss_newton": e.gauss_newton,
    "jacobian": e.matrix_of(gx.jacobian),
    "hessian": e.matrix_of(gx.hessian),
}

NOT_DRAWN: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(["GraphcError", "Graph", "Program", "Model", "History"], "a class"),
        **dict.fromkeys(["e", "inf", "nan", "pi"], "a number"),
        **dict.fromkeys(["init", "scope"], "says how leaves start and are called, not what is computed"),
        **dict.fromkeys(
            [
                "graph_of",
                "simplify",
                "plan",
                "emit",
                "compile",
                "retype",
                "accuracy",
                "report",
                "profile",
                "view",
                "parse",
                "load_source",
                "interpret",
                "check_grad",
            ],
            "what programs are put through",
        ),
        **dict.fromkeys(
            [
                "to_sympy",
                "to_networkx",
                "explain",
                "why_not",
                "blame",
                "changes",
                "derivation",
                "draw",
                "load",
            ],
            "shows or loads, computes nothing",
        ),
    }
)
"""Public names that no program is made of, with the reason."""

BROUGHT: Mapping[str, str] = MappingProxyType(
    {
        "arg": "composite",
        "call": "composite",
        "sample_count": "var",
        "slice": "getitem",
        "place": "getitem",
        "sum_to": "broadcast_to",
        "seed": "grad",
        "first_max": "max",
        "row_shift": "softmax",
        "matvec": "matmul",
        "vdot": "sum",
        "add_along_axis": "take_along_axis",
        "place_diagonal": "diagonal",
        "quantile_weights": "quantile",
        "recurrence": "cumprod",
        "cofactor": "det",
        "logabsdet": "slogdet",
        "signdet": "slogdet",
    }
)
"""Cards that no public function is named after, with the row that brings them."""

OF_STEPS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(["contiguous", "weave"], "tests/planning/test_batch_last.py"),
        **dict.fromkeys(["with_ones", "picked_sum"], "tests/planning/test_layout.py"),
    }
)
"""Cards that only a planned step is made of, which no declared program holds, with the tests that hold them there."""


def rows(cards: Mapping[str, Op] = CARDS) -> dict[str, Row]:
    """Every row: those above, and each pointwise card that has none."""
    drawn = {name: p.pointwise(card) for name, card in cards.items() if card.kind == "pointwise"}
    return drawn | _ROWS


ROWS: Mapping[str, Row] = MappingProxyType(rows())
"""How each operation is drawn, by name."""


def missing(names: Mapping[str, Any], cards: Mapping[str, Op]) -> list[str]:
    """What to add for public names and cards that are neither drawn nor listed; empty where all are."""
    known = rows(cards)
    same = {id(value) for name, value in names.items() if name in known}
    advice = [
        f"gx.{name}: a row in tests/programs/table.py (_ROWS) that draws its arguments, or a reason in NOT_DRAWN"
        for name, value in names.items()
        if name not in known and name not in NOT_DRAWN and id(value) not in same
    ]
    return advice + [
        f"card {name}: a row of its name in tests/programs/table.py (_ROWS), or the row that brings it in BROUGHT"
        for name in cards
        if name not in known and name not in OF_STEPS and BROUGHT.get(name) not in known
    ]
