"""The loop: history, plots, callbacks, Ctrl-C, the bar, and the first value that is not finite."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim
from graphc.errors import NonFiniteError
from tests.train.support import classifier, line, same, spirals

DATA = spirals()
QUIET = {"verbose": False, "batch_size": 16}


def test_history_has_a_row_per_epoch():
    model = classifier()
    history = model.fit(DATA, epochs=3, validation_data=DATA, **QUIET)
    assert history is model.history
    assert history.columns == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert history.last["val_loss"] == model.evaluate(DATA)["loss"]
    assert history.stopped == "all 3 epochs done"
    assert repr(history).startswith("<history of 3 epochs: loss ")
    with pytest.raises(gx.GraphcError, match="the history has no column 'f1'"):
        history["f1"]


def test_the_loss_of_an_epoch_is_the_mean_over_examples():
    model = line("float64").set_params({"line.W": [[0.0]], "line.b": [0.0]})
    x, y = np.zeros((5, 1)), np.array([[1.0], [1.0], [1.0], [1.0], [3.0]])
    history = model.fit(x, y, optimizer=optim.sgd(0.0), batch_size=4, shuffle=False, verbose=False)
    assert history["loss"] == [pytest.approx((4 * 1 + 9) / 5)]


def test_history_plots(tmp_path):
    pytest.importorskip("matplotlib")
    history = classifier().fit(DATA, epochs=3, validation_data=DATA, **QUIET)
    axes = history.plot()
    assert [drawn.get_label() for drawn in axes.get_lines()] == ["loss", "val_loss"]
    assert len(axes.get_figure().axes) == 2
    assert history.plot(axes) is axes
    for kind, head in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        path = history.save_plot(tmp_path / f"curves.{kind}")
        assert path.read_bytes().startswith(head)
    with pytest.raises(gx.GraphcError, match=r"a plot is a \.png, \.svg or \.pdf file"):
        history.save_plot(tmp_path / "curves.gif")
    with pytest.raises(gx.GraphcError, match="save_plot"):
        history.plot(tmp_path / "curves.png")
    assert len(list(tmp_path.iterdir())) == 3
    gx.History().plot()


def test_plots_without_matplotlib_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(gx.GraphcError, match="plots need matplotlib") as caught:
        classifier().history.plot()
    assert 'pip install "graphc[plot]"' in str(caught.value)


def test_callbacks_see_each_row_and_may_stop():
    seen = []

    def watch(model, row):
        seen.append((row["epoch"], model.params["output.b"].copy()))
        return row["epoch"] < 3

    model = classifier()
    history = model.fit(DATA, epochs=10, callbacks=[watch], **QUIET)
    assert [epoch for epoch, _ in seen] == [1, 2, 3]
    assert history.stopped == "a callback stopped it after epoch 3"
    np.testing.assert_array_equal(seen[-1][1], model.params["output.b"])


def test_ctrl_c_leaves_a_model_that_goes_on():
    def stop(model, row):
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    model = classifier(0.2)
    history = model.fit(DATA, epochs=5, optimizer=optim.adam(0.01), callbacks=[stop], **QUIET)
    assert history.stopped == "interrupted"
    model.fit(DATA, epochs=3, **QUIET)
    whole = classifier(0.2)
    whole.fit(DATA, epochs=5, optimizer=optim.adam(0.01), **QUIET)
    assert same(model.params, whole.params)


def test_ctrl_c_within_an_epoch_keeps_whole_steps():
    def batches():
        yield DATA.x[:16], DATA.y[:16]
        yield DATA.x[16:32], DATA.y[16:32]
        raise KeyboardInterrupt

    model = classifier()
    history = model.fit(batches, epochs=1, optimizer=optim.adam(0.01), **QUIET)
    assert (history.stopped, len(history)) == ("interrupted", 0)
    assert model.values.slots["adam.step"] == 2
    assert np.isfinite(model.evaluate(DATA)["loss"])


def test_a_bar_on_standard_error_alone(capsys):
    model = classifier()
    model.fit(DATA, epochs=2, validation_data=DATA, batch_size=16, verbose=True)
    out, err = capsys.readouterr()
    assert out == ""
    last = err.replace("\n", "").split("\r")[-1]
    assert len(last) <= 80
    row = model.history.last
    scores = f"loss {row['loss']:.4f} (val {row['val_loss']:.4f})"
    metrics = f"accuracy {row['accuracy']:.4f} (val {row['val_accuracy']:.4f})"
    assert last == f"██████ 00:00 epoch 2/2 {scores}, {metrics}"
    classifier().fit(DATA, epochs=2, batch_size=16)  # captured, so no terminal
    assert capsys.readouterr() == ("", "")


def test_a_bar_over_a_stream_does_not_know_its_end(capsys):
    classifier().fit(lambda: [(DATA.x, DATA.y)] * 3, epochs=2, verbose=True)
    assert "epoch 2/2" in capsys.readouterr().err


def test_a_loss_that_is_not_finite_is_named_and_the_last_finite_values_stay():
    model = line()
    x = np.arange(8.0)[:, None]
    with pytest.raises(NonFiniteError) as caught:
        model.fit(x, np.ones((8, 1)), optimizer=optim.sgd(100.0), epochs=50, verbose=False)
    text = str(caught.value)
    assert text.startswith("the loss became inf in epoch ")
    assert "it began at square(subtract(line.z, y)), where 8 of 8 values are not finite" in text
    assert "support.py" in text
    assert all(np.isfinite(value).all() for value in model.params.values())
    assert all(np.isfinite(row["loss"]) for row in model.history)


def test_a_step_whose_gradient_overflowed_is_undone():
    x, y = gx.input("x", ("n", 1)), gx.input("y", ("n", 1))
    w = gx.param("w", (1, 1), init="zeros")
    root = gx.sqrt(x @ w).named("root")
    model = gx.Model(root, nn.mse(root, y))
    with pytest.raises(NonFiniteError) as caught:
        model.fit([[1.0], [2.0]], [[1.0], [2.0]], optimizer=optim.sgd(0.1), epochs=5, verbose=False)
    assert "it began at the derivative of root = sqrt(matmul(x, w)), 1/(2*sqrt(matmul(x, w)))" in str(
        caught.value
    )
    assert 'root = gx.sqrt(x @ w).named("root")' in str(caught.value)
    assert model.params["w"] == 0


def test_metrics_that_are_not_finite_do_not_stop_training():
    x, y = gx.input("x", ("n", 1)), gx.input("y", ("n", 1))
    p = nn.dense(x, 1, name="line")
    model = gx.Model(p, nn.mse(p, y), metrics={"log": gx.mean(gx.log(p - p))})
    history = model.fit([[1.0]], [[1.0]], epochs=2, verbose=False)
    assert history["log"] == [-np.inf, -np.inf]
