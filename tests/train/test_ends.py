"""A run that cannot begin leaves the model as it was; one whose last step spoilt a parameter takes that step back."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim, train
from graphc.errors import ArgumentError, DataError, NonFiniteError
from tests.train.support import classifier, line, same, spirals

DATA = spirals()
FAST = {"verbose": False, "batch_size": 16}


def overflowing():
    """The loss is finite, and the first step leaves the range of float32."""
    x, w = gx.input("x", ("n",)), gx.param("w", (), init=1e10)
    return gx.Model(w * x, gx.mean(w * x), name="overflow")


def test_a_parameter_that_overflows_in_the_last_step_is_said_and_taken_back():
    model = overflowing()
    with pytest.raises(NonFiniteError, match="a parameter became nan or infinite in epoch 1") as error:
        model.fit([1e15, 1e15], optimizer=optim.sgd(1e30), **{**FAST, "batch_size": 2})
    assert "multiply(lr, d_w)" in str(error.value)
    assert model.params["w"] == np.float32(1e10)
    assert model.values.step == 0


def test_a_callback_may_take_a_spoilt_last_step_as_the_end():
    model = overflowing()
    found = model.fit([1e15], optimizer=optim.sgd(1e30), callbacks=[train.StopAtNaN()], verbose=False)
    assert found.stopped.startswith("a parameter became nan or infinite")
    assert model.params["w"] == np.float32(1e10)


def test_no_checkpoint_of_nan_replaces_a_good_one(tmp_path):
    path, model = tmp_path / "c.gx", overflowing()
    model.fit([1e15], optimizer=optim.sgd(1e-3), callbacks=[train.Checkpoint(path)], verbose=False)
    good = path.read_bytes()
    with pytest.raises(NonFiniteError, match="a parameter became"):
        model.fit(
            [1e15], optimizer=optim.sgd(1e30), callbacks=[train.Checkpoint(path)], epochs=2, verbose=False
        )
    assert path.read_bytes() == good


@pytest.mark.parametrize("steps", [1, 5])
def test_a_descent_that_diverges_keeps_its_last_finite_values(steps):
    model = overflowing()
    with pytest.raises(NonFiniteError):
        model.solve([1e15], optimizer=optim.sgd(1e30), max_steps=steps)
    assert model.params["w"] == np.float32(1e10)
    assert model.history.stopped.startswith("NonFiniteError")


def test_a_descent_refuses_a_batch_of_one_as_fit_does():
    x, t = gx.input("x", ("n", 2)), gx.input("t", ("n", 1))
    y = nn.dense(nn.batch_norm(x, axis=-1, name="norm"), 1, name="out")
    with pytest.raises(DataError, match="larger batches"):
        gx.Model(y, nn.mse(y, t)).solve(np.ones((1, 2)), np.ones((1, 1)))


class Refuses(train.Callback):
    def on_train_begin(self, run):
        raise RuntimeError("not today")


REFUSALS = {
    "a callback": (Refuses(), RuntimeError),
    "a folder that is not there": (train.Checkpoint("no/such/folder/c.gx"), DataError),
    "a log without a folder": (train.CSVLog("no/such/folder/l.csv"), OSError),
}


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("case", REFUSALS)
def test_a_run_that_a_callback_refuses_leaves_the_model_as_it_was(tmp_path, case, resume):
    callback, kind = REFUSALS[case]
    other, model = classifier(), classifier()
    other.fit(DATA, optimizer=optim.adam(), callbacks=[train.Checkpoint(tmp_path / "c.gx")], **FAST)
    model.fit(DATA, optimizer=optim.momentum(), **FAST)
    params, slots, rows = model.params, dict(model.values.slots), list(model.history.rows)
    start = {"resume": tmp_path / "c.gx"} if resume else {"optimizer": optim.adam()}
    with pytest.raises(kind):
        model.fit(DATA, epochs=2, callbacks=[callback], **start, **FAST)
    assert same(model.params, params)
    assert same(model.values.slots, slots)
    assert model.history.rows == rows
    assert model.optimizer == optim.momentum()


def test_a_model_that_was_only_looked_at_still_draws_from_the_seed_of_its_first_run():
    model, expected = line(), line()
    assert model.params
    with pytest.raises(RuntimeError):
        model.fit([[1.0]], [[1.0]], seed=3, callbacks=[Refuses()], verbose=False)
    for each in (model, expected):
        each.fit([[1.0]], [[1.0]], seed=3, verbose=False)
    assert same(model.params, expected.params)


@pytest.mark.parametrize("seed", [-1, "a", 1.5])
def test_a_seed_of_lbfgs_is_a_count(seed):
    with pytest.raises(ArgumentError, match="seed is an int"):
        train.lbfgs(line(), [[1.0]], [[1.0]], seed=seed)
