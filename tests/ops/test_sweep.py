"""Every card: its type, its value and its derivatives, against references that share no code with it."""

from __future__ import annotations

import dataclasses
import itertools
import zlib

import numpy as np
import pytest

import graphc as gx
from graphc.check import check_grad
from graphc.errors import DTypeError
from graphc.ir.node import apply
from graphc.ir.op import ZERO
from graphc.ir.size import evaluate, size
from graphc.ops import CARDS
from graphc.ops.card import pointwise
from graphc.ops.slices import slice_op
from tests.ops.linalg_cases import LINALG
from tests.ops.order_cases import ORDER
from tests.ops.pointwise_references import BITS
from tests.ops.references import (
    CASES as BASIC_CASES,
)
from tests.ops.references import (
    COMPARISONS,
    DTYPES,
    LEAVES,
    LOGIC,
    ON_INTEGERS,
    OTHER_SIDES,
    SCALAR,
    Case,
    floats,
)
from tests.ops.structure_cases import STRUCTURE

CASES = (*BASIC_CASES, *STRUCTURE, *LINALG, *ORDER)
SIZES = {"n": 5, "m": 2}
POINTWISE = [name for name, card in CARDS.items() if card.kind == "pointwise"]
SHAPES = {
    1: ([()], [("n", 3)]),
    2: ([("n", 3), ("n", 3)], [("n", 3), (3,)], [(4, 1), (1, 3)], [(), ("n",)]),
    3: ([("n", 3)] * 3, [("n", 1), (), ("n", 3)]),
}
GRADIENT = 1e-7


def unswept(cards):
    """Cards that no reference speaks for."""
    spoken = {*SCALAR, *LEAVES, *(case.card for case in CASES)}
    return sorted(set(cards) - spoken)


def concrete(shape):
    return tuple(evaluate(size(dim), SIZES) for dim in shape)


def generator(*key):
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


def leaf(i, shape, dtype):
    return gx.input(f"x{i}", shape, dtype=dtype)


def draw(random, shape, dtype, low=-2.0, high=2.0):
    """Values of a dtype, distinct enough that no maximum is tied."""
    if dtype == "bool":
        return random.integers(0, 2, concrete(shape)).astype(bool)
    if dtype.startswith("int"):
        low, high = (low, high) if low > 0 else (-4, 5)
        return random.integers(int(low), int(high), concrete(shape)).astype(dtype)
    return random.uniform(low, high, concrete(shape)).astype(dtype)[()]


def run(node, arrays, level="exact"):
    names = [n.name for n in gx.graph_of(node).arguments]
    with np.errstate(all="ignore"):
        return gx.compile(node, level=level)(**{k: v for k, v in arrays.items() if k in names})


# -- values and types ----------------------------------------------------------------------------------------------


def pointwise_dtype(name, dtype):
    """What a pointwise card makes of operands of one dtype."""
    if name in COMPARISONS or name in LOGIC:
        return "bool"
    if name == "where":
        return dtype
    if name in ON_INTEGERS:
        return "int64" if dtype == "bool" else dtype
    return floats(dtype)


def operand_dtypes(card, dtype):
    first = {"where": "bool", "polygamma": "int64"}.get(card.name, dtype)
    return [first] + [dtype] * (len(card.operands) - 1)


def sweep_values(card, dtype, shapes, domain):
    """Type, dtype and values of a pointwise card over one choice of shapes."""
    random = generator(card.name, dtype, shapes)
    dtypes = operand_dtypes(card, dtype)
    arrays = [
        draw(random, s, d, *side) if d.startswith("float") else draw(random, s, d)
        for s, d, side in zip(shapes, dtypes, domain, strict=True)
    ]
    node = card(*(leaf(i, s, d) for i, (s, d) in enumerate(zip(shapes, dtypes, strict=True))))
    got = run(node, {f"x{i}": a for i, a in enumerate(arrays)})
    expected = pointwise_dtype(card.name, dtype)
    assert node.dtype == np.asarray(got).dtype.name == expected
    assert np.shape(got) == np.broadcast_shapes(*map(np.shape, arrays)) == concrete(node.shape)
    computed = [
        a.astype(expected) if expected.startswith("float") and d != "bool" else a
        for a, d in zip(arrays, dtypes, strict=True)
    ]
    check_elements(card.name, np.asarray(got), np.broadcast_arrays(*computed))


def check_elements(name, got, arrays):
    """Each element within 4 eps of its reference: relative above 1, absolute below."""
    import mpmath as mp

    for index in np.ndindex(got.shape):
        args = [a[index].item() if a.dtype == bool else mp.mpf(a[index].item()) for a in arrays]
        try:
            want = SCALAR[name](*args)
        except ZeroDivisionError:
            continue
        if isinstance(want, mp.mpc) or not mp.isfinite(want):
            continue
        if got.dtype.kind == "f":
            assert abs(mp.mpf(float(got[index])) - want) <= 4 * np.finfo(got.dtype).eps * max(1, abs(want)), (
                name,
                args,
            )
        else:
            assert got[index] == want, (name, args)


@pytest.mark.parametrize("name", POINTWISE)
def test_pointwise_values_and_dtypes(name):
    card = CARDS[name]
    domains = [card.domain, *([OTHER_SIDES[name]] if name in OTHER_SIDES else [])]
    for dtype, shapes, domain in itertools.product(DTYPES, SHAPES[len(card.operands)], domains):
        if (name in LOGIC and dtype != "bool") or (name in BITS and dtype.startswith("float")):
            with pytest.raises(DTypeError):
                card(*(leaf(i, s, dtype) for i, s in enumerate(shapes)))
            continue
        sweep_values(card, dtype, shapes, domain)


def case_arrays(case, dtype):
    random = generator(str(case), dtype)
    dtypes = ["int64" if i in case.labels else dtype for i in range(len(case.shapes))]
    arrays = [
        random.integers(0, 3, concrete(s)) if i in case.labels else draw(random, s, d)
        for i, (s, d) in enumerate(zip(case.shapes, dtypes, strict=True))
    ]
    return [leaf(i, s, d) for i, (s, d) in enumerate(zip(case.shapes, dtypes, strict=True))], arrays


@pytest.mark.parametrize("case", CASES, ids=[f"{i}-{case}" for i, case in enumerate(CASES)])
def test_values_and_dtypes(case):
    for dtype in case.dtypes:
        sweep_case(case, dtype)


def sweep_case(case, dtype):
    """Type, dtype and values of a card that is not pointwise."""
    leaves, arrays = case_arrays(case, dtype)
    node = case.build(*leaves)
    got = run(node, {f"x{i}": a for i, a in enumerate(arrays)} | {"s": 0.0})
    got = got[0] if isinstance(got, tuple) else got
    assert str(node.type) == f"{case.dtype(dtype)}{case.shape}"
    assert np.asarray(got).dtype.name == node.dtype
    exact = [a if i in case.labels else a.astype("float64") for i, a in enumerate(arrays)]
    want = case.reference(*exact)
    assert np.shape(got) == np.shape(want)
    eps = np.finfo(node.dtype).eps if node.type.is_float else 0.0
    # sums of at most 24 terms below 2 in size
    assert np.all(np.abs(got - want) <= 24 * eps * np.maximum(1, np.abs(want)))


@pytest.mark.parametrize("name", LEAVES)
def test_leaves(name):
    make, type_text, value = LEAVES[name]
    node = make()
    assert node.op is CARDS[name]
    assert str(node.type) == type_text
    if value is not None:
        np.testing.assert_array_equal(gx.compile(node)(), value)


def test_every_card_is_swept():
    assert unswept(CARDS) == []


def test_a_card_without_a_reference_fails_the_sweep():
    new = pointwise("cube", "x ** 3", "{x}**3")
    assert unswept({**CARDS, "cube": new}) == ["cube"]


def test_cases_use_the_card_that_they_name():
    for case in CASES:
        leaves, _ = case_arrays(case, case.dtypes[-1] if "float64" not in case.dtypes else "float64")
        roots = gx.graph_of(case.build(*leaves)).nodes
        assert CARDS[case.card] in {n.op for n in roots}, case


# -- derivatives ---------------------------------------------------------------------------------------------------


def sweep_gradient(build, leaves, arrays):
    """First and second derivatives against central differences; fails with the report."""
    values = {f"x{i}": a for i, a in enumerate(arrays)}
    node = build(*leaves)
    wrt = [x for x in leaves if x.type.is_float]
    known = {k.name: values[k.name] for k in gx.graph_of(node).arguments if k.name in values} | more_values(
        node
    )
    first = check_grad(node, wrt, known, level="exact", tolerance=GRADIENT, elements=6)
    assert first.ok, first
    gradients = gx.grad(gx.sum(gx.sin(node)), wrt, level="exact")
    outputs = [g for g in gradients if any(x in gx.graph_of(g).arguments for x in wrt)]
    if outputs:
        arguments = gx.graph_of(outputs).arguments
        again = [x for x in wrt if x in arguments]
        second = check_grad(
            outputs,
            again,
            {n.name: {**known}[n.name] for n in arguments},
            level="exact",
            tolerance=GRADIENT,
            elements=6,
        )
        assert second.ok, second


def more_values(node):
    return {"s": 0.0} if any(n.name == "s" for n in gx.graph_of(node).arguments) else {}


def sweep_pointwise_gradient(card):
    """The derivatives of one pointwise card over every choice of shapes and sides."""
    domains = [card.domain, *([OTHER_SIDES[card.name]] if card.name in OTHER_SIDES else [])]
    for shapes, domain in itertools.product(SHAPES[len(card.operands)], domains):
        random = generator(card.name, shapes, domain)
        dtypes = operand_dtypes(card, "float64")
        arrays = [draw(random, s, d, *side) for s, d, side in zip(shapes, dtypes, domain, strict=True)]
        leaves = [leaf(i, s, d) for i, (s, d) in enumerate(zip(shapes, dtypes, strict=True))]
        sweep_gradient(card, leaves, arrays)


DIFFERENTIABLE = [n for n in POINTWISE if n not in (*COMPARISONS, *LOGIC, *BITS)]
SMOOTH_CASES = [
    c
    for c in CASES
    if c.card not in ("argmax", "one_hot", "stop_gradient") and c.dtype("float64") == "float64"
]


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_pointwise_gradients(name):
    sweep_pointwise_gradient(CARDS[name])


@pytest.mark.parametrize("case", SMOOTH_CASES, ids=[f"{i}-{c}" for i, c in enumerate(SMOOTH_CASES)])
def test_gradients(case):
    sweep_gradient(case.build, *case_arrays(case, "float64"))


def sweep_transpose(case):
    """A linear card: the dot product of v with A x is that of Aᵀ v with x, for each operand that has a transpose."""
    leaves, arrays = case_arrays(case, "float64")
    node = case.build(*leaves)
    values = {f"x{i}": a for i, a in enumerate(arrays)}
    for i, x in enumerate(leaves):
        if i in case.labels or (node.op.transpose and node.op.transpose[i % len(node.op.transpose)] is ZERO):
            continue
        others = {
            n: gx.zeros_like(y) if node.op.variadic and n not in case.labels else y
            for n, y in enumerate(leaves)
            if n != i
        }
        alone = case.build(*(x if n == i else others[n] for n in range(len(leaves))))
        v = generator("v", str(case), i).normal(size=concrete(node.shape))
        forward = np.sum(v * run([alone, *leaves], values)[0])
        pulled = gx.vjp(alone, x, gx.input("v", node.shape, dtype="float64"), level="exact")
        backward = np.sum(values[f"x{i}"] * run([pulled, *leaves], {**values, "v": v})[0])
        assert abs(forward - backward) <= 1e-13 * max(1.0, np.sum(np.abs(v)) * 8), case


LINEAR_CASES = [c for c in CASES if c.linear]


@pytest.mark.parametrize("case", LINEAR_CASES, ids=[f"{i}-{c}" for i, c in enumerate(LINEAR_CASES)])
def test_transposes(case):
    sweep_transpose(case)


def test_every_linear_card_is_tested_as_one():
    linear = {n for n, card in CARDS.items() if card.kind == "linear"} - {"stop_gradient"}
    assert linear <= {c.card for c in LINEAR_CASES}


# -- the test of the test ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "partials"),
    [("tanh", ("1 - out",)), ("multiply", ("y", "y")), ("exp", ("0",)), ("power", ("y * x ** (y - 1)", "0"))],
)
def test_a_wrong_partial_is_caught(name, partials):
    with pytest.raises(AssertionError, match="differ from central differences"):
        sweep_pointwise_gradient(dataclasses.replace(CARDS[name], partials=partials))


def test_a_wrong_second_derivative_alone_is_caught():
    # right in the first order, but its own derivative is hidden
    card = dataclasses.replace(CARDS["sin"], partials=("hidden_cos(x)",))
    hidden = dataclasses.replace(CARDS["cos"], name="hidden_cos", partials=("0 * x",))
    with pytest.MonkeyPatch.context() as patch:
        from graphc.symbolic import formulas

        patch.setattr(formulas, "CARDS", {**CARDS, "hidden_cos": hidden})
        with pytest.raises(AssertionError, match="differ from central differences"):
            sweep_pointwise_gradient(card)


def test_a_wrong_transpose_is_caught():
    card = dataclasses.replace(
        CARDS["slice"], transpose=(lambda g, x, *, index: gx.broadcast_to(gx.sum(g), x.shape),)
    )
    case = Case(
        "slice",
        lambda x: apply(card, x, index=((1, 3, None),)),
        ((4,),),
        lambda x: x[1:3],
        "[2]",
        linear=True,
    )
    with pytest.raises(AssertionError):
        sweep_transpose(case)
    with pytest.raises(AssertionError, match="differ from central differences"):
        sweep_gradient(case.build, *case_arrays(case, "float64"))
    right = dataclasses.replace(case, build=lambda x: slice_op(x, index=((1, 3, None),)))
    sweep_transpose(right)


def test_a_wrong_value_is_caught():
    wrong = dataclasses.replace(CARDS["tanh"], numpy="np.tanh({x}) * 1.00000001")
    with pytest.raises(AssertionError):
        sweep_values(wrong, "float64", [("n", 3)], wrong.domain)


def test_a_silent_float64_is_caught():
    wrong = dataclasses.replace(CARDS["tanh"], numpy="np.tanh({x}).astype(np.float64)")
    with pytest.raises(AssertionError):
        sweep_values(wrong, "float32", [("n", 3)], wrong.domain)
