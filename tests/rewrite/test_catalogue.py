"""The rewrites that graphc means to have, numbered as in its plan: each is a rule, or there is a reason.

The reasons are of three kinds: what nodes and graphs are by construction, what a card declares, and what another part
of the compiler does.
"""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc.rewrite.driver import Trace
from graphc.rewrite.rules import RULES

CATALOGUE: dict[str, tuple[str, ...] | str] = {
    "1 dead code": "a graph is what its outputs need",
    "2 common subexpressions": "nodes are interned; the pass share makes one node of x + y and y + x",
    "3 constant folding": "the driver folds before it tries a rule",
    "4 add-zero": ("sub-zero", "add-minus-zero", "add-zero", "zero-sub"),
    "5 mul-one, pow-one": ("mul-one", "div-one", "pow-one"),
    "6 unit seed": ("unit-seed",),
    "7 absent by path": "the sweep makes no cotangent where no path leads; no rule turns x 0 into 0",
    "8 -(-x)": ("neg-neg", "mul-minus-one"),
    "9 signs": ("neg-mul", "neg-mul-neg", "neg-div", "div-neg", "add-neg", "sub-neg", "square-neg"),
    "10 powers": (
        *("pow-two", "pow-half", "pow-minus-one", "pow-zero", "pow-three"),
        *("pow-two-rounded", "pow-half-rounded", "pow-minus-one-rounded", "square"),
    ),
    "11 sum_to(g, its shape)": ("unbroadcast-nothing",),
    "12 sum_to(g, (k,))": "sum_to has no code of its own: its body is the sum over the axes that were stretched",
    "13 broadcast(x) y": ("pointwise-broadcast", "broadcast-broadcast", "broadcast-scalar", "move-full"),
    "14 transposes": ("transpose-transpose", "transpose-nothing"),
    "15 reshapes": ("reshape-reshape", "reshape-nothing", "reshape-expand", "reshape-squeeze"),
    "16 (AB)'": ("transpose-product",),
    "17 scalar-merge": ("scalar-merge", "collect-factors"),
    "17 mean": "the body of mean divides the sum by n: once for each mean, rounded once, and it reads as a mean",
    "18 by-output": "the cards give their partials in terms of the output (tanh, sigmoid, exp, sqrt, softmax)",
    "19 where(c, 1, 0) g": ("mask-product", "mask-product-of", "mask-product-else"),
    "20 relu mask": "the card of relu gives its partial by its output, 0 at 0",
    "21 log1p": ("log1p", "log1p-sub"),
    "22 expm1": ("expm1", "expm1-add", "expm1-neg"),
    "23 sigmoid": ("sigmoid", "sigmoid-exp", "over-one-plus-exp"),
    "24 softplus": ("softplus", "softplus-log1p"),
    "25 1 - sigmoid": ("one-minus-sigmoid",),
    "26 log sigmoid": ("log-sigmoid",),
    "27 log(1 - sigmoid)": ("log-one-minus-sigmoid", "log1p-minus-sigmoid"),
    "28 logsumexp": ("logsumexp",),
    "29 softmax": ("softmax", "picked-softmax"),
    "30 log-softmax": ("log-softmax", "log-moved-softmax"),
    "31 softmax cross-entropy": ("target-minus-probability", "probability-minus-target"),
    "32 row sums of one-hot": ("rows-sum-to-one",),
    "33 binary cross-entropy": ("bce-logits", "sigmoid-cross-entropy", "sigmoid-cross-entropy-naive"),
    "34 like terms": ("like-terms", "collect-terms"),
    "34a sqrt(x x)": ("sqrt-square",),
    "34b tanh": ("tanh",),
    "34c x log x": ("xlogx",),
    "35 share softmax": "the bodies of softmax and log-softmax are made of the same nodes, which are interned",
    "36 sum of a sum": ("sum-sum", "sum-sum-axes"),
    "37 sum of c x": ("sum-scaled", "sum-divided", "sum-of-repeated"),
    "38 sum of broadcast(v)": ("sum-stretched",),
    "39 sum of a transpose": ("sum-moved",),
    "40 ones times G": ("row-of-ones", "column-of-ones", "vector-of-ones"),
    "41 (sA)B, sum of AB": ("scaled-left", "scaled-right", "scaled-matrix", "sum-of-product"),
    "42 diag(u)A": ("diagonal-left", "diagonal-right"),
    "43 sum of a b": ("dot", "dot-itself"),
    "44 sum of c A": ("weighted-rows",),
    "45 factor": ("factor", "factor-minus", "common-factor"),
    "46 (a/b)/c": ("divide-twice",),
    "47 x/c": ("divide-by-power-of-two", "divide-by-number"),
    "48 cancel": ("cancel", "cancel-square", "div-self", "sub-self"),
    "49 exponentials": ("exp-product", "one-over-exp"),
    "50 exp and log": ("log-exp", "exp-log"),
    "51 safe norm": "the card of norm declares x / |x|, and 0 at 0",
    "52 log of products": (
        "log-ratio",
        "log-product",
        "log-power",
        "log-square",
        "log-root",
        "log-reciprocal",
    ),
    "54 recognised forms": ("logaddexp", "log1mexp", "log1mexp-expm1"),
    "55 where(c, x, x)": ("where-same",),
    "56 max of max, clip of clip": (
        *("max-max", "min-min", "larger-bound", "smaller-bound"),
        *("clip-clip", "relu-bound", "clip-relu"),
    ),
    "57 slice of concat": ("slice-concat", "places-joined"),
    "58 matmul chain": ("chain-right", "chain-left", "chain-vector"),
    "59 batch-norm backward": (
        "sum-of-repeated",
        "sum-less-deviations",
        "sum-less-deviations-to",
        "slope-of-root",
    ),
    "60 layer-norm backward": ("sum-plus-deviations", "sum-plus-deviations-to", "slope-of-root-scaled"),
    "61 einsum": "einsum is made of transposes, reshapes and matmul when it is declared",
    "62 weight decay": "like terms are collected by interning and accumulation: 2 l W is one node, added once",
}


def test_every_number_is_there():
    numbers = {key.split()[0] for key in CATALOGUE}
    wanted = {str(n) for n in range(1, 63)} - {"53"}
    assert numbers == wanted | {"34a", "34b", "34c"}


@pytest.mark.parametrize("key", CATALOGUE)
def test_each_is_a_rule_or_has_a_reason(key):
    entry = CATALOGUE[key]
    names = {rule.name for rule in RULES}
    assert set(entry) <= names if isinstance(entry, tuple) else len(entry) > 20


def test_rules_outside_the_catalogue_are_known():
    """What graphc has beside the plan: stable forms that people write, facts, and plain forms."""
    listed = {name for entry in CATALOGUE.values() if isinstance(entry, tuple) for name in entry}
    beside = {rule.name for rule in RULES} - listed
    assert len(beside) + len(listed) == len(RULES)
    assert {"silu", "log-cosh", "keep-axis", "assumed", "plain-softmax"} <= beside


# -- what is so by construction --------------------------------------------------------------------------------------


def simplified(*outputs):
    return gx.simplify(gx.graph_of(list(outputs)))


def test_a_sum_to_a_vector_is_a_sum_over_rows():
    x, v = gx.input("x", ("n", 3)), gx.input("v", (3,))
    program = gx.compile(gx.grad(gx.sum(gx.sin(x + v)), v))
    assert "np.cos(x + v).sum(axis=0)" in program.source


def test_softmax_and_log_softmax_share_what_they_are_made_of():
    x = gx.input("x", ("n", 3))
    source = gx.compile([gx.softmax(x), gx.log_softmax(x)]).source
    assert source.count("np.exp(") == 1
    assert source.count(".max(") == 1


def test_weight_decay_is_added_once():
    w = gx.param("w", (3, 4))
    gradient = gx.grad(0.1 * gx.sum(gx.square(w)) + gx.sum(gx.sin(w)), w)
    assert [n.op.name for n in simplified(gradient).nodes].count("add") == 1


def test_a_mean_divides_its_sum():
    assert "x.sum(axis=0) / n" in gx.compile(gx.mean(gx.input("x", ("n", 3)), axis=0)).source


# -- chains: the new forms as programs ------------------------------------------------------------------------------


def test_a_chain_of_products_takes_the_short_way():
    a, b, v = gx.input("a", (50, 2)), gx.input("b", (2, 50)), gx.input("v", (50,))
    trace = Trace()
    found = gx.simplify((a @ b) @ v, trace=trace)
    assert trace.fired()["chain-vector"] == 1
    assert max(n.ndim and int(np.prod(n.shape)) for n in found.nodes if n.op.kind != "leaf") == 50


def test_a_shared_product_stays():
    a, b, v = gx.input("a", (50, 2)), gx.input("b", (2, 50)), gx.input("v", (50,))
    trace = Trace()
    gx.simplify([a @ b, (a @ b) @ v], trace=trace)
    assert "chain-vector" not in trace.fired()


def test_clip_of_clip_is_one_clip():
    x = gx.input("x", ("n",))
    source = gx.compile(gx.clip(gx.clip(x, 0, 1), 0.2, 0.8), level="exact").source
    assert source.count("np.m") == 2
