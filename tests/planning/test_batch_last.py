"""The batch as the last axis between windows: the values and gradients of the declared order."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim
from graphc.ir.size import evaluate
from graphc.ops import CARDS
from graphc.planning.batch_last import batch_last
from graphc.planning.laid import common_dims, declared, laid, plainly, refined, regrouped, split
from tests.ops.window_cases import WINDOWS

RANDOM = np.random.default_rng(0)


def images(*shape):
    return gx.input("x", ("n", *shape), dtype="float64")


def weights(name, *shape):
    return gx.param(name, shape, dtype="float64")


def convolved(x, stride=1, padding=0, dilation=1, groups=1, out=4, kernel=3, name="w"):
    rank = x.ndim - 2
    w = weights(name, out, x.shape[1] // groups, *(kernel,) * rank)
    return gx.conv(x, w, stride, padding, dilation, groups)


def biased(x, name="b"):
    return x + gx.reshape(weights(name, x.shape[1]), (x.shape[1], *(1,) * (x.ndim - 2)))


def residual():
    x = gx.relu(biased(convolved(images(4, 6, 6), padding="same")))
    return x + convolved(x, padding="same", name="v")


def normalised():
    x = convolved(images(2, 6, 6))
    mean = gx.mean(x, axis=(0, 2, 3), keepdims=True)
    x = (x - mean) / gx.sqrt(gx.var(x, axis=(0, 2, 3), keepdims=True) + 1e-3)
    return gx.max_pool(gx.relu(biased(x)), 2)


def joined():
    x = images(2, 6, 6)
    return gx.max_pool(gx.concat([convolved(x, padding=1), x * 2.0], axis=1), 2)


def dense_after_pool():
    x = gx.max_pool(gx.relu(biased(convolved(images(1, 8, 8)))), 2)
    flat = gx.reshape(x, (x.shape[0], 4 * 3 * 3))
    return gx.tanh(flat @ weights("d", 36, 5))


def weighted_by_place():
    return convolved(images(2, 5, 5)) * weights("m", 4, 3, 3)


def weighted_by_image():
    return convolved(images(2, 5, 5)) * gx.input("s", ("n", 1, 1, 1), dtype="float64")


def softmax_of_channels():
    return gx.softmax(convolved(images(2, 5, 5)), axis=1)


def split_behind_a_pool():
    x = gx.max_pool(images(4, 12), 2)
    x = gx.reshape(x, (x.shape[0], 2, 2, 6))
    return gx.reshape(gx.tanh(x * gx.mean(x, axis=(2, 3), keepdims=True)), (x.shape[0], 4, 6))


def two_pools_of_one():
    x = gx.relu(convolved(images(2, 7, 7)))
    return gx.concat([gx.max_pool(x, 2), gx.avg_pool(x, 2)], axis=1)


NETWORKS = {
    "three axes": lambda: gx.max_pool(convolved(images(2, 9)), 2),
    "five axes": lambda: gx.avg_pool(convolved(images(2, 5, 5, 5)), 2),
    "stride": lambda: convolved(images(2, 7, 7), stride=2),
    "padding": lambda: convolved(convolved(images(2, 5, 5), padding=1), padding=((0, 1), (2, 0)), name="v"),
    "dilation": lambda: convolved(images(2, 7, 7), dilation=2),
    "groups": lambda: convolved(images(4, 5, 5), groups=2),
    "depthwise": lambda: biased(convolved(images(4, 5, 5), groups=4)),
    "one by one": lambda: convolved(convolved(images(3, 5, 5)), kernel=1, name="v"),
    "one channel out": lambda: convolved(images(3, 5, 5), out=1),
    "one place": lambda: convolved(images(3, 3, 3)),
    "transposed": lambda: gx.conv_transpose(images(2, 4, 4), weights("w", 2, 3, 3, 3), stride=2),
    "pools that overlap": lambda: gx.max_pool(convolved(images(2, 8, 8)), 3, stride=2, padding=1),
    "pools beyond the end": lambda: gx.max_pool(convolved(images(2, 7, 7)), 2, ceil_mode=True),
    "averages that overlap": lambda: gx.avg_pool(convolved(images(2, 8, 8)), 3, stride=2, padding=1),
    "the least of windows": lambda: -gx.max_pool(-convolved(images(2, 6, 6)), 2),
    "all of space": lambda: gx.global_max_pool(convolved(images(2, 5, 5))),
    "the average of space": lambda: gx.global_avg_pool(gx.relu(convolved(images(2, 5, 5)))),
    "residual": residual,
    "normalised": normalised,
    "joined": joined,
    "dense after pool": dense_after_pool,
    "weighted by place": weighted_by_place,
    "weighted by image": weighted_by_image,
    "softmax of channels": softmax_of_channels,
    "two pools of one": two_pools_of_one,
    "split behind a pool": split_behind_a_pool,
    "upside down": lambda: gx.max_pool(gx.flip(convolved(images(2, 6, 6)), 2), 2),
    "cut": lambda: gx.max_pool(convolved(images(2, 7, 7))[:, 1:3, 1:], 2),
    "sums of images": lambda: gx.sum(convolved(images(2, 5, 5)), axis=0),
    "sorted": lambda: gx.sort(convolved(images(2, 5, 5)), axis=1),
    "a loop over rows": lambda: gx.cumsum(convolved(images(2, 5, 5)), axis=0),
}


def compared(y, batches=(5, 2, 5)):
    """Value and gradients in both layouts, over batches of several sizes; the source of the planned one."""
    leaves = [n for n in gx.graph_of(y).arguments if n.type.is_float]
    outputs = [y, *gx.grad(gx.sum(gx.sin(y)), leaves)]
    fresh, planned = (gx.compile(outputs, layout=layout) for layout in ("fresh", "planned"))
    for count in batches:
        sizes = count if isinstance(count, dict) else {"n": count}
        arrays = [RANDOM.normal(size=[evaluate(d, sizes) for d in x.shape]) for x in leaves]
        for one, other in zip(fresh(*arrays), planned(*arrays), strict=True):
            assert one.shape == other.shape
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-10)
    return planned.source


@pytest.mark.parametrize("name", NETWORKS)
def test_values_and_gradients_are_those_of_the_declared_order(name):
    assert ", n), np.float64" in compared(NETWORKS[name]())


@pytest.mark.parametrize("place", range(len(WINDOWS)))
def test_every_use_of_windows(place):
    case = WINDOWS[place]
    leaves = [gx.input(f"x{i}", (*shape,), dtype="float64") for i, shape in enumerate(case.shapes)]
    made = case.build(*leaves)
    compared(made[0] if isinstance(made, (list, tuple)) else made, [{"m": 3, "n": n} for n in (5, 4, 5)])


def test_of_images_only_the_input_is_turned():
    x = images(1, 12, 12)
    y = gx.max_pool(gx.relu(biased(convolved(x))), 2)
    y = gx.max_pool(gx.relu(biased(convolved(y, name="v"), "c")), 3)
    flat = gx.reshape(y, (y.shape[0], 4)) @ weights("d", 4, 2)
    grads = gx.grad(gx.sum(gx.sin(flat)), [n for n in gx.graph_of(flat).arguments if n.op.role == "param"])
    graph = gx.compile([flat, *grads], layout="planned").plan.graph
    copies = [n for n in graph.nodes if n.op.name == "contiguous"]
    turned = [
        n for n in copies if n.inputs[0].op.name == "transpose" and n.inputs[0].inputs[0].op.role == "input"
    ]
    assert len(turned) == 1
    assert len(copies) == 3  # and the columns of each convolution
    assert all(str(n.shape[-1]) == "n" for n in copies)


def test_a_level_that_keeps_bits_and_a_few_images_keep_the_declared_order():
    for batch, level in (("n", "exact"), (4, "default")):
        x = gx.input("x", (batch, 2, 5, 5))
        program = gx.compile(
            gx.max_pool(gx.conv(x, gx.param("w", (2, 2, 3, 3))), 2), layout="planned", level=level
        )
        assert "contiguous" not in {n.op.name for n in program.plan.graph.nodes}
    graph = gx.graph_of(gx.tanh(gx.input("x", ("n", 3)) @ gx.param("w", (3, 2))))
    assert batch_last(graph) is graph


def trained(layout):
    x, t = gx.input("x", ("batch", 2, 8, 8)), gx.input("t", ("batch",), dtype="int64")
    h = nn.batch_norm(nn.conv2d(x, 4, 3, name="first"), axis=1)
    h = nn.dropout(nn.max_pool(gx.relu(h), 2), 0.25, name="drop")
    h = h + nn.conv2d(h, 4, 3, "tanh", padding="same", name="second")
    y = nn.dense(nn.flatten(nn.avg_pool(h, 3, 1)), 3, name="output")
    model = gx.Model(y, nn.cross_entropy(y, t), optimizer=optim.momentum(0.05))
    module = model.module(model.optimizer, layout)
    values, rng, losses = module.init(0), module.make_rng(1), []
    draw = np.random.default_rng(3)
    for rows in (16, 16, 7, 16):
        data = draw.normal(size=(rows, 2, 8, 8)).astype("float32"), draw.integers(0, 3, rows)
        *values, loss = module.train_step(*values, *data, rng=rng)
        losses.append(loss)
    return losses, values, module.source.text


def test_a_network_trains_as_in_the_fresh_layout():
    losses, values, _ = trained("fresh")
    others, planned, text = trained("planned")
    assert "4, 6, 6, batch" in text
    np.testing.assert_allclose(losses, others, rtol=1e-5)
    for one, other in zip(values, planned, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_allclose(one[name], other[name], rtol=2e-3, atol=2e-5, err_msg=name)


def test_of_equal_values_the_first_in_a_window_takes_the_gradient():
    x = gx.input("x", ("n", 1, 4, 6), dtype="float64")
    y = gx.max_pool(x, (2, 3))
    gradient = gx.grad(gx.sum(y * gx.const(np.arange(1.0, 5).reshape(2, 2))), x)
    values = RANDOM.integers(0, 3, (50, 1, 4, 6)).astype(float)
    fresh, planned = (gx.compile(gradient, layout=layout)(values) for layout in ("fresh", "planned"))
    np.testing.assert_array_equal(fresh, planned)
    assert (fresh[values == values] > 0).sum() == 50 * 4


def test_parts_of_a_pool_are_written_where_they_belong():
    """Nothing joins them; behind the last window there are zeros, at every step."""
    x = gx.input("x", (3, 7, 6, "n"), dtype="float64")
    parts = [gx.sin(x[:, i::2, j::2][:, :3, :3]) for i in range(2) for j in range(2)]
    whole = CARDS["weave"](*parts, shape=(3, 7, 6, x.shape[3]), axis=(1, 2), window=(2, 2))
    program = gx.compile(gx.tanh(whole) + gx.tanh(gx.exp(x)), layout="planned")
    assert "_weave(" not in program.source.partition("def run")[2]
    assert "_clear(" in program.source.partition("def run")[2]
    for _ in range(2):
        value = RANDOM.normal(size=(3, 7, 6, 2))
        cut = value.copy()
        cut[:, 6:] = 0
        np.testing.assert_allclose(program(value), np.tanh(np.sin(cut)) + np.tanh(np.exp(value)))


def test_a_part_that_is_read_later_is_no_piece():
    x = gx.param("x", (3, 4), dtype="float64")
    parts = [gx.sin(x), gx.cos(x)]
    whole = CARDS["weave"](*parts, shape=(6, 4), axis=(0,), window=(2,))
    outputs = [gx.tanh(whole), gx.tanh(gx.exp(parts[0] + gx.sum(gx.tanh(whole))))]
    value = RANDOM.normal(size=(3, 4))
    fresh, planned = (gx.compile(outputs, layout=layout)(value) for layout in ("fresh", "planned"))
    for one, other in zip(fresh, planned, strict=True):
        np.testing.assert_allclose(one, other)


# -- values in another order ------------------------------------------------------------------------------------------


def at_order(*shape):
    return laid(gx.input("x", (3, 4, 5, "n"), dtype="float64"), [(3,), (0,), (1,), (2,)], 3)


@pytest.mark.parametrize("shape", [("n", 60), ("n", 3, 20), ("n", 3, 2, 2, 5), ("n", 1, 12, 5, 1)])
def test_the_same_elements_in_another_shape(shape):
    value = at_order()
    found = regrouped(value, gx.input("y", shape).shape)
    array = RANDOM.normal(size=(3, 4, 5, 2))
    expected = np.moveaxis(array, 3, 0).reshape([2 if d == "n" else d for d in shape])
    np.testing.assert_array_equal(gx.compile(declared(found))(array), expected)


def test_an_axis_that_cuts_through_a_stored_one_has_no_view():
    assert regrouped(at_order(), gx.input("y", ("n", 8, 15 // 2)).shape) is None
    assert regrouped(plainly(gx.input("x", (6,))), (4, 2)) is None
    assert regrouped(plainly(gx.input("x", (6,))), (2, 2)) is None


def test_an_axis_is_split_where_sizes_divide():
    value = split(plainly(gx.input("x", (12, "n"))), 0, (3, 4))
    assert value.axes == ((0, 1), (2,))
    assert str(value.shape) == "(12, n)"
    assert refined(plainly(gx.input("x", (12,))), 0, (4, 3)).axes == ((0, 1),)
    assert refined(value, 0, (5, 2)) is None


def test_sizes_that_two_factorings_share():
    assert common_dims((4, 3), (2, 6)) == (2, 2, 3)
    assert common_dims((4, 3), (3, 4)) is None
    assert common_dims((4,), (2, 2)) == (2, 2)
    assert common_dims((4,), (2,)) is None
