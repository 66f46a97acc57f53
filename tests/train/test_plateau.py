"""The rate falls where a score stays; the curves of PyTorch's are held to in tests/external."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim, train
from graphc.optim import schedules


def rates(callback, scores, name="loss"):
    """The rate in force in each epoch, from 1."""
    run = SimpleNamespace(rate=1.0, factor=1.0, epoch=0)
    callback.on_train_begin(run)
    found = []
    for score in scores:
        run.epoch += 1
        found.append(run.rate)
        callback.on_epoch_end(run, {name: score})
        run.rate = run.factor
    return found


def test_patience_is_how_many_epochs_may_bring_nothing():
    callback = train.ReduceOnPlateau("loss", factor=0.5, patience=2)
    assert rates(callback, [3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0]) == [1, 1, 1, 1, 1, 0.5, 0.5]
    assert callback.falls == [5]


def test_no_patience_at_all():
    assert rates(train.ReduceOnPlateau("loss", factor=0.5, patience=0), [1.0, 1.0, 1.0, 0.5]) == [
        1,
        1,
        0.5,
        0.25,
    ]


def test_higher_is_better_for_an_accuracy():
    callback = train.ReduceOnPlateau("accuracy", factor=0.5, patience=0)
    assert rates(callback, [0.1, 0.2, 0.3, 0.3], "accuracy") == [1, 1, 1, 1]
    assert callback.falls == [4]


def test_the_threshold_is_a_share_or_a_difference():
    scores = [100.0, 99.5, 99.0]
    assert rates(train.ReduceOnPlateau("loss", 0.5, 0, threshold=0.01), scores) == [1, 1, 0.5]
    assert rates(train.ReduceOnPlateau("loss", 0.5, 0, threshold=0.4, threshold_mode="abs"), scores) == [
        1,
        1,
        1,
    ]


def test_a_threshold_is_of_the_best_where_that_is_negative():
    """As PyTorch has it: below best · (1 - threshold), which is above a negative best."""
    assert rates(train.ReduceOnPlateau("loss", 0.5, 0, threshold=0.1), [-10.0, -9.5, -9.2]) == [1, 1, 1]


def test_nothing_is_counted_while_it_cools_down():
    callback = train.ReduceOnPlateau("loss", factor=0.5, patience=0, cooldown=2)
    assert rates(callback, [1.0] * 6) == [1, 1, 0.5, 0.5, 0.5, 0.25]


def test_the_rate_does_not_fall_below_the_least():
    callback = train.ReduceOnPlateau("loss", factor=0.1, patience=0, min_rate=0.05)
    assert rates(callback, [1.0] * 5) == pytest.approx([1, 1, 0.1, 0.05, 0.05])
    assert callback.falls == [2, 3]


def model_that_stays():
    x, t = gx.input("x", ("n", 2)), gx.input("t", ("n", 1))
    y = nn.dense(x, 1, name="y")
    return gx.Model(y, gx.mean(gx.abs(y - t)) * 0.0 + 1.0 + 0.0 * gx.sum(y), name="m")


@pytest.mark.parametrize("lr", [0.5, schedules.constant(0.5)], ids=["a number", "a schedule"])
def test_a_rate_and_a_schedule_fall_alike(lr):
    seen = []

    class See(train.Callback):
        def on_epoch_end(self, run, row):
            seen.append(run.rate)

    callbacks = [train.ReduceOnPlateau("loss", factor=0.5, patience=0), See()]
    data = np.ones((4, 2), np.float32), np.ones((4, 1), np.float32)
    model_that_stays().fit(*data, optimizer=optim.sgd(lr), epochs=4, callbacks=callbacks, verbose=False)
    assert seen == [0.5, 0.25, 0.125, 0.0625]


def test_the_lower_rate_is_what_trains():
    x, t = gx.input("x", ("n", 1), "float64"), gx.input("t", ("n", 1), "float64")
    W = gx.param("W", (1, 1), init="zeros", dtype="float64")
    model = gx.Model(x @ W, gx.mean(x @ W), name="line")  # the gradient is 1 forever, t is left out
    del t
    moved = []

    class See(train.Callback):
        def on_epoch_end(self, run, row):
            moved.append(float(run.model.params["W"][0, 0]))

    worse = train.ReduceOnPlateau("loss", mode="max", factor=0.5, patience=0)
    model.fit(
        {"x": np.ones((2, 1))}, optimizer=optim.sgd(1.0), epochs=4, callbacks=[See(), worse], verbose=False
    )
    assert moved == [-1.0, -2.0, -2.5, -2.75]


def test_it_goes_on_from_what_it_kept():
    whole = train.ReduceOnPlateau("loss", factor=0.5, patience=2)
    rates(whole, [1.0, 1.0, 1.0, 1.0, 1.0])
    half = train.ReduceOnPlateau("loss", factor=0.5, patience=2)
    half.restore(whole.state())
    assert half.state() == whole.state()


BAD = {
    "a factor of 1": ({"factor": 1.0}, "factor is above 0"),
    "a factor below 0": ({"factor": -0.5}, "factor is above 0"),
    "a negative patience": ({"patience": -1}, "patience is an int"),
    "a negative cooldown": ({"cooldown": -1}, "cooldown is an int"),
    "a threshold that is nan": ({"threshold": float("nan")}, "threshold is a finite"),
    "an unknown threshold": ({"threshold_mode": "square"}, "unknown threshold_mode"),
    "a least rate below 0": ({"min_rate": -1.0}, "min_rate is a finite"),
    "an unknown mode": ({"mode": "up"}, "unknown mode"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_settings_are_refused(what):
    options, message = BAD[what]
    with pytest.raises(gx.GraphcError, match=message):
        train.ReduceOnPlateau(**options)


def test_a_column_that_is_not_there():
    with pytest.raises(gx.GraphcError, match="no column 'val_loss'"):
        rates(train.ReduceOnPlateau(), [1.0])
