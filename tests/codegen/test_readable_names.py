"""Listings that can be read aloud: names say what a value is, headings group, comments say what lines are for."""

from __future__ import annotations

import builtins
import keyword
import re

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim


def classifier(h, **settings):
    t = gx.input("t", ("batch",), dtype="int64")
    return gx.Model(h, nn.cross_entropy(h, t), optimizer=optim.adam(1e-3), **settings)


def convolutional():
    x = gx.input("x", ("batch", 1, 8, 8))
    h = nn.max_pool(nn.conv2d(x, 8, 3, activation="relu", name="conv1"), 2, name="pool1")
    h = nn.flatten(nn.conv2d(h, 8, 2, activation="relu", name="conv2"))
    return classifier(nn.dense(h, 10, name="output"), name="cnn")


def normed():
    x = gx.input("x", ("batch", 64))
    h = gx.relu(nn.batch_norm(nn.dense(x, 32, name="first"), name="bn"))
    return classifier(nn.dense(nn.dropout(h, 0.5), 10, name="output"), name="normed")


def recurrent():
    x = gx.transpose(gx.input("x", ("batch", 5, 3)), (1, 0, 2))
    W, U = gx.param("W", (3, 8)), gx.param("U", (4, 8))

    def step(h, row):
        z = row @ W + h @ U
        h = gx.tanh(z[:, :4]) * gx.sigmoid(z[:, 4:])
        return h, h

    last, _ = gx.scan(step, gx.zeros(("batch", 4)), x)
    return classifier(nn.dense(last, 3, name="output"), name="recurrent")


MODELS = {"convolutional": convolutional, "normed": normed, "recurrent": recurrent}


@pytest.fixture(scope="module", params=MODELS)
def listings(request):
    model = MODELS[request.param]()
    return request.param, model.source(), model.source(layout="planned")


def section(text: str, name: str) -> str:
    return text.partition(f"def {name}(")[2].partition("\ndef ")[0]


def assigned(text: str) -> list[str]:
    return re.findall(r"^ +(\w+) = ", text, re.MULTILINE)


def test_a_view_goes_by_the_name_of_its_operand(listings):
    _, fresh, planned = listings
    names = {*assigned(section(fresh, "forward")), *assigned(section(planned, "plan_step"))}
    words = "reshape|transpose|slice|squeeze|expand_dims|sliding_windows|broadcast_to|getitem"
    assert not [name for name in names if re.fullmatch(rf"(d_)?({words})(_\d+)?", name)]


def test_nothing_is_transposed_twice(listings):
    assert "_T_T" not in listings[2]


def test_a_transposition_that_only_another_one_reads_is_not_made():
    step = section(convolutional().source(layout="planned"), "plan_step")
    assert not [
        name for name in assigned(step) if len(re.findall(rf"\b{name}\b", step)) == 1 and "_T" in name
    ]


def test_names_of_windows_slices_and_matrices_of_a_convolution():
    step = section(convolutional().source(layout="planned"), "plan_step")
    for name in ("conv1_W_2d", "conv1_b_4d", "conv2_h_2d", "pool1_h_windows", "d_conv2_z_2d", "larger_at_0"):
        assert f"    {name} = " in step


def test_functions_have_their_own_names(listings):
    step = section(listings[2], "plan_step")
    aliases = re.findall(r"^    (\w+) = np\.([a-z_0-9.]+)$", step, re.MULTILINE)
    assert ("sqrt", "sqrt") in aliases
    assert [(name, path) for name, path in aliases if name != path.replace(".", "_")] == []


def test_a_value_that_its_user_called_like_a_function_keeps_its_name():
    x, w = gx.input("x", ("batch", 3)), gx.param("w", (3,))
    y = gx.tanh(x @ w).named("exp")
    model = gx.Model(y, gx.mean(gx.exp(y)), optimizer="adam")
    step = section(model.source(layout="planned"), "plan_step")
    assert "np_exp = np.exp" in step
    assert "out=exp)" in step


def test_no_name_hides_a_builtin_or_a_keyword(listings):
    own = {*dir(builtins), *keyword.kwlist, "np"}
    assert not own.intersection(assigned(listings[2]) + assigned(listings[1]))


def test_headings_do_not_alternate(listings):
    """One or two lines of a layer between two runs of another one stand under its heading, and say so."""
    lines = section(listings[2], "plan_step").partition("def step(")[2].split("\n")
    found = [(i, line.strip()) for i, line in enumerate(lines) if line.strip().startswith("# backward, ")]
    for (i, a), (j, _), (_, c) in zip(found, found[1:], found[2:], strict=False):
        after = found[[k for k, _ in found].index(j) + 1][0]
        assert a != c or after - j > 3, (i, a)


def test_a_line_of_another_layer_says_so_at_its_end():
    step = section(normed().source(layout="planned"), "plan_step")
    assert re.search(r"# \[32\], of first$", step, re.MULTILINE)


def test_views_and_arrays_have_comments():
    step = section(convolutional().source(layout="planned"), "plan_step")
    assert "    conv1_b_4d = conv1_b.reshape(8, 1, 1, 1)  # [8, 1, 1, 1]  view\n" in step
    assert "    conv2_h = conv2_z  # the same array\n" in step
    for heading in ("functions, looked up once", "parameters, gradients and slots"):
        assert f"    # {heading}" in step


def test_the_gradient_of_a_bias_says_what_it_is_the_sum_over():
    fresh, planned = convolutional().source(), convolutional().source(layout="planned")
    assert "dL/d(output.b): sum over batch" in section(fresh, "backward")
    assert "dL/d(conv2.b): sum over 4×batch" in section(planned, "plan_step")
    assert "dL/d(conv1.b): chain rule of reshape" not in fresh + planned


def test_what_is_copied_into_a_gradient_has_a_name_beside_it():
    assert "d_conv1_W[...] = d_conv1_W_value" in convolutional().source(layout="planned")


@pytest.mark.parametrize(
    "name",
    sorted({*optim.OPTIMIZERS} - {"radam"}),  # 2 / (1 - 0.999) - 1 is no short number
)
def test_constants_have_no_noise_of_floats(name):
    x, t = gx.input("x", ("batch", 3)), gx.input("t", ("batch",))
    y = x @ gx.param("w", (3,))
    text = gx.Model(y, nn.mse(y, t), optimizer=name).source(layout="planned")
    assert not re.findall(
        r"\d\.\d*(?:0000000|9999999)\d+", section(text, "update") + section(text, "plan_step")
    )


def test_names_do_not_depend_on_what_was_generated_before():
    first = convolutional().source(layout="planned")
    recurrent().source(layout="planned")
    assert convolutional().source(layout="planned") == first


def test_planned_steps_compute_what_fresh_ones_do():
    model = recurrent()
    rng = np.random.default_rng(0)
    x, t = rng.random((6, 5, 3), np.float32), rng.integers(0, 3, 6)
    losses = []
    for layout in ("fresh", "planned"):
        module = model.module("adam", layout)
        values = module.init(1)
        for _ in range(3):
            *values, loss = module.train_step(*values, x, t)
        losses.append(loss)
    assert np.isclose(*losses, rtol=1e-5)


def test_what_is_of_no_layer_does_not_stand_under_the_heading_of_one():
    lines = section(recurrent().source(layout="planned"), "plan_step").split("\n")
    headings = [line.strip() for line in lines if line.strip().startswith("# backward")]
    assert headings == ["# backward, output", "# backward"]
