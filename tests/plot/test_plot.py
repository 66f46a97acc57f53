"""Plots: the numbers that are drawn, the axes that are given, and one line where matplotlib is missing."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

import graphc as gx
from docs.plots import make
from graphc import nn, optim
from graphc.errors import ArgumentError, DataError, MissingDependency, ShapeError, UnknownNameError
from graphc.runtime.figures import COLOURS, new_figure
from tests.support import REPO


def axes():
    return new_figure(3, 3).subplots()


@pytest.fixture(scope="module")
def moons():
    data = gx.datasets.moons(rows=60, seed=0)
    x, t = gx.input("x", ("batch", 2)), gx.input("t", ("batch",), dtype="int64")
    scores = nn.dense(nn.dense(x, 6, activation="tanh", name="first"), 2, name="scores")
    model = gx.Model(scores, nn.cross_entropy(scores, t), metrics=["accuracy"], optimizer=optim.adam(0.05))
    model.fit(data, epochs=5, validation_data=data, verbose=False)
    return model, data


def each(moons):
    model, data = moons
    search = gx.train.RateSearch((0.1, 0.2), (1.0, 2.0), (1.0, 2.0), 0.1)
    return {
        "history": lambda **o: gx.plot.history(model.history, **o),
        "activation": lambda **o: gx.plot.activation("tanh", **o),
        "schedule": lambda **o: gx.plot.schedule(optim.schedules.constant(0.1), **o),
        "rate_search": lambda **o: gx.plot.rate_search(search, **o),
        "decision_boundary": lambda **o: gx.plot.decision_boundary(model, data, points=9, **o),
        "confusion_matrix": lambda **o: gx.plot.confusion_matrix(model.predict(data.x), data.y, **o),
        "gradient_flow": lambda **o: gx.plot.gradient_flow(model, data, **o),
        "loss_surface": lambda **o: gx.plot.loss_surface(model, data, points=3, **o),
    }


def test_every_plot_is_tried_here_and_in_the_gallery(moons):
    plots = set(gx.plot.__all__) - {"Surface", "measured_surface"}
    assert plots == set(each(moons)) == set(make.PICTURES)
    page = (REPO / "docs" / "plots.md").read_text(encoding="utf-8")
    for name in plots:
        assert f"plots/{name}.png" in page
        assert (REPO / "docs" / "plots" / f"{name}.png").stat().st_size > 5000


@pytest.mark.parametrize("name", sorted(make.PICTURES))
def test_a_plot_draws_into_the_axes_it_is_given_or_into_new_ones(name, moons):
    mine = axes()
    assert each(moons)[name](ax=mine) is mine
    assert mine.has_data()
    other = each(moons)[name]()
    assert other.figure is not mine.figure
    assert not other.spines["top"].get_visible()


@pytest.mark.parametrize("name", sorted(make.PICTURES))
def test_without_matplotlib_there_is_one_line(name, moons, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingDependency, match="plots need matplotlib"):
        each(moons)[name]()


def test_a_history_is_drawn_with_validation_dashed(moons):
    ax = gx.plot.history(moons[0].history, log=True, ax=axes())
    plain, dashed = ax.lines
    assert [plain.get_label(), dashed.get_label()] == ["loss", "val_loss"]
    np.testing.assert_array_equal(plain.get_ydata(), moons[0].history["loss"])
    assert plain.get_color() == dashed.get_color() == COLOURS[0]
    assert plain.get_linestyle() != dashed.get_linestyle()
    assert ax.get_yscale() == "log"
    assert all(float(at).is_integer() for at in ax.get_xticks())
    with pytest.raises(UnknownNameError):
        gx.plot.history(moons[0].history, ["f1"], ax=axes())


def test_a_function_of_ones_own_is_drawn_with_its_derivative():
    ax = gx.plot.activation(gx.scalar_function("cube", "x**3"), reach=2, ax=axes())
    at = ax.lines[2].get_xdata()
    np.testing.assert_allclose(ax.lines[2].get_ydata(), at**3, rtol=1e-12)
    np.testing.assert_allclose(ax.lines[3].get_ydata(), 3 * at**2, rtol=1e-12)
    assert ax.lines[2].get_label() == "cube"


def test_what_has_no_curve_is_refused():
    with pytest.raises(ArgumentError, match="whole row"):
        gx.plot.activation("softmax")
    with pytest.raises(UnknownNameError):
        gx.plot.activation("sotfplus")
    with pytest.raises(ArgumentError, match="of its shape"):
        gx.plot.activation(lambda x: gx.sum(x))
    with pytest.raises(ArgumentError, match="reach"):
        gx.plot.activation("relu", reach=0)


def test_the_gradients_that_flow_are_those_of_the_loss(moons):
    model, data = moons
    ax = gx.plot.gradient_flow(model, data, ax=axes())
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert names == ["first.W", "first.b", "scores.W", "scores.b"]
    w = model.graph.leaf("first.W")
    program = gx.compile(gx.grad(model.loss, w))
    drawn = program(x=data.x, t=data.y, **model.params)
    assert ax.lines[0].get_ydata()[0] == pytest.approx(np.abs(drawn).mean(), rel=1e-5)


def test_a_gradient_of_zero_is_written_as_one():
    x = gx.input("x", ("n", 2))
    y = nn.dense(gx.relu(nn.dense(x, 3, name="dead") - 100), 1, name="last")
    ax = gx.plot.gradient_flow(
        gx.Model(y, nn.mse(y, gx.input("t", ("n", 1)))), np.eye(2), np.ones((2, 1)), ax=axes()
    )
    assert [text.get_text() for text in ax.texts] == [
        "0",
        "0",
        "0",
    ]  # of the last layer, only the bias is left


def test_a_seed_that_is_none_is_refused(moons):
    model, data = moons
    with pytest.raises(gx.errors.ArgumentError, match="seed is an int of at least 0"):
        gx.plot.measured_surface(model, data, points=3, seed=-1)


def test_predictions_that_are_no_numbers_are_refused():
    with pytest.raises(gx.errors.DataError, match="the predictions hold nan"):
        gx.plot.confusion_matrix(np.array([np.nan, 1.0]), np.array([0, 1]))


def test_without_matrices_the_vectors_are_the_weights():
    from graphc.plot.surface import directions_for

    params = {"w": np.array([3.0, 4.0]), "b": np.float64(1)}
    first, _ = directions_for(params, seed=0)
    assert np.linalg.norm(first["w"]) == pytest.approx(5)
    assert first["b"] == 0


def test_directions_are_as_long_as_the_filters_they_move():
    from graphc.plot.surface import directions_for

    rng = np.random.default_rng(1)
    params = {"W": rng.normal(size=(3, 3, 2, 5)), "b": np.ones(5), "s": np.float32(2)}
    for direction in directions_for(params, seed=0):
        theta, moved = (np.linalg.norm(a.reshape(-1, 5), axis=0) for a in (params["W"], direction["W"]))
        np.testing.assert_allclose(moved, theta, rtol=1e-12)
        assert not direction["b"].any()
        assert direction["s"] == 0
    first, second = directions_for(params, seed=0)
    assert abs((first["W"] * second["W"]).sum()) < 0.5 * (params["W"] ** 2).sum()


def test_the_middle_of_a_surface_is_the_model_and_the_rest_is_around_it(moons):
    from graphc.plot.surface import directions_for

    model, data = moons
    before = model.params
    found = gx.plot.measured_surface(model, data, reach=0.5, points=3, seed=4)
    assert found.loss[1, 1] == pytest.approx(model.evaluate(data)["loss"], rel=1e-6)
    first, second = directions_for(before, 4)
    moved = {k: (v + 0.5 * first[k] - 0.5 * second[k]).astype("float32") for k, v in before.items()}
    other = model.evaluate(data)
    model.set_params(moved)
    assert found.loss[0, 2] == pytest.approx(model.evaluate(data)["loss"], rel=1e-6)
    model.set_params(before)
    assert model.evaluate(data) == other
    assert repr(found).startswith("<surface of 3 x 3 losses from ")


def test_a_surface_is_drawn_into_three_dimensions(moons):
    ax = new_figure(3, 3).add_subplot(projection="3d")
    assert gx.plot.loss_surface(*moons, points=3, ax=ax) is ax
    assert ax.get_zlabel() == "loss"


@pytest.mark.parametrize("options", [{"points": 1}, {"points": True}, {"reach": 0.0}])
def test_a_grid_that_is_none_is_refused(moons, options):
    with pytest.raises(ArgumentError, match="grid"):
        gx.plot.loss_surface(*moons, **options)


def test_one_number_is_a_class_above_its_threshold():
    x, t = gx.input("x", ("n", 2)), gx.input("t", ("n", 1))
    y = nn.dense(x, 1, name="line")
    model = gx.Model(y, nn.binary_cross_entropy(y, t))
    model.set_params({"line.W": [[1.0], [0.0]], "line.b": [0.0]})
    at = np.array([[-1.0, 0.0], [1.0, 0.0]])
    ax = gx.plot.decision_boundary(model, at, np.array([0.0, 1.0]), points=11, ax=axes())
    lines = [c for c in ax.collections if type(c).__name__ == "QuadContourSet" and not c.filled]
    for line in lines:  # x₁ = 0
        assert abs(line.get_paths()[0].vertices[:, 0]).max() < 1e-6
    assert len(lines) == 2


def test_data_that_fit_no_plane_are_refused(moons):
    model, data = moons
    with pytest.raises((ShapeError, DataError)):
        gx.plot.decision_boundary(model, np.ones((3, 5)), np.zeros(3, dtype=int))
    with pytest.raises(ArgumentError, match="points"):
        gx.plot.decision_boundary(model, data, points=1)


def test_a_table_has_the_counts():
    ax = gx.plot.confusion_matrix([0, 1, 1, 1], [0, 0, 1, 1], names=["cat", "dog"], ax=axes())
    assert [t.get_text() for t in ax.texts] == ["1", "1", "·", "2"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["cat", "dog"]
    shares = gx.plot.confusion_matrix([0, 1, 1, 1], [0, 0, 1, 1], share=True, ax=axes())
    assert [t.get_text() for t in shares.texts] == ["50%", "50%", "·", "100%"]
    with pytest.raises(ArgumentError, match="a name for each class"):
        gx.plot.confusion_matrix([0, 1], [0, 1], names=["cat"])


def test_an_interactive_figure_is_one_of_pyplot(monkeypatch):
    import matplotlib.pyplot as plt

    monkeypatch.setattr(plt, "isinteractive", lambda: True)
    ax = gx.plot.activation("relu")
    assert plt.get_fignums()
    plt.close(ax.figure)
    monkeypatch.setattr(plt, "isinteractive", lambda: False)
    gx.plot.activation("relu")
    assert not plt.get_fignums()


def rendered(figure):
    figure.savefig(io.BytesIO(), format="png", dpi="figure")


def history_of(**columns):
    length = max(map(len, columns.values()), default=0)
    rows = [{"epoch": i + 1, **{k: v[i] for k, v in columns.items()}} for i in range(length)]
    return gx.train.History(rows)


NAN, INF = float("nan"), float("inf")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("log", [False, pytest.param(True, marks=pytest.mark.full)])
@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"loss": [0.5], "val_loss": [0.7]},
        {"loss": [NAN, NAN], "val_loss": [NAN, NAN]},
        {"loss": [1.0, NAN, 0.5]},
        {"loss": [1.0, INF, -INF]},
        {"loss": [1e300, 1e308]},
        {"a $ of _metric_": [0.1, 0.2], "loss": [2.0, 1.0]},
    ],
)
def test_any_history_is_drawn_without_a_warning(columns, log):
    history = history_of(**columns)
    ax = gx.plot.history(history, log=log)
    rendered(ax.figure)
    remarks = [text.get_text() for text in ax.texts]
    finite = any(np.isfinite(v) and abs(v) < 1e301 for v in columns.get("loss", []))
    assert remarks == ([] if finite else ["nothing finite to draw" if columns else "no epoch yet"])


def test_one_epoch_of_training_and_of_validation_are_told_apart():
    ax = gx.plot.history(history_of(loss=[0.5], val_loss=[0.7]))
    assert [line.get_fillstyle() for line in ax.lines] == ["full", "none"]
    rendered(ax.figure)
    assert all(float(tick).is_integer() for tick in ax.get_xticks())


@pytest.mark.filterwarnings("error")
def test_thirty_metrics_fit():
    history = history_of(loss=[1.0, 0.5], **{f"metric_{i}": [i, i + 1] for i in range(30)})
    figure = history.figure()
    rendered(figure)
    metrics = figure.axes[1]
    assert metrics.get_ylabel() == "metrics"
    box, page = metrics.get_legend().get_window_extent(), figure.bbox
    assert page.y0 <= box.y0 <= box.y1 <= page.y1
    assert history._repr_svg_()


@pytest.mark.parametrize(
    "draw",
    [
        lambda: gx.plot.history(None),
        lambda: gx.plot.history({}),
        lambda: gx.plot.history(history_of(loss=[1.0]), 3),
        lambda: gx.plot.history(history_of(loss=[-1.0]), log=True),
        lambda: gx.plot.history(history_of(loss=[1.0]), ax=3),
        lambda: gx.plot.history(history_of(loss=[1.0]), ax=np.array([None, None])),
        lambda: gx.plot.history(history_of(loss=[1.0]), ax=new_figure(3, 3)),
        lambda: gx.plot.activation(3),
        lambda: gx.plot.activation("tanh", "far"),
        lambda: gx.plot.schedule(0.1),
        lambda: gx.plot.rate_search(None),
        lambda: gx.plot.confusion_matrix([0, 1], [0, 1], names=3),
        lambda: gx.plot.decision_boundary(None, np.zeros((3, 2)), [0, 1, 1]),
        lambda: gx.plot.gradient_flow(None, np.zeros((3, 2)), [0, 1, 1]),
        lambda: gx.plot.loss_surface(None, np.zeros((3, 2)), [0, 1, 1]),
    ],
    ids=map(str, range(15)),
)
def test_what_cannot_be_plotted_is_refused(draw):
    with pytest.raises(ArgumentError):
        draw()


def test_a_column_may_be_one_name():
    assert len(gx.plot.history(history_of(loss=[1.0, 0.5]), "loss").lines) == 1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "names", [["$\\frac{$", "_"], ["a\nb", "n" * 200], ["<b>", "a rather long name of a class"]]
)
def test_any_name_of_a_class_is_text(names):
    ax = gx.plot.confusion_matrix([0, 1], [0, 1], names=names)
    rendered(ax.figure)
    for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        extent = label.get_window_extent()
        assert ax.figure.bbox.x0 <= extent.x0
        assert ax.figure.bbox.y0 <= extent.y0


@pytest.mark.parametrize(("prediction", "target"), [([0, 0], [0, 0]), ([0], [0]), ([], [])])
def test_a_table_of_one_class(prediction, target):
    ax = gx.plot.confusion_matrix(np.array(prediction, int), np.array(target, int))
    assert len(ax.get_xticks()) == 1


@pytest.mark.filterwarnings("error")
def test_a_function_is_drawn_where_it_is_defined():
    ax = gx.plot.activation(gx.log)
    value = ax.lines[-2].get_ydata()
    assert np.isfinite(value[-1])
    assert not np.isfinite(value[0])


@pytest.mark.filterwarnings("error")
def test_a_model_of_one_value_has_a_flat_surface(moons):
    model, data = moons
    still = model.params
    rendered(gx.plot.loss_surface(model, data.x[:4] * 0, data.y[:4], points=3).figure)
    assert all((model.params[k] == v).all() for k, v in still.items())


def test_a_boundary_needs_examples_but_no_loss(moons):
    model, data = moons
    x = gx.input("x", ("batch", 2))
    plain = gx.Model(nn.dense(x, 2, name="scores"))
    assert gx.plot.decision_boundary(plain, data.x, data.y, points=5).has_data()
    with pytest.raises(DataError, match="no examples"):
        gx.plot.decision_boundary(model, data.x[:0], data.y[:0])


@pytest.mark.parametrize("name", sorted(make.PICTURES))
def test_texts_are_read_on_a_dark_page_too(name, moons):
    from matplotlib import colors, style

    with style.context("dark_background"):
        ax = each(moons)[name](ax=axes())
        texts = [ax.xaxis.label, ax.yaxis.label, *ax.get_xticklabels()]
    assert all(min(colors.to_rgb(text.get_color())) > 0.6 for text in texts)
