"""Rows stand layer by layer, and a factor that a gradient is multiplied by between the two that it ties."""

from __future__ import annotations

import graphc as gx
from graphc import nn
from graphc.render import draw
from graphc.render.figure import BACKWARD, FACTORS, FORWARD


def layers(figure) -> list[str]:
    """The names of layers from above, each time a row is of another one than the row above it."""
    found = [".".join(row.layer) for row in figure.rows]
    return [name for i, name in enumerate(found) if i == 0 or found[i - 1] != name]


def attention() -> gx.Model:
    x, y = gx.input("x", ("batch", 6, 16)), gx.input("y", ("batch", 6, 16))
    q, k, v = (nn.dense(x, 16, name=name) for name in ("query", "key", "value"))
    h = nn.attention(q, k, v, name="attn")
    return gx.Model(h, nn.mse(h, y))


def test_a_layer_that_is_needed_late_stands_before_the_layer_that_reads_it() -> None:
    found = layers(draw(attention()).figure)
    assert [name for name in found if name] == ["key", "query", "value", "attn"]


def test_rows_stay_after_what_they_read() -> None:
    figure = draw(attention()).figure
    for edge in figure.edges:
        if edge.kind == "forward":
            assert figure.place[edge.tail][0] <= figure.place[edge.head][0]


def test_layers_that_read_each_other_stay_as_they_are_computed() -> None:
    """A layer that is used between two parts of another: neither can stand before the other."""
    x = gx.input("x", ("n", 4))
    with gx.scope("outer"):
        a = gx.tanh(x).named("a")
    with gx.scope("inner"):
        b = gx.exp(a).named("b")
    with gx.scope("outer"):
        c = gx.sin(b).named("c")
    assert [name for name in layers(draw(c).figure) if name] == ["outer", "inner", "outer"]


def test_the_derivative_of_an_activation_stands_between_the_value_and_its_gradient() -> None:
    x, y = gx.input("x", ("batch", 4)), gx.input("y", ("batch", 3))
    h = nn.dense(x, 3, activation="gelu", name="one")
    h = nn.dense(h, 3, name="two")
    figure = draw(gx.Model(h, nn.mse(h, y))).figure
    row = next(row for row in figure.rows if row.columns.get(FACTORS))
    (value,), (factor,), (gradient,) = (row.columns[c] for c in (FORWARD, FACTORS, BACKWARD))
    assert (value.title, gradient.title) == ("z₁", "∂z₁")
    assert factor.kind == "factor"
    ends = {(e.tail, e.head): e.kind for e in figure.edges}
    assert ends[value.key, factor.key] == "saved"
    assert ends[factor.key, gradient.key] == "backward"
    assert (value.key, gradient.key) not in ends  # a tie would run through the factor


def test_what_a_gradient_flows_through_is_no_factor() -> None:
    x = gx.input("x", ("batch", 8))
    h = nn.batch_norm(nn.dense(x, 8, name="one"), name="norm")
    z = nn.dense(gx.relu(h), 3, name="two")
    figure = draw(gx.Model(z, nn.cross_entropy(z, gx.input("t", ("batch",), dtype="int64")))).figure
    assert {b.kind for b in figure.boxes if b.title.startswith("∂") or b.title == "v₁"} == {
        "backward",
        "gradient",
    }


def test_one_nth_is_a_fraction_where_its_decimals_are_long() -> None:
    x = gx.input("x", ("n",))
    for value, text in ((1 / 6, "(1/6) x"), (0.25, "0.25 x"), (0.001, "0.001 x"), (2 / 3, "0.666667 x")):
        (box,) = (b for b in draw((x * value).named("y")).figure.boxes if b.title == "y")
        assert box.lines == (text,)
