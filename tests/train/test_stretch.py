"""Steps in stretches: the training that single steps give, however it goes and ends."""

from __future__ import annotations

import signal
import tracemalloc
from functools import cache

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim, train
from graphc.errors import ArgumentError, DataError, NonFiniteError, ShapeError

RANDOM = np.random.default_rng(0)
X, T = RANDOM.normal(size=(45, 6)).astype("float32"), RANDOM.integers(0, 5, 45)
WEIGHT = RANDOM.random(45, dtype="float32")
SCHEDULED = optim.adam(optim.schedules.exponential(0.01, 0.5, 10))


class EachStep(train.Callback):
    """Looks at each step, so that steps are taken one at a time."""

    def __init__(self):
        self.losses = []

    def on_batch_end(self, run, loss):
        self.losses.append(loss)


class Told(train.Callback):
    """Is told of steps, however many are taken at a time."""

    def __init__(self):
        self.losses, self.times = [], 0

    def on_steps_end(self, run, losses):
        self.losses.extend(losses)
        self.times += 1
        assert run.step >= len(losses)


@cache
def declared(layout, level):
    """Dropout, running statistics and weights of examples; compiled once for all tests."""
    x, t = gx.input("x", ("batch", 6)), gx.input("t", ("batch",), dtype="int64")
    weight = gx.input("weight", ("batch",))
    h = gx.relu(nn.batch_norm(nn.dense(x, 8, name="hidden"), axis=-1, name="norm"))
    y = nn.dense(nn.dropout(h, 0.25), 5, name="output")
    loss = gx.mean(nn.cross_entropy(y, t, reduction="none") * weight)
    return gx.Model(y, loss, {"accuracy": nn.accuracy(y, t)}, layout=layout, level=level)


def network(layout="planned", level="default"):
    """The model, as new."""
    return declared(layout, level).reset(0)


def trained(model, callbacks=(), **options):
    """What there is after a run."""
    options = {"epochs": 4, "batch_size": 8, "verbose": False, **options}
    model.fit({"x": X, "t": T, "weight": WEIGHT}, callbacks=list(callbacks), **options)
    return result(model)


def result(model):
    """Everything that training changes, to the last bit."""
    values, history = model.values, model.history
    kinds = {"params": values.params, "state": values.state, "slots": values.slots}
    arrays = {
        f"{kind}/{name}": np.asarray(array).tobytes()
        for kind, found in kinds.items()
        for name, array in found.items()
    }
    rng = {name: repr(generator.bit_generator.state) for name, generator in values.rng.items()}
    return {"rows": [*history.rows], "stopped": history.stopped, "step": values.step, **arrays, **rng}


CASES = {
    "sgd": {"optimizer": optim.sgd(0.1)},
    "scheduled": {"optimizer": SCHEDULED},
    "as they lie": {"shuffle": False},
    "split": {"validation_split": 0.2, "seed": 3},
    "part of an epoch": {"steps_per_epoch": 4},
}


@pytest.mark.parametrize("case", CASES)
def test_stretches_train_as_single_steps_do(case):
    assert trained(network(), **CASES[case]) == trained(network(), [EachStep()], **CASES[case])


def test_stretches_train_as_the_fresh_layout_does():
    stretched, fresh = (trained(network(layout, "exact")) for layout in ("planned", "fresh"))
    assert stretched == fresh


def test_callbacks_of_epochs_leave_stretches_as_they_are():
    def stops():
        return [train.EarlyStopping("loss", patience=1), train.ReduceOnPlateau("loss", patience=0)]

    one, other = (trained(network(), [*stops(), *more], epochs=30) for more in ((), (EachStep(),)))
    assert one == other


def calls(model, optimizer, monkeypatch, before=lambda: None):
    """How many rows each call of train_epoch takes."""
    functions, seen = model.module(optimizer).functions, []
    real = functions["train_epoch"]

    def counted(params, state, slots, data, order, **options):
        seen.append(len(order))
        before()
        return real(params, state, slots, data, order, **options)

    monkeypatch.setitem(functions, "train_epoch", counted)
    return seen


def test_stretches_grow_to_a_whole_epoch(monkeypatch):
    model = network()
    seen = calls(model, SCHEDULED, monkeypatch)
    monkeypatch.setattr("graphc.train.stretch.SHORT", 60.0)
    trained(model, optimizer=SCHEDULED)
    assert seen == [8, 16, 21, 32, 13, 45, 45]


def test_long_stretches_become_shorter(monkeypatch):
    model = network()
    seen = calls(model, SCHEDULED, monkeypatch)
    monkeypatch.setattr("graphc.train.stretch.SHORT", 0.0)
    monkeypatch.setattr("graphc.train.stretch.LONG", 0.0)
    trained(model, optimizer=SCHEDULED, epochs=1)
    assert seen == [8] * 5 + [5]


def test_ctrl_c_waits_for_the_end_of_a_stretch_and_training_goes_on(tmp_path, monkeypatch):
    model = network()
    seen = calls(model, SCHEDULED, monkeypatch, lambda: len(seen) == 2 and signal.raise_signal(signal.SIGINT))
    trained(model, optimizer=SCHEDULED)
    assert (model.history.stopped, model.values.step, len(model.history)) == ("interrupted", 3, 0)
    path = model.save(tmp_path / "a.gx")
    monkeypatch.undo()
    other = trained(network(), optimizer=SCHEDULED, resume=path)
    assert other == trained(network(), optimizer=SCHEDULED)


def test_what_breaks_into_a_stretch_undoes_it(tmp_path, monkeypatch):
    model = network()
    calls(model, SCHEDULED, monkeypatch)
    functions = model.module(SCHEDULED).functions
    real = functions["train_epoch"]

    def broken(*args, **options):
        found = real(*args, **options)
        if model.values.step == 1:
            raise KeyboardInterrupt  # as a second Ctrl-C does
        return found

    monkeypatch.setitem(functions, "train_epoch", broken)
    trained(model, optimizer=SCHEDULED)
    assert (model.history.stopped, model.values.step) == ("interrupted", 1)
    path = model.save(tmp_path / "a.gx")
    monkeypatch.undo()
    other = trained(network(), optimizer=SCHEDULED, resume=path)
    assert other == trained(network(), optimizer=SCHEDULED)


def diverging(callbacks):
    x, y = gx.input("x", ("n", 1)), gx.input("y", ("n", 1))
    line = nn.dense(x, 1, name="line")
    model = gx.Model(line, nn.mse(line, y))
    data, options = np.arange(8.0)[:, None], {"epochs": 50, "batch_size": 2, "verbose": False}
    with pytest.raises(NonFiniteError) as caught:
        model.fit(data, data, optimizer=optim.momentum(5.0), callbacks=callbacks, **options)
    return model, str(caught.value)


def test_a_loss_that_is_not_finite_is_found_as_by_single_steps():
    (one, said), (other, told) = diverging([]), diverging([EachStep()])
    assert said == told
    assert one.values.step == other.values.step > 8
    assert result(one) == result(other)


class Sets(train.Callback):
    """Sets a parameter after the second epoch."""

    def __init__(self, value):
        self.value = np.full(5, value, "float32")

    def on_epoch_end(self, run, row):
        if run.epoch == 2:
            run.model.set_params({"output.b": self.value})


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("layout", ["planned", "fresh"])
def test_what_a_callback_spoils_is_named_and_no_step_is_undone(value, layout):
    found = []
    for callbacks in ([], [EachStep()]):
        model = network(layout)
        with pytest.raises(NonFiniteError, match=r"it began at output\.b"):
            trained(model, [*callbacks, Sets(value)], optimizer=SCHEDULED)
        assert model.values.step == 2 * 6
        found.append(result(model))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("how", "optimizer"), [("freeze", SCHEDULED), ("freeze", optim.sgd(0.1)), ("reset", SCHEDULED)]
)
@pytest.mark.parametrize("layout", ["planned", "fresh"])
def test_a_callback_that_changes_what_is_trained_is_told_so(how, optimizer, layout):
    def change(model, row):
        if row["epoch"] == 2:
            model.freeze("hidden") if how == "freeze" else model.reset(1)

    model = network(layout)
    try:
        with pytest.raises(ArgumentError, match="a callback froze parameters"):
            trained(model, [change], optimizer=optimizer)
        trained(model, optimizer=optimizer)  # and it can be trained on
    finally:
        model.freeze()


def test_a_stretch_that_is_undone_leaves_the_slots_that_a_callback_started_anew():
    model, logits = network(), np.array([3e38, -3e38, 0, 0, 0], "float32")
    callback = Sets(0.0)
    callback.value = logits  # finite, and so are the values, but not the loss
    with pytest.raises(NonFiniteError):
        trained(model, [callback], optimizer=SCHEDULED)
    counts = {name: int(v) for name, v in model.values.slots.items() if name.endswith("step")}
    assert counts == dict.fromkeys(counts, 0)
    assert counts


def test_an_overflow_in_the_last_step_is_undone():
    x = gx.input("x", ("n", 1))
    w = gx.param("w", (1, 1), init="zeros")
    root = gx.sqrt(x @ w)
    model = gx.Model(root, gx.mean(root))
    with pytest.raises(NonFiniteError, match="a parameter became nan or infinite"):
        model.fit({"x": [[1.0], [2.0]]}, optimizer=optim.sgd(0.1), epochs=1, batch_size=2, verbose=False)
    assert model.params["w"] == 0
    assert model.values.step == 0


def test_a_batch_that_is_refused_ends_training_where_it_stands():
    x = gx.input("x", ("n", 2))
    y = nn.batch_norm(nn.dense(x, 3, name="hidden"), axis=-1, name="norm")
    models = [gx.Model(y, gx.mean(gx.square(y))) for _ in range(2)]
    for model, callbacks in zip(models, ([], [EachStep()]), strict=True):
        with pytest.raises(DataError, match="batch"):
            model.fit({"x": X[:9, :2]}, batch_size=4, callbacks=callbacks, verbose=False)
    assert models[0].values.step == 2
    assert result(models[0]) == result(models[1])


def test_memory_stays_flat_over_epochs():
    model = network()
    trained(model, epochs=3)
    tracemalloc.start()
    trained(model, epochs=2)
    before = tracemalloc.get_traced_memory()[0]
    trained(model, epochs=60)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 60_000  # rows of the history, and no arrays


def test_a_checkpoint_of_epochs_needs_no_single_steps(tmp_path, monkeypatch):
    model = network()
    seen = calls(model, SCHEDULED, monkeypatch)
    callbacks = [
        train.Checkpoint(tmp_path / "a.gx"),
        train.Checkpoint(tmp_path / "b.gx", every_steps=2, best="loss"),
    ]
    trained(model, callbacks, optimizer=SCHEDULED, epochs=2)
    assert sum(seen) == 2 * 45
    trained(model, [train.Checkpoint(tmp_path / "c.gx", every_steps=2)], optimizer=SCHEDULED, epochs=2)
    assert sum(seen) == 2 * 45


def test_large_data_are_not_prepared(monkeypatch):
    model = network()
    seen = calls(model, SCHEDULED, monkeypatch)
    monkeypatch.setattr("graphc.train.stretch.MOST", X.nbytes)
    one = trained(model, optimizer=SCHEDULED)
    assert seen == []
    monkeypatch.undo()
    assert one == trained(network(), optimizer=SCHEDULED)


def test_a_callback_that_is_told_of_steps_lets_many_be_taken_at_a_time():
    together, single, each = Told(), Told(), EachStep()
    fast = trained(network(), [together])
    slow = trained(network(), [single, each])
    assert fast == slow
    assert together.losses == single.losses == each.losses
    assert single.times == len(each.losses) > together.times


@pytest.mark.parametrize("time", ["time", 12])
def test_examples_along_another_axis_are_refused_before_anything_is_taken(time):
    x, t = gx.input("x", (time, "batch", 2)), gx.input("t", ("batch", 1))
    y = nn.dense(gx.sum(x, axis=0), 1, name="output")
    model = gx.Model(y, nn.mse(y, t), optimizer=optim.sgd(1e-4))
    data = np.ones((12, 40, 2)), np.ones((40, 1))
    before, all_of_it = model.weights(), 12 if time == "time" else 40
    with pytest.raises(ShapeError, match="input x has batch behind its first"):
        model.fit(*data, batch_size=5, verbose=False)
    with pytest.raises(ShapeError, match="input x has batch behind its first"):
        model.fit(*data, batch_size=all_of_it, verbose=False)  # its rows would be shuffled
    assert all(np.array_equal(before[k], v) for k, v in model.weights().items())
    assert "def train_epoch(" not in model.source(layout="planned")
    losses = model.fit(*data, batch_size=all_of_it, shuffle=False, epochs=3, verbose=False)["loss"]
    assert losses[-1] < losses[0]
