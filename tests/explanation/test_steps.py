"""Explanations: each step of the chain rule, with what was used and why."""

from __future__ import annotations

import pytest

import graphc as gx
from graphc import nn


def model():
    x = gx.input("x", ("batch", 4))
    t = gx.input("t", ("batch",), dtype="int64")
    h = nn.dense(x, 5, activation="tanh", name="first")
    logits = nn.dense(h, 3, name="second")
    return gx.Model(logits, nn.cross_entropy(logits, t), name="m")


def test_a_parameter_is_explained_from_the_loss_back():
    explanation = model().explain("first.W")
    formulas = [step.formula.split(" = ")[0] for step in explanation.steps]
    assert formulas == ["d_second_z", "d_first_h", "d_first_z", "d_first_W"]
    assert "dL/d(first.W): float32[4, 5], in 4 steps" in str(explanation)


def test_steps_name_rule_operand_formula_and_line():
    text = str(model().explain("first.W"))
    assert "chain rule of tanh at first.h, operand x: 1 - out**2" in text
    assert "chain rule of matmul, operand b: transpose of matmul" in text
    assert "rewritten by probability-minus-target (stable)" in text
    assert 'h = nn.dense(x, 5, activation="tanh", name="first")' in text


def test_facts_that_were_used_are_shown():
    x, t = gx.input("x", ("n", 3)), gx.input("t", ("n",), dtype="int64")
    g = gx.grad(nn.cross_entropy(x, t), x)
    assert "softmax" in str(gx.explain(g))


def test_unbroadcast_and_accumulation_are_said():
    x, b = gx.input("x", ("n", 3)), gx.param("b", (3,))
    loss = gx.sum(gx.square(x + b) * b)
    text = str(gx.Model(x + b, loss).explain("b"))
    assert "used 2 times, so 2 gradients are added" in text
    assert "stretched in the forward pass, so summed back to [3]" in text


def test_a_parameter_without_a_path_is_said_to_have_none():
    x, w = gx.input("x", ("n",)), gx.param("w", ())
    unused = gx.param("unused", (2,))
    y = x * w
    m = gx.Model({"y": y, "u": unused}, gx.sum(gx.square(y)))
    assert "no path leads from the loss to unused" in str(m.explain("unused"))


def test_markdown_has_a_line_per_step():
    markdown = model().explain("second.b").markdown
    assert markdown.startswith("### dL/d(second.b)")
    assert "1. `d_second_z = " in markdown


def test_unknown_parameters_list_near_names():
    with pytest.raises(gx.GraphcError, match=r"first\.W"):
        model().explain("first.w")


def test_only_nodes_are_explained():
    with pytest.raises(gx.GraphcError, match="takes a node"):
        gx.explain(3.0)


def test_a_composite_goes_by_its_own_name() -> None:
    x = gx.input("x", (), dtype="float64")
    wrong = gx.composite("cubish", lambda x: x * x * x, gradient=lambda d, x: 2 * d * x)
    y = wrong(x)
    assert repr(y) == "<cubish: float64[]>"
    assert "chain rule of cubish at y, operand xs0: gradient of cubish" in str(gx.explain(gx.grad(y, x)))
    assert "suspect: cubish (y), declared at" in str(gx.check_grad(y, x, {"x": 2.0}))


def test_a_loop_is_explained_as_the_lines_that_run():
    x, w = gx.input("x", ("n",)), gx.param("w", ())
    h, _ = gx.scan(lambda h, x: (gx.tanh(x * w + h), None), gx.const(0.0), x)
    model = gx.Model(outputs=h, loss=gx.square(h), name="loop")
    text = str(model.explain("w"))
    assert "for t" in text
    assert "d_w = d_w + " in text
    assert "chain rule of scan at h, operand w: gradient of scan" in text
    assert "```python" in model.explain("w").markdown


def test_a_forward_value_is_declared_itself() -> None:
    x = gx.input("x", (3,))
    h = gx.tanh(x).named("h")
    forward, *_, backward = gx.explain(gx.grad(gx.sum(gx.sin(h)), x)).steps
    assert (forward.formula, forward.place) == ("h = np.tanh(x)", "declared at")
    assert backward.place == "forward value declared at"


def test_a_loop_has_no_single_type_behind_its_first_line():
    u, W = gx.input("u", ("time", 3)), gx.param("W", (3, 3))
    h, _ = gx.scan(lambda h, x: (gx.tanh(x + h @ W), h), gx.zeros((3,)), u)
    text = str(gx.explain(gx.grad(gx.sum(h), W)))
    loop = next(i for i, line in enumerate(text.split("\n")) if "for t" in line)
    lines = text.split("\n")
    first = max(i for i in range(loop) if lines[i].lstrip()[:1].isdigit())
    assert not lines[first].endswith("]")
