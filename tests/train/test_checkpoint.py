"""Checkpoints: a run goes on to the last bit, whatever stopped it; a file is whole or it is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim, train
from graphc.errors import ArgumentError, DataError, FileFormatError
from graphc.runtime.files import write_bytes
from tests.train.support import classifier, line, same, spirals

DATA = spirals()
PLAIN = {"verbose": False, "batch_size": 16, "optimizer": optim.adam(0.01)}


class StopAt(train.Callback):
    """Ctrl-C after a step."""

    def __init__(self, step):
        self.at = step

    def on_batch_end(self, run, loss):
        if run.step == self.at:
            raise KeyboardInterrupt


def whole(epochs=5, **options):
    model = classifier(0.2)
    model.fit(DATA, epochs=epochs, validation_data=DATA, **{**PLAIN, **options})
    return model


def assert_same_run(found, expected):
    assert same(found.params, expected.params)
    assert same(found.values.slots, expected.values.slots)
    assert found.history.rows == expected.history.rows
    assert found.history.stopped == expected.history.stopped
    assert found.values.step == expected.values.step
    states = [str(m.values.rng["drop.mask"].bit_generator.state) for m in (found, expected)]
    assert states[0] == states[1]


@pytest.mark.parametrize("step", [1, 3, 4, 6, 11, 16])
def test_a_run_that_was_interrupted_anywhere_goes_on_to_the_last_bit(tmp_path, step):
    path = tmp_path / "run.gx"
    first = classifier(0.2)
    callbacks = [train.Checkpoint(path), StopAt(step)]
    history = first.fit(DATA, epochs=5, validation_data=DATA, callbacks=callbacks, **PLAIN)
    assert history.stopped == "interrupted"
    assert len(history) == (step - 1) // 4
    second = classifier(0.2)
    second.fit(DATA, epochs=5, validation_data=DATA, callbacks=[train.Checkpoint(path)], resume=path, **PLAIN)
    assert_same_run(second, whole())


OWN = "v = beta*v + g; theta = theta - lr*v"
OPTIMIZERS = {
    "momentum": optim.momentum(0.1),
    "averages": optim.chain(optim.adam(0.01), optim.ema(0.9)),
    "three steps together": optim.chain(optim.accumulate(3), optim.momentum(0.1)),
    "clipped": optim.chain(optim.clip_by_global_norm(0.1), optim.adamw(0.01)),
    "averaged descent": optim.asgd(0.1),
    "a schedule": optim.adam(optim.schedules.step(0.05, every=3, factor=0.7)),
    "of one's own": optim.rule("heavy", slots={"v": 0.0}, update=OWN, beta=0.9),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_kind_of_optimizer_goes_on(tmp_path, name):
    options = {"optimizer": OPTIMIZERS[name]}
    first = classifier(0.2)
    first.fit(DATA, epochs=4, validation_data=DATA, callbacks=[StopAt(6)], **{**PLAIN, **options})
    second = classifier(0.2)
    path = first.save(tmp_path / "net.gx")
    second.fit(DATA, epochs=4, validation_data=DATA, resume=path, **{**PLAIN, **options})
    assert_same_run(second, whole(4, **options))


def test_a_plateau_goes_on(tmp_path):
    def run(model, **options):
        plateau = train.ReduceOnPlateau("loss", factor=0.5, patience=1, threshold=0.2)
        callbacks = [plateau, *options.pop("more", [])]
        model.fit(DATA, epochs=9, callbacks=callbacks, **{**PLAIN, **options})
        return plateau

    expected, first, second = classifier(0.2), classifier(0.2), classifier(0.2)
    falls = run(expected).falls
    assert len(falls) > 2
    run(first, more=[StopAt(4 * falls[1] + 2)])
    assert run(second, resume=first.save(tmp_path / "net.gx")).falls == falls
    assert_same_run(second, expected)
    assert second.values.factor == expected.values.factor < 0.2


def test_accumulated_gradients_act_at_every_third_step_whatever_the_epoch():
    moved = []

    class Watch(train.Callback):
        def on_train_begin(self, run):
            self.before = run.model.params

        def on_batch_end(self, run, loss):
            moved.append(not same(self.before, run.model.params))
            self.before = run.model.params

    options = {"epochs": 3, "batch_size": 16, "verbose": False, "callbacks": [Watch()]}
    classifier().fit(DATA, optimizer=OPTIMIZERS["three steps together"], **options)
    assert moved == [False, False, True] * 4


def test_a_model_saved_after_ctrl_c_goes_on_too(tmp_path):
    first = classifier(0.2)
    first.fit(DATA, epochs=5, validation_data=DATA, callbacks=[StopAt(7)], **PLAIN)
    path = first.save(tmp_path / "net.gx")
    second = classifier(0.2)
    second.fit(DATA, epochs=5, validation_data=DATA, resume=path, **PLAIN)
    assert_same_run(second, whole())


def test_every_step_is_a_place_to_go_on_from(tmp_path):
    seen = []

    class Copy(train.Callback):
        after_others = True

        def on_batch_end(self, run, loss):
            seen.append((tmp_path / "run.gx").read_bytes())

    callbacks = [train.Checkpoint(tmp_path / "run.gx", every_steps=1), Copy()]
    expected = whole(2, callbacks=callbacks)
    assert len(seen) == 8
    for data in seen[::3]:
        (tmp_path / "copy.gx").write_bytes(data)
        model = classifier(0.2)
        model.fit(
            DATA,
            epochs=2,
            validation_data=DATA,
            callbacks=[train.Checkpoint(tmp_path / "run.gx")],
            resume=tmp_path / "copy.gx",
            **PLAIN,
        )
        assert_same_run(model, expected)


def test_a_run_after_another_run_goes_on(tmp_path):
    path = tmp_path / "run.gx"
    expected = whole(2)
    expected.fit(DATA, epochs=3, validation_data=DATA, **PLAIN)
    first = whole(2)
    first.fit(DATA, epochs=3, validation_data=DATA, callbacks=[train.Checkpoint(path), StopAt(14)], **PLAIN)
    second = classifier(0.2)
    second.fit(
        DATA, epochs=3, validation_data=DATA, resume=path, **{**PLAIN, "callbacks": [train.Checkpoint(path)]}
    )
    assert_same_run(second, expected)
    assert second.history["epoch"] == [1, 2, 3, 4, 5]


def test_more_epochs_may_be_asked_for_later(tmp_path):
    path = whole(2).save(tmp_path / "net.gx")
    model = classifier(0.2)
    model.fit(DATA, epochs=5, validation_data=DATA, resume=path, **PLAIN)
    assert_same_run(model, whole(5))


def test_the_optimizer_comes_from_the_checkpoint(tmp_path):
    path = whole(2).save(tmp_path / "net.gx")
    model = classifier(0.2)
    model.fit(DATA, epochs=5, validation_data=DATA, resume=path, batch_size=16, verbose=False)
    assert_same_run(model, whole(5))


def test_a_stream_goes_on_within_its_epoch(tmp_path):
    def batches():
        for start in range(0, 60, 16):
            yield DATA.x[start : start + 16], DATA.y[start : start + 16]

    options = {"optimizer": optim.momentum(0.1), "epochs": 3, "verbose": False}
    expected, first, second = classifier(0.2), classifier(0.2), classifier(0.2)
    expected.fit(batches, **options)
    first.fit(batches, callbacks=[StopAt(6)], **options)
    second.fit(batches, resume=first.save(tmp_path / "net.gx"), **options)
    assert_same_run(second, expected)


def test_early_stopping_goes_on_with_its_best_weights(tmp_path):
    def callbacks():
        stopping = train.EarlyStopping("val_loss", patience=2, min_delta=0.05)
        return [train.Checkpoint(tmp_path / "run.gx"), stopping]

    expected = whole(40, callbacks=callbacks())
    assert expected.history.stopped.startswith("val_loss has not become better since epoch")
    for step in (4 * len(expected.history) - 3, 4 * len(expected.history)):
        first = classifier(0.2)
        first.fit(DATA, epochs=40, validation_data=DATA, callbacks=[*callbacks(), StopAt(step)], **PLAIN)
        second = classifier(0.2)
        second.fit(
            DATA,
            epochs=40,
            validation_data=DATA,
            callbacks=callbacks(),
            resume=tmp_path / "run.gx",
            **PLAIN,
        )
        assert same(second.params, expected.params)
        assert second.history.rows == expected.history.rows
        assert second.history.stopped == expected.history.stopped


def test_ctrl_c_within_a_callback_waits_until_all_have_seen_the_epoch(tmp_path):
    def callbacks(signals):
        class Signal(train.Callback):
            def on_epoch_end(self, run, row):
                if run.epoch in signals:
                    signal.raise_signal(signal.SIGINT)

        return [Signal(), train.EarlyStopping("loss"), train.Checkpoint(tmp_path / "run.gx")]

    expected = whole(4, callbacks=callbacks(()))
    first, second = classifier(0.2), classifier(0.2)
    options = {**PLAIN, "epochs": 4, "validation_data": DATA}
    assert first.fit(DATA, callbacks=callbacks((2,)), **options).stopped == "interrupted"
    assert len(first.history) == 2
    second.fit(DATA, callbacks=callbacks(()), resume=tmp_path / "run.gx", **options)
    assert same(second.params, expected.params)
    assert second.history.rows == expected.history.rows


def test_counts_of_numpy_are_counts(tmp_path):
    options = {**PLAIN, "batch_size": np.int64(16), "epochs": np.int64(3), "seed": np.int64(0)}
    first, second = classifier(0.2), classifier(0.2)
    first.fit(DATA, validation_data=DATA, callbacks=[StopAt(6)], steps_per_epoch=np.int64(4), **options)
    path = first.save(tmp_path / "net.gx")
    second.fit(DATA, validation_data=DATA, resume=path, steps_per_epoch=4, **options)
    assert_same_run(second, whole(3))


def test_a_run_that_ended_by_itself_stays_ended(tmp_path):
    def callbacks():
        return [train.EarlyStopping("loss", patience=1, min_delta=9.0), train.Checkpoint(tmp_path / "run.gx")]

    expected = whole(9, callbacks=callbacks())
    model = classifier(0.2)
    model.fit(
        DATA, epochs=9, validation_data=DATA, callbacks=callbacks(), resume=tmp_path / "run.gx", **PLAIN
    )
    assert len(model.history) == 2
    assert same(model.params, expected.params)
    assert model.history.stopped == expected.history.stopped


def test_best_and_numbered_checkpoints(tmp_path):
    best = train.Checkpoint(tmp_path / "best.gx", best="val_accuracy")
    each = train.Checkpoint(tmp_path / "at{epoch}.gx", every=2)
    model = whole(5, callbacks=[best, each])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["at2.gx", "at4.gx", "best.gx"]
    top = max(model.history["val_accuracy"])
    assert gx.load(tmp_path / "best.gx").evaluate(DATA)["accuracy"] == top
    assert len(gx.load(tmp_path / "at2.gx").history) == 2


def normalised():
    """A classifier whose graph names nodes in its settings: the states that a batch normalisation carries on."""
    x, t = gx.input("x", ("batch", 2)), gx.input("t", ("batch",), dtype="int64")
    h = nn.batch_norm(nn.dense(x, 8, name="hidden"), name="norm")
    z = nn.dense(gx.relu(h), 3, name="output")
    return gx.Model(z, nn.cross_entropy(z, t), name="normalised")


def recurrent(activation=gx.tanh):
    """A classifier with a loop, whose body is a setting."""
    x, t = gx.input("x", ("batch", 2)), gx.input("t", ("batch",), dtype="int64")
    W = gx.param("W", (2, 3))

    def cell(h, step):
        h = activation(h + x @ W)
        return h, step

    h, _ = gx.scan(cell, gx.zeros(("batch", 3)), gx.arange(2))
    return gx.Model(h, nn.cross_entropy(h, t), name="recurrent")


@pytest.mark.parametrize("declare", [normalised, recurrent])
def test_the_same_declaration_made_again_goes_on_from_its_checkpoint(tmp_path, declare):
    expected = declare()
    expected.fit(DATA, epochs=3, **PLAIN)
    declare().fit(DATA, epochs=2, callbacks=[train.Checkpoint(tmp_path / "run.gx")], **PLAIN)
    found = declare()
    found.fit(DATA, epochs=3, resume=tmp_path / "run.gx", **PLAIN)
    assert same(found.params, expected.params)
    assert same(found.values.state, expected.values.state)
    assert found.history.rows == expected.history.rows


def test_a_loop_with_another_body_is_another_model(tmp_path):
    recurrent().fit(DATA, epochs=1, callbacks=[train.Checkpoint(tmp_path / "run.gx")], **PLAIN)
    with pytest.raises(DataError, match="is the checkpoint of another model"):
        recurrent(gx.sigmoid).fit(DATA, epochs=2, resume=tmp_path / "run.gx", **PLAIN)


OTHERS = {
    "another model": (lambda: line(), {}, r"is the checkpoint of another model"),
    "another rate of dropout": (
        lambda: classifier(0.3),
        {},
        r"of another model\n +given: +drop.mask = .*keep=52429.*\n +expected: drop.mask = .*keep=45875",
    ),
    "other frozen parameters": (
        lambda: classifier(0.2).freeze("hidden"),
        {},
        r"was trained with other parameters frozen",
    ),
    "another batch size": (
        lambda: classifier(0.2),
        {"batch_size": 8},
        r"with other settings\n.*batch_size=8",
    ),
    "another seed": (lambda: classifier(0.2), {"seed": 1}, r"with other settings\n.*shuffle_seed=1"),
    "in order": (lambda: classifier(0.2), {"shuffle": False}, r"with other settings\n.*shuffle_seed=None"),
    "another optimizer": (
        lambda: classifier(0.2),
        {"optimizer": optim.sgd(0.1)},
        r"was trained with another optimizer",
    ),
    "no such callback": (
        lambda: classifier(0.2),
        {"callbacks": []},
        r"the state of a callback EarlyStopping",
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_does_not_fit_a_checkpoint_is_refused_and_nothing_changes(tmp_path, case):
    path = tmp_path / "net.gx"
    whole(2, callbacks=[train.EarlyStopping(), train.Checkpoint(path)])
    make, changes, text = OTHERS[case]
    model = make()
    before, rows = model.params, list(model.history.rows)
    options = {**PLAIN, "callbacks": [train.EarlyStopping()], **changes}
    data = DATA if case != "another model" else (np.ones((60, 1)), np.ones((60, 1)))
    with pytest.raises((DataError, ArgumentError), match=text):
        model.fit(data, epochs=5, resume=path, **options)
    assert same(model.params, before)
    assert model.history.rows == rows


def test_files_that_are_no_checkpoints(tmp_path):
    model = classifier(0.2)
    path = model.save(tmp_path / "net.gx")
    with pytest.raises(DataError, match="holds a model, but no training to go on with"):
        model.fit(DATA, resume=path, **PLAIN)
    with pytest.raises(DataError, match="there is no such file"):
        model.fit(DATA, resume=tmp_path / "none.gx", **PLAIN)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(FileFormatError, match="is damaged"):
        model.fit(DATA, resume=path, **PLAIN)
    assert len(model.history) == 0


def test_values_that_were_set_by_hand_are_no_place_to_go_on_from(tmp_path):
    model = whole(2).set_params({"output.b": np.ones(3)})
    with pytest.raises(DataError, match="no training to go on with"):
        classifier(0.2).fit(DATA, resume=model.save(tmp_path / "net.gx"), **PLAIN)


def test_what_was_frozen_afterwards_is_no_place_to_go_on_from(tmp_path):
    path = whole(2).freeze("hidden").save(tmp_path / "net.gx")
    with pytest.raises(DataError, match="no training to go on with"):
        classifier(0.2).freeze("hidden").fit(DATA, resume=path, **PLAIN)


def test_a_folder_that_is_not_there_is_found_before_training(tmp_path):
    model = classifier()
    with pytest.raises(DataError, match="checkpoints cannot be written to"):
        model.fit(DATA, callbacks=[train.Checkpoint(tmp_path / "none" / "run.gx")], **PLAIN)
    assert len(model.history) == 0


# -- killed -------------------------------------------------------------------------------------------------------

SCRIPT = """
import hashlib, pathlib, sys
from graphc import nn, optim, train
from tests.train.support import classifier, spirals

folder, epochs = pathlib.Path(sys.argv[1]), int(sys.argv[2])
path = folder / "run.gx"
callbacks = [train.Checkpoint(path, every_steps=1)]
options = {"epochs": epochs, "optimizer": optim.adam(0.01), "verbose": False, "batch_size": 16}
resume = path if path.exists() else None
classifier(0.2).fit(spirals(), callbacks=callbacks, resume=resume, **options)
"""


def start(folder, epochs):
    """A process that trains and writes after each step."""
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(SCRIPT), str(folder), str(epochs)])


def written(folder):
    """The file that stands there now, by its place on the disk and its time."""
    path = folder / "run.gx"
    return (path.stat().st_ino, path.stat().st_mtime_ns) if path.exists() else None


def digests(epochs):
    """The parameters after each step of a run that is never killed."""
    found = {}

    class Watch(train.Callback):
        def on_batch_end(self, run, loss):
            found[run.step] = run.model.params

    classifier(0.2).fit(spirals(), epochs=epochs, callbacks=[Watch()], **PLAIN)
    return found


def killed_runs(folder, times, epochs):
    expected = digests(epochs)
    rng = np.random.default_rng(0)
    step = 0
    for _ in range(times):
        before = written(folder)
        process = start(folder, epochs)
        while written(folder) == before:  # it has begun to write: from here on it may die at any moment
            assert process.poll() is None
            time.sleep(0.002)
        time.sleep(rng.uniform(0.0, 0.2))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        model = gx.load(folder / "run.gx")
        assert model.values.step >= step  # the same where the end of an epoch was written
        step = model.values.step
        assert same(model.params, expected[step])
        assert len(model.history) == step // 4 or model.training.position.batch == 4
    return expected


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_run_leaves_a_whole_checkpoint(tmp_path):
    killed_runs(tmp_path, 2, 400)


@pytest.mark.full
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_run_killed_twenty_times_ends_as_if_it_never_was(tmp_path):
    expected = killed_runs(tmp_path, 20, 400)
    left = [p for p in tmp_path.iterdir() if p.suffix == ".tmp"]
    assert len(left) <= 1  # that of the last kill, where it fell into a write
    assert start(tmp_path, 400).wait() == 0
    model = gx.load(tmp_path / "run.gx")
    assert same(model.params, expected[1600])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.gx"]


def test_temporary_files_of_killed_writers_are_removed_and_those_of_others_stay(tmp_path):
    stale = tmp_path / ".run.gx.abcd1234.tmp"
    others = [
        tmp_path / ".run.gx.old.tmp",
        tmp_path / ".other.gx.abcd1234.tmp",
        tmp_path / "run.gx.abcd1234.tmp",
    ]
    for path in (stale, *others):
        path.write_bytes(b"half")
    write_bytes(tmp_path / "run.gx", b"whole")
    assert not stale.exists()
    assert all(path.exists() for path in others)


def test_a_temporary_file_that_is_being_written_is_left_alone(tmp_path):
    fcntl = pytest.importorskip("fcntl")
    busy = tmp_path / ".run.gx.abcd1234.tmp"
    with busy.open("wb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        write_bytes(tmp_path / "run.gx", b"whole")
        assert busy.exists()
    write_bytes(tmp_path / "run.gx", b"whole")
    assert not busy.exists()


@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_network_with_running_statistics_goes_on(tmp_path, momentum):
    def network():
        x, t = gx.input("x", ("batch", 2)), gx.input("t", ("batch",), dtype="int64")
        h = gx.nn.batch_norm(gx.nn.dense(x, 4, name="hidden"), axis=-1, momentum=momentum, name="norm")
        z = gx.nn.dense(gx.nn.dropout(h, 0.3, name="drop"), 3, name="output")
        return gx.Model(z, gx.nn.cross_entropy(z, t), metrics=["accuracy", "f1_macro"], name="normal")

    expected, model, other = network(), network(), network()
    expected.fit(DATA, epochs=4, **PLAIN)
    model.fit(DATA, epochs=4, callbacks=[train.Checkpoint(tmp_path / "c.gx"), StopAt(6)], **PLAIN)
    other.fit(DATA, epochs=4, resume=tmp_path / "c.gx", **PLAIN)
    assert same(expected.params, other.params)
    assert same(expected.state, other.state)
    assert expected.history.rows == other.history.rows
