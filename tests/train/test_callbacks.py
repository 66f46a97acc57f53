"""What watches a run: early stopping, logs, statistics, the search for a rate, and functions of one's own."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim, train
from graphc.errors import ArgumentError, DataError, NonFiniteError, UnknownNameError
from tests.train.support import classifier, line, same, spirals

DATA = spirals()
QUIET = {"verbose": False, "batch_size": 16, "optimizer": optim.adam(0.01)}


class Rows(train.Callback):
    """Gives each epoch a value of its own, whatever the model does."""

    def __init__(self, values):
        self.values = values

    def on_epoch_end(self, run, row):
        row["score"] = self.values[run.epoch - 1]


# -- the interface ------------------------------------------------------------------------------------------------


def test_moments_come_in_order():
    seen = []

    class Watch(train.Callback):
        def on_train_begin(self, run):
            seen.append(("begin", run.step, run.epoch, run.rate))

        def on_epoch_begin(self, run):
            seen.append(("epoch", run.step, run.epoch))

        def on_batch_end(self, run, loss):
            seen.append(("batch", run.step, run.epoch, run.position.batch))

        def on_epoch_end(self, run, row):
            seen.append(("row", run.step, run.epoch, row is run.history.rows[-1]))

        def on_train_end(self, run):
            seen.append(("end", run.history.stopped))

    classifier().fit(DATA, epochs=2, callbacks=[Watch()], verbose=False, optimizer=optim.sgd(0.5))
    assert seen == [
        ("begin", 0, 1, 0.5),
        ("epoch", 0, 1),
        ("batch", 1, 1, 1),
        ("batch", 2, 1, 2),
        ("row", 2, 1, True),
        ("epoch", 2, 2),
        ("batch", 3, 2, 1),
        ("batch", 4, 2, 2),
        ("row", 4, 2, True),
        ("end", "all 2 epochs done"),
    ]


def test_the_end_comes_whatever_happens():
    seen = []

    class Watch(train.Callback):
        def on_train_end(self, run):
            seen.append(run.history.stopped)

    def stream():
        yield DATA.x, DATA.y
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        classifier().fit(stream, callbacks=[Watch()], verbose=False)
    assert seen == ["OSError: the disk is gone"]


def test_the_factor_multiplies_the_rate_and_a_new_rate_starts_anew():
    class Halve(train.Callback):
        def on_epoch_end(self, run, row):
            run.factor *= 0.5
            rates.append(run.rate)

    rates = []
    model = classifier()
    model.fit(DATA, epochs=2, callbacks=[Halve()], verbose=False, optimizer=optim.sgd(0.5))
    model.fit(DATA, epochs=1, callbacks=[Halve()], verbose=False)
    model.fit(DATA, epochs=1, callbacks=[Halve()], verbose=False, optimizer=optim.sgd(0.4))
    assert rates == [0.25, 0.125, 0.0625, 0.2]


def test_a_rate_of_half_by_its_factor_is_a_rate_of_half():
    class Half(train.Callback):
        def on_train_begin(self, run):
            run.factor = 0.5

    a, b = classifier(), classifier()
    a.fit(DATA, epochs=2, callbacks=[Half()], verbose=False, optimizer=optim.sgd(0.5))
    b.fit(DATA, epochs=2, verbose=False, optimizer=optim.sgd(0.25))
    assert same(a.params, b.params)


def test_stopping_within_an_epoch():
    class Stop(train.Callback):
        def on_batch_end(self, run, loss):
            if run.step == 6:
                run.stop("six steps are enough")
                run.stop("the first reason counts")

    history = classifier().fit(DATA, epochs=5, callbacks=[Stop()], **QUIET)
    assert (history.stopped, len(history)) == ("six steps are enough", 1)


@pytest.mark.parametrize("given", [3, "stop", train.EarlyStopping, None])
def test_what_is_no_callback(given):
    with pytest.raises(ArgumentError, match="a callback is a"):
        classifier().fit(DATA, callbacks=[given], **QUIET)


def test_one_callback_is_no_list_of_them():
    with pytest.raises(ArgumentError, match="callbacks are a list"):
        classifier().fit(DATA, callbacks=train.EarlyStopping("loss"), **QUIET)


# -- early stopping -----------------------------------------------------------------------------------------------


def test_early_stopping_goes_back_to_the_best_weights():
    kept = []

    def keep(model, row):
        kept.append(model.params)

    values = [5.0, 3.0, 4.0, 3.0, 3.5, 1.0, 0.0]
    stopping = train.EarlyStopping("score", patience=3, mode="min")
    model = classifier()
    history = model.fit(DATA, epochs=7, callbacks=[Rows(values), keep, stopping], **QUIET)
    assert history.stopped == "score has not become better since epoch 2"
    assert (len(history), stopping.best, stopping.best_epoch) == (5, 3.0, 2)
    assert same(model.params, kept[1])


def test_early_stopping_restores_at_the_end_too_and_may_leave_the_last():
    values = [1.0, 2.0]
    for restore in (True, False):
        kept = []
        stopping = train.EarlyStopping("score", mode="min", restore_best=restore)
        model = classifier()
        callbacks = [Rows(values), lambda m, row, kept=kept: kept.append(m.params), stopping]
        assert model.fit(DATA, epochs=2, callbacks=callbacks, **QUIET).stopped == "all 2 epochs done"
        assert same(model.params, kept[0 if restore else 1])


def test_after_ctrl_c_the_last_weights_stay():
    def stop(model, row):
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    model, last = classifier(), classifier()
    callbacks = [Rows([1.0, 2.0]), train.EarlyStopping("score", mode="min"), stop]
    model.fit(DATA, epochs=5, callbacks=callbacks, **QUIET)
    last.fit(DATA, epochs=2, **QUIET)
    assert same(model.params, last.params)


@pytest.mark.parametrize(
    ("values", "options", "epochs"),
    [
        ([1.0, 0.9, 0.8, 0.0], {"min_delta": 0.5, "patience": 2}, 3),
        ([1.0, 2.0, 3.0, 1.0], {"mode": "max", "patience": 1}, 4),
        ([float("nan")] * 4, {"patience": 2}, 2),
        ([0.0, 9.0, 8.0, 7.0], {"start": 2, "patience": 1}, 4),
        ([0.0, 1.0, 1.0, 1.0], {"start": 3, "patience": 1}, 4),
    ],
)
def test_when_early_stopping_stops(values, options, epochs):
    callbacks = [Rows(values), train.EarlyStopping("score", **{"mode": "min", **options})]
    assert len(classifier().fit(DATA, epochs=4, callbacks=callbacks, **QUIET)) == epochs


def test_states_go_back_with_the_weights():
    x, y = gx.input("x", ("n", 1)), gx.input("y", ("n", 1))
    seen = gx.state("seen", (1,))
    p = nn.dense(gx.update(x, {seen: seen + 1}), 1, name="line")
    model = gx.Model(p, nn.mse(p, y))
    callbacks = [Rows([1.0, 2.0, 3.0]), train.EarlyStopping("score", mode="min")]
    model.fit([[4.0]], [[1.0]], epochs=3, callbacks=callbacks, verbose=False)
    assert model.state["seen"] == 1


def test_what_early_stopping_refuses():
    for bad in ({"patience": 0}, {"mode": "low"}, {"min_delta": -1.0}, {"monitor": "score"}):
        with pytest.raises(ArgumentError):
            train.EarlyStopping(**bad)
    model = classifier()
    with pytest.raises(UnknownNameError, match="no column 'val_loss' to watch") as caught:
        model.fit(DATA, callbacks=[train.EarlyStopping()], **QUIET)
    assert "pass validation_data to fit" in str(caught.value)
    assert len(model.history) == 0  # before the first step
    watched = [train.EarlyStopping("val_los", mode="min")]
    with pytest.raises(UnknownNameError, match="no column 'val_los' to watch") as caught:
        model.fit(DATA, validation_data=DATA, callbacks=watched, **QUIET)
    assert caught.value.expected == "loss, accuracy, val_loss, val_accuracy"
    assert caught.value.fix == "did you mean 'val_loss'?"


def test_a_column_that_another_callback_may_add_is_looked_for_later():
    model = classifier()
    with pytest.raises(UnknownNameError, match="no column 'val_loss' to watch"):
        model.fit(DATA, callbacks=[lambda model, row: None, train.EarlyStopping()], **QUIET)
    assert len(model.history) == 1  # nothing that was learnt is lost


# -- values that are not finite -----------------------------------------------------------------------------------


def test_stop_at_nan_ends_without_an_error():
    x = np.arange(8.0)[:, None]
    options = {"optimizer": optim.sgd(100.0), "epochs": 50, "verbose": False}
    model = line()
    history = model.fit(x, np.ones((8, 1)), callbacks=[train.StopAtNaN()], **options)
    assert history.stopped.startswith("the loss became inf in epoch ")
    assert all(np.isfinite(value).all() for value in model.params.values())
    raising = line()
    with pytest.raises(NonFiniteError):
        raising.fit(x, np.ones((8, 1)), **options)
    assert raising.history.stopped == history.stopped
    assert same(raising.params, model.params)


def test_stop_at_nan_watches_scores():
    callbacks = [Rows([1.0, float("nan"), 1.0]), train.StopAtNaN()]
    history = classifier().fit(DATA, epochs=3, callbacks=callbacks, **QUIET)
    assert history.stopped == "score became nan in epoch 2"


# -- logs ---------------------------------------------------------------------------------------------------------


def read_csv(path):
    with path.open(newline="") as stream:
        return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(stream)]


def read_json(path):
    return [json.loads(text) for text in path.read_text().splitlines()]


LOGS = {"csv": (train.CSVLog, read_csv), "jsonl": (train.JSONLog, read_json)}


@pytest.mark.parametrize("kind", LOGS)
def test_a_log_holds_the_history_to_the_last_bit(tmp_path, kind):
    log, read = LOGS[kind]
    seen = []

    class Look(train.Callback):
        after_others = True

        def on_epoch_end(self, run, row):
            seen.append(read(tmp_path / "log"))

    model = classifier()
    model.fit(DATA, epochs=3, validation_data=DATA, callbacks=[log(tmp_path / "log"), Look()], **QUIET)
    assert seen == [model.history.rows[: n + 1] for n in range(3)]
    model.fit(DATA, epochs=1, callbacks=[log(tmp_path / "log"), Rows([0.5] * 4)], **QUIET)  # other columns
    assert read(tmp_path / "log") == model.history.rows


@pytest.mark.parametrize("kind", LOGS)
def test_a_run_that_goes_on_leaves_no_line_twice(tmp_path, kind):
    log, read = LOGS[kind]
    path = tmp_path / "log"

    class Stop(train.Callback):
        def on_batch_end(self, run, loss):
            if run.step == 10:
                raise KeyboardInterrupt

    first = classifier()
    first.fit(DATA, epochs=4, callbacks=[log(path), Stop()], **QUIET)
    with path.open("a") as stream:
        stream.write("half a li")  # a process that was killed while it wrote
    second = classifier()
    second.fit(DATA, epochs=4, callbacks=[log(path)], resume=first.save(tmp_path / "m.gx"), **QUIET)
    assert read(path) == second.history.rows
    assert len(second.history) == 4


def test_json_has_no_nan(tmp_path):
    callbacks = [Rows([float("nan"), float("inf")]), train.JSONLog(tmp_path / "log")]
    classifier().fit(DATA, epochs=2, callbacks=callbacks, **QUIET)
    assert [row["score"] for row in read_json(tmp_path / "log")] == [None, None]


def test_a_log_in_no_folder_is_found_before_training(tmp_path):
    model = classifier()
    with pytest.raises(FileNotFoundError):
        model.fit(DATA, callbacks=[train.CSVLog(tmp_path / "none" / "log.csv")], **QUIET)
    assert len(model.history) == 0


# -- statistics ---------------------------------------------------------------------------------------------------


def test_statistics_of_gradients_and_activations():
    x, y = gx.input("x", ("n", 2), dtype="float64"), gx.input("y", ("n", 1), dtype="float64")
    h = nn.dense(x, 4, activation="relu", name="hidden")
    p = nn.dense(h, 1, name="output")
    model = gx.Model(p, nn.mse(p, y))
    a, b = np.random.default_rng(0).normal(size=(2, 20, 2))
    look = train.LayerStatistics(every=2)
    model.fit(a, b[:, :1], epochs=4, callbacks=[look], verbose=False, shuffle=False, optimizer=optim.sgd(0.1))
    assert [row["epoch"] for row in look.rows] == [2, 4]
    last = look.rows[-1]
    params = model.params
    hidden = np.maximum(a @ params["hidden.W"] + params["hidden.b"], 0)
    found = last["activations"]["hidden"]
    assert found.mean == pytest.approx(hidden.mean())
    assert found.std == pytest.approx(hidden.std())
    assert found.zeros == pytest.approx((hidden == 0).mean())
    gradient = 2 * hidden.T @ (model.predict(a) - b[:, :1]) / 20
    assert last["gradients"]["output.W"].norm == pytest.approx(np.linalg.norm(gradient))
    assert "hidden.W" in str(look)
    assert len(look.table()) == 2 * 6
    assert str(train.LayerStatistics()) == "nothing was looked at yet"


def test_looking_does_not_change_training():
    plain, watched = classifier(0.3), classifier(0.3)
    plain.fit(DATA, epochs=3, **QUIET)
    watched.fit(DATA, epochs=3, callbacks=[train.LayerStatistics()], **QUIET)
    assert same(plain.params, watched.params)


# -- the search for a rate ----------------------------------------------------------------------------------------


def test_the_search_for_a_rate_leaves_the_model_as_it_was():
    model, plain = classifier(0.2), classifier(0.2)
    for m in (model, plain):
        m.fit(DATA, epochs=1, **QUIET)
    found = train.find_rate(model, DATA, steps=40, batch_size=16)
    assert 1e-6 < found.suggestion < found.rates[-1]
    assert found.losses[0] == pytest.approx(found.smooth[0])
    assert len(found.rates) == len(found.losses) == len(found.smooth) <= 40
    assert "suggests" in repr(found)
    for m in (model, plain):
        m.fit(DATA, epochs=2, **QUIET)
    assert same(model.params, plain.params)
    assert model.history.rows == plain.history.rows


def test_the_search_ends_where_the_loss_explodes():
    x = np.random.default_rng(0).normal(size=(64, 1))
    model = line()
    found = train.find_rate(model, x, 3 * x + 1, low=1e-4, high=1e6, steps=200)
    assert len(found.rates) < 200
    assert 1e-3 < found.suggestion < 10
    pytest.importorskip("matplotlib")
    assert found.plot().get_xscale() == "log"
    assert (
        line().fit(x, 3 * x + 1, optimizer=optim.sgd(found.suggestion), epochs=30, verbose=False).last["loss"]
        < 0.1
    )


def test_what_the_search_refuses():
    for bad in (
        {"low": 1.0, "high": 0.1},
        {"low": 0.0},
        {"steps": 2},
        {"smoothing": 1.0},
        {"optimizer": optim.adam},
    ):
        with pytest.raises(ArgumentError):
            train.find_rate(classifier(), DATA, **bad)
    with pytest.raises(DataError, match="larger than the data"):
        train.find_rate(classifier(), DATA, batch_size=61)
