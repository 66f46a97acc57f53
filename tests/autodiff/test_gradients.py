"""What grad and vjp give: structures, gradients of gradients, interior variables, modes, updates, composites."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc.check import check_grad
from graphc.errors import GraphcError

RANDOM = np.random.default_rng(0)


def leaf(name="x", shape=(3,)):
    return gx.input(name, shape, dtype="float64")


def test_the_structure_of_wrt_is_the_structure_of_the_result():
    x, y = leaf("x"), leaf("y")
    loss = gx.sum(x * y)
    one = gx.grad(loss, x)
    assert gx.grad(loss, [x]) == [one]
    assert gx.grad(loss, (x, y))[0] is one
    nested = gx.grad(loss, {"a": [x, y], "b": (x,)})
    assert nested["a"][0] is nested["b"][0] is one
    assert isinstance(nested["b"], tuple)
    with pytest.raises(GraphcError, match=r"wrt\['a'\]"):
        gx.grad(loss, {"a": 3})


def test_gradients_of_gradients_close():
    x = leaf()
    first = gx.grad(gx.sum(gx.sin(x)), x)
    second = gx.grad(gx.sum(first), x)
    third = gx.grad(gx.sum(second), x)
    at = np.array([0.3, -1.0, 2.0])
    for node, want in ((first, np.cos(at)), (second, -np.sin(at)), (third, -np.cos(at))):
        np.testing.assert_allclose(gx.compile(node)(at), want, rtol=1e-14)


def test_a_gradient_inside_a_loss_is_differentiated():
    x, W = leaf("x", ("n", 3)), gx.param("W", (3, 1), dtype="float64")
    y = gx.sum(gx.tanh(x @ W))
    penalty = gx.sum(gx.square(gx.grad(y, x)))
    values = {"x": RANDOM.normal(size=(4, 3)), "W": RANDOM.normal(size=(3, 1))}
    assert check_grad(y + 0.1 * penalty, [W, x], values).ok


@pytest.mark.parametrize(
    "layer",
    [
        lambda z: gx.log_softmax(z),
        lambda z: gx.softmax(z),
        lambda z: gx.expand_dims(gx.logsumexp(z, axis=1), 1),
        lambda z: gx.max(z, axis=1, keepdims=True),
        lambda z: gx.var(z, axis=0, keepdims=True),
        lambda z: z @ z.T,
        lambda z: gx.gelu(z),
    ],
    ids=["log_softmax", "softmax", "logsumexp", "max", "var", "matmul", "gelu"],
)
def test_hessian_vector_products_agree_with_differences(layer):
    z, v = leaf("z", (3, 4)), RANDOM.normal(size=(3, 4))
    slope = gx.sum(gx.grad(gx.sum(gx.sin(layer(z))), z) * gx.const(v))
    assert check_grad(slope, z, {"z": RANDOM.normal(size=(3, 4))}).ok


def test_an_interior_variable_is_opaque():
    x = leaf()
    h = gx.exp(x)
    loss = gx.sum(gx.log(1 + h))  # softplus(x), were h not held
    d_h = gx.grad(loss, h)
    assert gx.graph_of(d_h).nodes[-1] is d_h
    assert h in gx.graph_of(d_h).nodes
    at = np.array([0.0, 1.0, -2.0])
    np.testing.assert_allclose(gx.compile(d_h)(at), 1 / (1 + np.exp(at)), rtol=1e-14)


def test_an_interior_variable_and_a_leaf_before_it_together():
    x = leaf()
    h = gx.sin(x)
    loss = gx.sum(h * x)
    d_h, d_x = gx.compile(gx.grad(loss, [h, x]))([0.5, 1.0, 2.0])
    np.testing.assert_allclose(d_h, [0.5, 1.0, 2.0])
    # h is held: the path through it belongs to h
    np.testing.assert_allclose(d_x, np.sin([0.5, 1.0, 2.0]))


def test_a_loss_is_its_own_variable():
    x = leaf()
    loss = gx.sum(x)
    assert gx.compile(gx.grad(loss, loss))(np.zeros(3)) == 1.0


def test_modes_are_differentiated_branch_by_branch():
    x = leaf()
    y = gx.by_mode(train=gx.square(x), eval=3.0 * x)
    gradient = gx.grad(gx.sum(y), x)
    assert gradient.op.name == "by_mode"
    at = [1.0, 2.0, 3.0]
    both = [gx.compile([x, gradient], mode=m)(at)[1] for m in ("train", "eval")]
    np.testing.assert_array_equal(both, [[2, 4, 6], [3, 3, 3]])


def test_nothing_flows_through_stop_gradient():
    x = leaf()
    at = np.array([1.0, 2.0, 3.0])
    for level in ("exact", "default", "fast"):
        gradient = gx.grad(gx.sum(gx.stop_gradient(x) * x), x, level)
        np.testing.assert_array_equal(gx.compile(gradient, level=level)(at), at)


def test_updates_are_passed_through():
    x, s = leaf(), gx.state("s", (3,), dtype="float64")
    y = gx.update(gx.square(x), {s: 0.5 * s + 0.5 * x})
    loss = gx.sum(y * s)
    program = gx.compile({"loss": loss, "gradient": gx.grad(loss, x)})
    outputs, updates = program(x=[1.0, 2.0, 3.0], s=[1.0, 1.0, 2.0])
    np.testing.assert_array_equal(outputs["gradient"], [2.0, 4.0, 12.0])
    np.testing.assert_array_equal(updates["s"], [1.0, 1.5, 2.5])


def test_a_composite_without_a_gradient_is_differentiated_through_its_body():
    swish = gx.composite("swish", lambda x, b: x * gx.sigmoid(b * x))
    x, b = leaf(), leaf("b", ())
    assert check_grad(swish(x, b), [x, b], {"x": RANDOM.normal(size=3), "b": 1.5}).ok


def test_the_gradient_of_a_composite_is_used_where_there_is_one():
    straight = gx.composite("straight", lambda x: gx.sign(x), gradient=lambda g, x: 2.0 * g)
    x = leaf()
    np.testing.assert_array_equal(
        gx.compile([x, gx.grad(gx.sum(straight(x)), x)])([1.0, -1.0, 0.0])[1], [2, 2, 2]
    )
    # and again on its own result
    assert gx.compile([x, gx.grad(gx.sum(gx.square(gx.grad(gx.sum(gx.square(straight(x))), x))), x)])


def test_composites_inside_composites():
    inner = gx.composite("inner", lambda x: gx.tanh(x) * x)
    outer = gx.composite("outer", lambda x, y: inner(x) + inner(x * y))
    x, y = leaf("x"), leaf("y")
    values = {"x": RANDOM.normal(size=3), "y": RANDOM.normal(size=3)}
    assert check_grad(outer(x, y), [x, y], values).ok
    slope = gx.grad(gx.sum(gx.sin(outer(x, y))), x)
    assert check_grad(slope, [x, y], values).ok


def test_vjp_is_the_gradient_of_a_weighted_sum():
    x, W = leaf("x", (2, 3)), gx.param("W", (3, 4), dtype="float64")
    y, v = gx.tanh(x @ W), RANDOM.normal(size=(2, 4))
    pulled = gx.vjp(y, {"x": x, "W": W}, v)
    weighted = gx.grad(gx.sum(y * gx.const(v)), {"x": x, "W": W})
    values = {"x": RANDOM.normal(size=(2, 3)), "W": RANDOM.normal(size=(3, 4))}
    got, want = gx.compile(pulled)(**values), gx.compile(weighted)(**values)
    for name in ("x", "W"):
        np.testing.assert_allclose(got[name], want[name], rtol=1e-14)


def test_vjp_takes_nodes_and_numbers():
    x, v = leaf(), leaf("v")
    np.testing.assert_allclose(gx.compile(gx.vjp(gx.square(x), x, v))([1.0, 2, 3], [1.0, 0, 2]), [2, 0, 12])
    np.testing.assert_allclose(gx.compile(gx.vjp(gx.square(x), x, 1.0))([1.0, 2, 3]), [2, 4, 6])


def test_labels_and_conditions_carry_no_gradient():
    x, t = leaf("x", (4, 3)), gx.input("t", (4,), dtype="int64")
    loss = gx.sum(gx.take(x, t) * gx.astype(gx.argmax(x, axis=1), "float64")[0])
    values = {"x": RANDOM.normal(size=(4, 3)), "t": [0, 2, 2, 1]}
    assert check_grad(loss, x, values).ok


def test_the_level_of_grad_decides_what_is_differentiated():
    x = leaf("x", ())
    y = gx.sqrt(x * x)
    with np.errstate(all="ignore"):
        assert np.isnan(gx.compile(gx.grad(y, x, "exact"), level="exact")(0.0))
    assert gx.compile(gx.grad(y, x))(0.0) == 0.0
