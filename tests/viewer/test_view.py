"""The file that ``view`` writes: whole, offline, and with everything linked."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import graphc as gx
from graphc import nn
from graphc.errors import ArgumentError, GraphcError
from graphc.viewer import view
from graphc.viewer.content import content_of
from graphc.viewer.values import summary
from tests.render.test_equations import MODELS


def two_layers():
    x, t = gx.input("x", ("batch", 4)), gx.input("t", ("batch",), dtype="int64")
    z = nn.dense(nn.dense(x, 5, activation="tanh", name="hidden"), 3, name="output")
    return gx.Model(z, nn.cross_entropy(z, t), name="two")


def data_of(page):
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', page.html, re.DOTALL)[1]
    )


def content(what, **options):
    return content_of(what, **{"level": None, "mode": None, "updates": False, **options})


def test_nothing_in_the_file_leads_out_of_it():
    html = two_layers().view().html
    assert re.findall(r'(?:src|href|action)="(?!#)', html) == []
    assert "@import" not in html
    assert re.findall(r"url\((?!#)", html) == []
    outside = set(re.findall(r"https?://[^\s\"'<]+", html))
    assert outside <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_the_policy_names_the_very_style_and_script_of_the_file():
    import base64
    import hashlib

    quote = "'"
    html = two_layers().view().html
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
    for kind in ("style", "script"):
        texts = re.findall(rf"<{kind}>(.*?)</{kind}>", html, re.DOTALL)
        hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
        assert f"{kind}-src {' '.join(f'{quote}sha256-{h}{quote}' for h in hashes)};" in policy
    assert policy.startswith("default-src 'none'")


def test_every_computed_box_has_its_equation_and_its_line():
    data = data_of(two_layers().view())
    computed = [box for box in data["boxes"].values() if box["formula"] and box["title"] != "∂loss"]
    assert len(computed) == 11
    assert all(box["equations"] and box["lines"] for box in computed)


@pytest.mark.parametrize("title", ["z₁", "∂z₁", "∂W₂", "∂b₁"])
def test_the_equation_of_a_box_has_the_name_of_the_box(title):
    found = content(two_layers())
    (box,) = [b for b in found.figure.boxes if b.title == title]
    equation = found.system.equations[found.equations[box.key][0] - 1]
    assert equation.node is found.figure.nodes[box.key][-1]


def test_a_bias_whose_gradient_is_another_has_its_own_equation():
    x, t = gx.input("x", (3,)), gx.input("t", (3,))
    w, b = gx.param("w", (3,)), gx.param("b", (3,))
    found = content(gx.sum(gx.square(x * w + b - t)))
    titles = {b.key: b.title for b in found.figure.boxes}
    copies = [titles[key] for key in found.figure.copies]
    assert copies
    assert all(found.equations[key] for key in found.figure.copies)


def test_a_loop_is_linked_to_all_its_lines_and_equations():
    xs, W = gx.input("xs", ("time", 3)), gx.param("W", (3, 3))
    h, _ = gx.scan(lambda h, x: (gx.tanh(h @ W + x).named("h"), None), gx.zeros((3,)), xs)
    found = content(gx.sum(h))
    key = {b.title: b.key for b in found.figure.boxes}
    text = found.source.text.split("\n")
    forward, back = ([text[n - 1].strip() for n in found.lines[key[t]]] for t in ("h", "backward loop"))
    assert any(line.startswith("for t in range(") for line in forward)
    assert any("np.tanh(" in line for line in forward)
    assert any(" in reversed(range(time)):" in line for line in back)
    assert not set(forward) & set(back)
    assert found.equations[key["backward loop"]] == found.equations[key["∂v₁"]]


def test_the_steps_are_declaration_chain_rule_rewrites_and_lines():
    steps = data_of(two_layers().view())["steps"]
    assert list(dict.fromkeys(s["phase"] for s in steps)) == [
        "declared",
        "chain rule",
        "rewrites",
        "fusion",
        "runs",
        "slots",
    ]
    born = [key for s in steps for key in s.get("born", ())]
    assert len(born) == len(set(born))
    rule = next(s for s in steps if s["text"].startswith("probability-minus-target"))
    assert "softmax" in rule["before"]
    assert rule["before"] != rule["after"]


def test_every_box_is_born_once():
    page = data_of(two_layers().view())
    assert {str(key) for s in page["steps"] for key in s.get("born", ())} == set(page["boxes"])


def test_what_can_be_shown():
    x, w = gx.input("x", ("n", 3)), gx.param("w", (3,))
    y = gx.tanh(x @ w)
    loss = gx.mean(y)
    for what in (y, [y, loss], gx.graph_of(loss), gx.compile([loss, gx.grad(loss, w)]), {"a": y}):
        assert data_of(view(what))["boxes"]
    assert "nothing to derive" in view(y).html
    assert "∂w" in {box["title"] for box in data_of(view(loss))["boxes"].values()}
    with pytest.raises(ArgumentError):
        view(3)


def test_a_view_of_200_boxes_is_less_than_a_megabyte():
    h = gx.input("x", ("batch", 8))
    for i in range(31):
        h = nn.dense(h, 8, activation="tanh", name=f"layer{i}")
    page = view(gx.Model(h, gx.mean(gx.square(h)), name="deep"))
    assert 200 < len(data_of(page)["boxes"]) <= 300
    assert len(page.html.encode()) < 1_000_000


def test_paths(tmp_path):
    model = two_layers()
    found = model.view(tmp_path / "a.html")
    assert found.path.read_text(encoding="utf-8") == found.html
    assert "a.html" in repr(found)
    for path in ("a.svg", tmp_path / "no" / "a.html"):
        with pytest.raises(ArgumentError):
            model.view(path)
    with pytest.raises(ArgumentError, match="not written"):
        model.view().open()


# -- values -------------------------------------------------------------------------------------------------------


def test_statistics_are_those_of_numpy():
    array = np.array([[0.0, 1.0, np.nan], [np.inf, -3.0, 2.0]])
    found = summary(array)
    assert (found["bad"], found["nan"], found["shape"]) == (2, 1, [2, 3])
    assert (found["min"], found["max"], found["mean"]) == (-3.0, 2.0, 0.0)
    assert found["std"] == pytest.approx(np.std([0, 1, -3, 2]), rel=1e-4)
    assert found["zero"] == 0.25
    assert sum(found["bins"]) == 4


@pytest.mark.parametrize(
    "array", [np.zeros((0, 3)), np.array(2.0), np.full(3, np.nan), np.array([True, False])]
)
def test_statistics_of_odd_arrays(array):
    assert json.dumps(summary(array), allow_nan=False)


def test_the_values_of_a_batch_are_those_of_the_program():
    model = two_layers()
    random = np.random.default_rng(0)
    x, t = random.standard_normal((6, 4)).astype("float32"), random.integers(0, 3, 6)
    boxes = data_of(model.view(values=(x, t)))["boxes"].values()
    by_title = {box["title"]: box["values"] for box in boxes if "values" in box}
    assert by_title["z₂"]["max"] == pytest.approx(float(model.predict(x).max()), rel=1e-4)
    assert by_title["loss"]["mean"] == pytest.approx(model.evaluate(x, t)["loss"], rel=1e-4)
    assert by_title["∂W₁"]["shape"] == [4, 5]


@pytest.mark.parametrize(
    ("x", "t"),
    [
        (np.ones((6, 5)), [0] * 6),
        (np.ones((2, 6, 4)), [0] * 6),
        (np.ones((6, 4)), [0] * 5),
        (np.ones((6, 4)) * 1j, [0] * 6),
        ([["a"] * 4] * 6, [0] * 6),
        (np.ones((6, 4)), [3] * 6),
        (np.ones((6, 4)), [-1] * 6),
        (np.ones((6, 4)), [0.7] * 6),
        (np.ones((6, 4)), [np.nan] * 6),
        (np.ones((6, 4)), [None] * 6),
    ],
)
def test_a_batch_that_does_not_fit_is_refused_as_in_training(x, t):
    model = two_layers()
    model.optimizer = gx.optim.sgd(0.1)
    given = np.array(x), np.array(t)
    with pytest.raises(GraphcError) as shown:
        model.view(values=given)
    with pytest.raises(type(shown.value)):
        model.fit(*given, epochs=1, verbose=False)


def test_inputs_alone_are_enough_where_there_is_no_target():
    x = gx.input("x", ("batch", 4))
    model = gx.Model(nn.dense(x, 2, name="only"), gx.mean(gx.square(nn.dense(x, 2, name="other"))))
    ones = np.ones((6, 4))
    assert data_of(model.view(values=(ones,))) == data_of(model.view(values=ones))


def test_what_is_not_finite_is_let_through_and_counted():
    x = np.ones((6, 4))
    x[2, 1] = np.nan
    boxes = data_of(two_layers().view(values=(x, np.zeros(6, dtype=int))))["boxes"].values()
    assert next(box["values"]["nan"] for box in boxes if box["title"] == "x") == 1


def test_a_value_that_is_missing_is_named():
    with pytest.raises(ArgumentError, match="w has no value"):
        view(gx.mean(gx.input("x", (2,)) * gx.param("w", (2,))), values={"x": np.ones(2)})


def test_the_update_of_a_trained_model_is_shown_and_measured():
    model = two_layers()
    random = np.random.default_rng(0)
    x, t = random.standard_normal((6, 4)).astype("float32"), random.integers(0, 3, 6)
    model.fit(x, t, optimizer=gx.optim.momentum(0.1), epochs=1, batch_size=6, seed=0, verbose=False)
    page = model.view(values=(x, t), updates=True)
    boxes = data_of(page)["boxes"].values()
    assert sum("←" in box["formula"] for box in boxes) == 4
    assert next(box for box in boxes if box["title"] == "loss")["values"]["bad"] == 0


def test_without_an_engine_the_boxes_are_a_table(monkeypatch):
    from graphc.render import engines

    monkeypatch.setattr(engines, "ENGINES", {})
    page = two_layers().view()
    assert "<svg" not in page.html.partition("<aside")[0]
    assert "graphc[render]" in page.html
    assert set(re.findall(r'id="box(\d+)"', page.html)) == set(data_of(page)["boxes"])


def test_the_slots_of_a_planned_program_are_steps():
    page = data_of(two_layers().view())
    slots = [s for s in page["steps"] if s["phase"] == "slots"]
    assert slots
    assert all(s["text"].startswith(f"slot {i}: ") for i, s in enumerate(slots, 1))
    shared = next(s for s in slots if ", then " in s["text"])
    assert {page["boxes"][str(key)]["title"] for key in shared["boxes"]} >= {"z₁", "h"}
    assert not [s for s in data_of(two_layers().view(layout="fresh"))["steps"] if s["phase"] == "slots"]


def test_a_model_is_listed_as_it_trains_and_a_program_as_it_was_compiled():
    model = two_layers()
    assert "out=" in model.view().html
    x = gx.input("x", ("n", 3))
    value = gx.sum(gx.tanh(x) * x, axis=1)
    assert "out=" not in view(gx.compile(value)).html
    assert "out=" in view(gx.compile(value, layout="planned")).html
    assert "out=" not in view(value).html


def test_the_listing_begins_at_the_computations():
    page = two_layers().view()
    lines = re.findall(r'<div class="line" id="line\d+"><code>(.*?)</code>', page.html)
    assert "def</span> run(" in lines[data_of(page)["begin"] - 1]


def test_what_stands_together_is_a_step():
    """Regions whose form was chosen as a whole, and of a planned program the strips, or why there are none."""
    x = gx.input("x", ("n", 400))
    w = gx.param("w", (400,))
    loss = gx.mean(gx.square(gx.sigmoid(x * w) * gx.softplus(x)))
    page = data_of(view(gx.Model(gx.sigmoid(x * w), loss, name="wide")))
    steps = [s for s in page["steps"] if s["phase"] == "fusion"]
    strips = next(s for s in steps if "in strips" in s["text"])
    assert strips["boxes"]
    assert strips["line"]
    mish = data_of(view(gx.sum(gx.mish(x * w))))
    (region,) = [s for s in mish["steps"] if s["phase"] == "fusion"]
    assert region["text"].startswith("a pointwise region: ")
    assert region["boxes"]


def test_a_planned_program_is_linked_like_any_other():
    boxes = data_of(two_layers().view(layout="planned"))["boxes"].values()
    assert all(
        box["lines"] and box["equations"] for box in boxes if box["formula"] and box["title"] != "∂loss"
    )


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_every_box_of_every_model_is_linked(make):
    boxes = data_of(view(make()))["boxes"].values()
    for what in ("lines", "equations"):
        unlinked = [box["title"] for box in boxes if box["formula"] and not box[what]]
        assert [box["formula"] for box in boxes if box["title"] in unlinked] == ["1"]  # the seed
