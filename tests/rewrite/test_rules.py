"""Every rule does what its pair says, leaves alone what it must, and keeps what its kind promises."""

from __future__ import annotations

import inspect
import itertools

import mpmath as mp
import numpy as np
import pytest

import graphc as gx
from graphc.ir.events import Rewrite
from graphc.rewrite.driver import Trace, rewrite
from graphc.rewrite.rule import EXACT, FACT, HARMLESS, KINDS, LEVELS, ROUNDING, STABLE, STRUCTURE
from graphc.rewrite.rules import RULES
from graphc.runtime.interpret import interpret_nodes
from tests.ops.references import SCALAR
from tests.rewrite.fixtures import LEAVES, PAIRS, REFUSED, leaf, pair

BY_NAME = {rule.name: rule for rule in RULES}
EACH_PAIR = [(rule.name, i) for rule in RULES for i in range(len(PAIRS.get(rule.name, ())))]
of_kind = {kind: [(n, i) for n, i in EACH_PAIR if BY_NAME[n].kind == kind] for kind in KINDS}


def without_pair(rules):
    return sorted({r.name for r in rules} ^ set(PAIRS))


def test_every_rule_has_a_pair():
    assert without_pair(RULES) == []


def test_a_rule_without_a_pair_fails():
    assert without_pair(RULES[1:]) == [RULES[0].name]


def test_names_are_told_apart_and_kinds_are_known():
    assert len(BY_NAME) == len(RULES)
    assert {r.kind for r in RULES} <= set(KINDS)


@pytest.mark.parametrize(("name", "i"), EACH_PAIR)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_before_becomes_after(name, i, dtype):
    before, after = pair(PAIRS[name][i], dtype)
    trace = Trace()
    result = rewrite(gx.graph_of(before), [BY_NAME[name]], "fast", trace).outputs[0]
    assert name in trace.fired()
    assert result is not before
    assert result.type == before.type
    assert after is None or result is after


@pytest.mark.parametrize(("name", "i"), [(n, i) for n, builds in REFUSED.items() for i in range(len(builds))])
def test_what_a_rule_must_leave_alone(name, i):
    build = REFUSED[name][i]
    node = build(*(leaf(n, "float64") for n in inspect.signature(build).parameters))
    assert rewrite(gx.graph_of(node), [BY_NAME[name]], "fast").outputs[0] is node


def test_every_fact_is_refused_somewhere():
    assert {r.name for r in RULES if r.kind == FACT} <= set(REFUSED)
    assert all(r.fact and r.when for r in RULES if r.kind == FACT)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_a_rule_fires_at_the_levels_of_its_kind_only(rule):
    before, _ = pair(PAIRS[rule.name][0])
    for level, kinds in LEVELS.items():
        trace = Trace()
        rewrite(gx.graph_of(before), [rule], level, trace)
        allowed = rule.kind in kinds and (level != "default" or (rule.ulp <= 4 and not rule.fast))
        assert bool(trace.fired()) == allowed


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_a_rewrite_is_recorded_on_its_result(rule):
    before, _ = pair(PAIRS[rule.name][0])
    trace = Trace()
    rewrite(gx.graph_of(before), [rule], "fast", trace)
    events = [e for _, e in trace.events if isinstance(e, Rewrite)]
    assert [e.rule for e in events] == [rule.name] * len(events)
    for node, event in trace.events:
        assert (
            node.op.kind == "leaf"
            or event in node.about.events
            or any(e.key() == event.key() for e in node.about.events)
        )


# -- what the kinds promise ----------------------------------------------------------------------------------------

TINY = {"float64": 5e-324, "float32": 1e-45}
EXTREME = {"float64": (1e300, -1e300, 1e-300, 2.3e-308), "float32": (3e38, -1e38, 1e-37, 1.2e-38)}


def special(dtype):
    inf = np.inf
    return [0.0, -0.0, inf, -inf, np.nan, TINY[dtype], -TINY[dtype], *EXTREME[dtype], 1.0, -1.0, 0.5, -3.0]


def arrays_for(names, dtype, ordinary, k):
    """Random or special values of each leaf: vectors hold every combination, scalars take turns, others are drawn."""
    random = np.random.default_rng([len(names), ordinary, k])
    vectors = [n for n in names if LEAVES[n][1] == ("k",) and LEAVES[n][0] == "float"]
    pool = special(dtype)
    if ordinary:
        spread = random.normal(size=(len(vectors), 3000)) * 10.0 ** random.uniform(
            -12, 12, (len(vectors), 3000)
        )
    else:
        spread = np.array(list(itertools.product(pool, repeat=len(vectors)))).T
    count = spread.shape[1] if vectors else 64
    out = {n: spread[i].astype(dtype) for i, n in enumerate(vectors)}
    for n in names:
        if n not in out:
            shape = tuple(count if d == "k" else d for d in LEAVES[n][1])
            out[n] = draw(random, LEAVES[n][0], shape, dtype, pool, ordinary)
        if n == "s" and not ordinary:
            out[n] = np.dtype(dtype).type(pool[k % len(pool)])
    return out


def draw(random, kind, shape, dtype, pool, ordinary):
    if kind == "bool":
        return random.integers(0, 2, shape).astype(bool)
    if kind == "unit":
        return random.uniform(0.1, 0.9, shape).astype(dtype)
    if kind == "int64":
        return random.integers(0, 4, shape)
    values = (
        random.normal(size=shape) * 10.0 ** random.uniform(-3, 3, shape)
        if ordinary
        else random.choice(pool, shape)
    )
    return np.asarray(values, dtype=dtype)[()]


def both_sides(name, i, dtype, ordinary):
    """The values of both sides, and those of everything in between, on several draws."""
    build = PAIRS[name][i]
    names = list(inspect.signature(build).parameters)
    before, _ = pair(build, dtype)
    after = rewrite(gx.graph_of(before), [BY_NAME[name]], "fast").outputs[0]
    graph = gx.graph_of([before, after])
    for k in range(1 if any(LEAVES[n][1] == ("k",) for n in names) and "s" not in names else 60):
        arrays = arrays_for(names, dtype, ordinary, k)
        needed = {str(graph.name_of(n)): arrays[str(graph.name_of(n))] for n in graph.arguments}
        with np.errstate(all="ignore"):
            values = interpret_nodes(graph, needed)
        yield np.asarray(values[before]), np.asarray(values[after]), values


def bits(array):
    """Bits, with every nan the same."""
    clean = np.where(np.isnan(array), np.nan, array).astype(array.dtype)
    return clean.view(f"u{clean.dtype.itemsize}") if array.dtype.kind == "f" else array


def combine(values, shape, test):
    """Where a test holds for every value of a shape that reaches this one."""
    good = np.ones(shape, bool)
    for value in values.values():
        array = np.asarray(value)
        if array.dtype.kind == "f":
            held = test(array)
            good &= held if held.shape == shape else np.all(held)
    return good


@pytest.mark.parametrize(("name", "i"), of_kind[EXACT])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_exact_rules_keep_every_bit(name, i, dtype):
    for ordinary in (False, True):
        for left, right, _ in both_sides(name, i, dtype, ordinary):
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(bits(left), bits(right))


def underflowed(values, shape):
    """Where a product or a quotient is 0 although no factor is: it has left the normal range."""
    found = np.zeros(shape, bool)
    for node, value in values.items():
        if node.op.name in ("multiply", "divide"):
            first, second = (np.asarray(values[x]) for x in node.inputs)
            nothing = (first == 0) | (np.isinf(second) if node.op.name == "divide" else second == 0)
            found |= (np.asarray(value) == 0) & ~nothing
    return found


@pytest.mark.parametrize(("name", "i"), of_kind[ROUNDING])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rounding_rules_stay_within_their_ulp(name, i, dtype):
    info = np.finfo(dtype)
    compared = 0
    for ordinary in (False, True):
        for left, right, values in both_sides(name, i, dtype, ordinary):
            normal = combine(
                values, left.shape, lambda a: np.isfinite(a) & ((np.abs(a) >= info.tiny) | (a == 0))
            )
            normal &= ~underflowed(values, left.shape)
            distance = np.abs(left[normal] - right[normal]) / np.spacing(
                np.maximum(np.abs(left[normal]), info.tiny)
            )
            compared += distance.size
            assert np.all(distance <= BY_NAME[name].ulp)
    assert compared > 50


@pytest.mark.parametrize(("name", "i"), of_kind[HARMLESS])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_harmless_rules_differ_only_in_zeros_and_where_the_left_is_not_finite(name, i, dtype):
    for ordinary in (False, True):
        for left, right, values in both_sides(name, i, dtype, ordinary):
            finite = combine(values, left.shape, np.isfinite)
            np.testing.assert_array_equal(left[finite], right[finite])


@pytest.mark.parametrize(("name", "i"), of_kind[STRUCTURE] + of_kind[FACT])
def test_structure_and_fact_rules_only_reassociate(name, i):
    for left, right, values in both_sides(name, i, "float64", True):
        largest = max(
            np.abs(v).max(initial=0.0) for v in map(np.asarray, values.values()) if v.dtype.kind == "f"
        )
        assert left.shape == right.shape
        assert np.all(np.abs(left - right) <= 16 * np.finfo("float64").eps * max(largest, 1e-300))


GRID = [
    0.0,
    1e-300,
    1e-20,
    1e-9,
    1e-4,
    0.1,
    0.7,
    1.0,
    3.0,
    20.0,
    36.0,
    40.0,
    500.0,
    700.0,
    710.0,
    745.0,
    750.0,
    900.0,
]
WIDE = sorted({*GRID, *(-v for v in GRID)})
UNIT = [0.0, 1e-9, 0.25, 0.5, 1.0]
BELOW_ONE = [v for v in WIDE if v < 1]
ABOVE_MINUS_ONE = [v for v in WIDE if v > -1]
POSITIVE = [v for v in GRID if v > 0]
POINTS = {
    "log1p": {"x": ABOVE_MINUS_ONE},
    "log1p-sub": {"x": BELOW_ONE},
    "xlogx": {"x": [0.0, *POSITIVE, 1e300, 5e-324]},
    "log-square": {"x": [*POSITIVE, *(-v for v in POSITIVE), 1e200, -1e200]},
    "log-root": {"x": [*POSITIVE, 1 + 2e-16, 1 - 1e-16, 1 + 3e-15]},
    "sqrt-square": {"x": [v for v in [*WIDE, 1e200, -1e200, 1e-200, 5e-324] if v]},
    "bce-logits": {"y": UNIT},
    # beside 1e-300 the two logarithms cancel: the error is then that of |x|, as the note of the rule says
    "log-ratio": {"y": POSITIVE[1:]},
    "log-product": {"y": POSITIVE[1:]},
}
LIMITS = {"xlogx"}
"""Rules whose right side continues the left to a point where it is not defined; the right side is the truth."""

ROUNDED = ("softmax", "sigmoid")
GIVEN = dict.fromkeys(
    ("probability-minus-target", "probability-minus-target-divided", "target-minus-probability"), ROUNDED
)
"""Rules about a difference from a value that is rounded already: that value is taken as it is."""

SMALLEST = mp.mpf(2) ** -1022
ACCURATE = 4.0
"""Units of eps * max(1, |f|) that a stable form may be off where the left side is more accurate still."""


def exact_value(node, values):
    """A node with enough digits that nothing is lost, elementwise over object arrays."""
    done = {n: np.vectorize(lambda v: mp.mpf(float(v)), otypes=[object])(v) for n, v in values.items()}
    for each in gx.graph_of(node).nodes:
        if each not in done:
            done[each] = exact_step(each, [done[x] for x in each.inputs])
    return done[node]


def exact_step(node, inputs):
    attrs = node.attrs
    if node.op.role == "const":
        return np.vectorize(mp.mpf, otypes=[object])(node.attrs["value"].value.astype(float))
    if node.op.kind == "pointwise":
        return np.asarray(np.frompyfunc(SCALAR[node.op.name], len(inputs), 1)(*inputs), dtype=object)
    (x, *_) = inputs
    match node.op.name:
        case "sum":
            return np.asarray(x.sum(axis=attrs["axis"], keepdims=attrs["keepdims"]), dtype=object)
        case "softmax":
            e = np.frompyfunc(mp.exp, 1, 1)(x)
            return e / e.sum(axis=attrs["axis"], keepdims=True)
        case "transpose":
            return x.transpose(attrs["axes"])
        case "slice":
            return x[tuple(slice(*p) if isinstance(p, tuple) else p for p in attrs["index"])]
        case "squeeze":
            return x.squeeze(attrs["axis"])
        case "one_hot":
            return np.vectorize(mp.mpf, otypes=[object])(np.eye(attrs["classes"])[x.astype(int)])
    raise AssertionError(f"no exact form of {node.op.name}")


def points(name, names):
    """Every combination of grid points for vectors; rows and scalars are drawn from the grid."""
    random = np.random.default_rng(7)
    vectors = [n for n in names if LEAVES[n] == ("float", ("k",))]
    grids = [POINTS.get(name, {}).get(n, WIDE) for n in vectors]
    table = np.array(list(itertools.product(*grids))).T if vectors else np.empty((0, 40))
    out = dict(zip(vectors, table, strict=True))
    if "rows" in names:
        out["rows"] = np.vstack([random.choice(WIDE, (20, 4)), random.normal(size=(20, 4)) * 8])
    if "row" in names:
        out["row"] = np.array([705.0, 709.9, 710.5])
    if "labels" in names:
        out["labels"] = random.integers(0, 4, 40)
    if "s" in names:
        out["s"] = np.float64(0.1)
    return out


def errors(value, truth, least):
    """Errors in units of eps * max(least, |f|); what is not finite and should be is infinitely wrong."""
    rows = []
    for got, want in zip(np.ravel(value), np.ravel(truth), strict=True):
        off = mp.inf if not np.isfinite(got) else abs(mp.mpf(float(got)) - want) / max(least, abs(want))
        rows.append(float(off / mp.mpf(2) ** -52))
    return np.array(rows)


@pytest.mark.parametrize(("name", "i"), of_kind[STABLE])
def test_stable_rules_are_at_least_as_accurate(name, i):
    build = PAIRS[name][i]
    names = list(inspect.signature(build).parameters)
    before, _ = pair(build)
    after = rewrite(gx.graph_of(before), [BY_NAME[name]], "fast").outputs[0]
    given = [n for n in gx.graph_of(before).nodes if n.op.name in GIVEN.get(name, ())]
    graph = gx.graph_of([before, after, *given])
    arrays = points(name, names)
    with np.errstate(all="ignore"):
        values = interpret_nodes(graph, arrays)
    with mp.workprec(3000):
        known = {n: values[n] for n in (*graph.arguments, *given)}
        truth = exact_value(after if name in LIMITS else before, known)
        left, right = errors(values[before], truth, 1), errors(values[after], truth, 1)
        left_relative, right_relative = (errors(values[n], truth, SMALLEST) for n in (before, after))
    assert np.all(right <= np.maximum(left, ACCURATE))
    gains = left_relative > np.maximum(right_relative, ACCURATE)
    assert np.any(gains), "the left side is as accurate everywhere: the rule has no reason"


@pytest.mark.parametrize("level", LEVELS)
def test_an_empty_axis_is_not_shifted_by_its_maximum(level):
    x = gx.input("x", (0, 3), "float64")
    e = gx.exp(x)
    parts = [e / gx.sum(e, axis=0, keepdims=True), gx.log(gx.sum(e, axis=0))]
    graph = [*parts, gx.grad(gx.sum(parts[0]), x, level)]
    with np.errstate(divide="ignore"):
        ratio, logs, gradient = gx.compile(graph, level=level)(np.zeros((0, 3)))
    assert ratio.shape == gradient.shape == (0, 3)
    assert logs.tolist() == [-np.inf] * 3
