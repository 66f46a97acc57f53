"""Where batches come from: threads, streams without an end, held-out shares, weights, seeds; and bad data."""

from __future__ import annotations

import signal
import threading
import time

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim, train
from graphc.errors import ArgumentError, DataError, UnknownNameError
from tests.train.support import classifier, line, same, spirals

DATA = spirals()
PLAIN = {"verbose": False, "optimizer": optim.adam(0.01)}


def chunks(size=16):
    for start in range(0, 60, size):
        yield DATA.x[start : start + size], DATA.y[start : start + size]


def threads():
    return [t for t in threading.enumerate() if t.name == "graphc batches"]


# -- a background thread ------------------------------------------------------------------------------------------


def test_batches_made_ahead_train_alike():
    expected, found = classifier(), classifier()
    expected.fit(chunks, epochs=3, **PLAIN)
    found.fit(train.Prefetch(chunks), epochs=3, **PLAIN)
    assert same(found.params, expected.params)
    assert threads() == []


def test_the_thread_stays_a_few_batches_ahead():
    made = []

    def source():
        for i in range(50):
            made.append(i)
            yield i

    stream = iter(train.Prefetch(source, ahead=3))
    assert next(stream) == 0
    time.sleep(0.2)
    assert len(made) <= 1 + 3 + 1  # taken, waiting, and one in hand
    assert list(stream) == list(range(1, 50))
    assert threads() == []


def test_what_goes_wrong_in_the_thread_is_raised_where_the_batch_would_come():
    def source():
        yield from list(chunks())[:2]
        raise OSError("the disk is gone")

    model = classifier()
    with pytest.raises(OSError, match="the disk is gone"):
        model.fit(train.Prefetch(source), epochs=2, **PLAIN)
    assert model.values.step == 2
    assert model.history.stopped == "OSError: the disk is gone"
    assert threads() == []


def test_the_thread_ends_when_nobody_reads_on():
    closed = []

    def source():
        try:
            while True:
                yield DATA.x, DATA.y
        finally:
            closed.append(True)

    classifier().fit(train.Prefetch(source), epochs=2, steps_per_epoch=3, **PLAIN)
    assert (threads(), closed) == ([], [True, True])

    class Stop(train.Callback):
        def on_batch_end(self, run, loss):
            raise KeyboardInterrupt

    model = classifier()
    assert model.fit(train.Prefetch(source), callbacks=[Stop()], **PLAIN).stopped == "interrupted"
    assert threads() == []


def test_an_iterator_cannot_be_taken_from_ahead():
    with pytest.raises(ArgumentError, match="an iterator cannot be taken from ahead"):
        train.Prefetch(chunks())
    with pytest.raises(ArgumentError, match="a stream is an iterable"):
        train.Prefetch(3)


@pytest.mark.parametrize("ahead", [0, 2])
def test_a_loader_has_the_batches_of_arrays_in_memory(tmp_path, ahead):
    np.save(tmp_path / "x.npy", DATA.x)
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    expected, found = classifier(), classifier()
    expected.fit(DATA, epochs=3, batch_size=16, seed=0, **PLAIN)
    found.fit(train.Loader(x, DATA.y, batch_size=16, seed=0, ahead=ahead), epochs=3, **PLAIN)
    assert same(found.params, expected.params)
    assert threads() == []


def test_forms_of_a_loader():
    loader = train.Loader(
        {"x": DATA.x, "t": DATA.y}, batch_size=16, transform=lambda b: {**b, "x": b["x"] + 1}, drop_last=True
    )
    batches = list(loader)
    assert (len(loader), len(batches)) == (3, 3)
    assert all(b["x"].shape == (16, 2) for b in batches)
    assert batches[0]["t"].tolist() != next(loader.epoch_batches(1))["t"].tolist()
    assert [b.tolist() for b in train.Loader(np.arange(3), batch_size=2, shuffle=False)] == [[0, 1], [2]]
    classifier().fit(loader, epochs=1, **PLAIN)


def test_what_a_loader_refuses():
    with pytest.raises(DataError, match="different numbers of rows"):
        train.Loader(DATA.x, DATA.y[:-1])
    with pytest.raises(DataError, match="make no batch of 64"):
        train.Loader(DATA.x, DATA.y, batch_size=64, drop_last=True)
    with pytest.raises(ArgumentError, match="batch_size is an int"):
        train.Loader(DATA.x, DATA.y, batch_size=0)
    with pytest.raises(ArgumentError, match="in one dict"):
        train.Loader({"x": DATA.x}, DATA.y)


# -- streams without an end ---------------------------------------------------------------------------------------


def endless():
    while True:
        yield from chunks()


def test_an_iterator_goes_on_where_it_stands():
    expected, found = classifier(), classifier()
    expected.fit(chunks, epochs=3, **PLAIN)
    history = found.fit(endless(), epochs=3, steps_per_epoch=4, **PLAIN)
    assert same(found.params, expected.params)
    assert history["epoch"] == [1, 2, 3]


def test_an_iterator_that_ends_early():
    model = classifier()
    stream = iter([*chunks(), *chunks()])
    with pytest.raises(DataError, match="the batches ended after 2 of 3 in epoch 3"):
        model.fit(stream, epochs=5, steps_per_epoch=3, **PLAIN)
    assert len(model.history) == 2
    assert model.values.step == 8
    assert model.history.stopped.startswith("DataError: the batches ended after 2 of 3")
    assert np.isfinite(model.evaluate(DATA)["loss"])


def test_steps_per_epoch_of_arrays():
    model = classifier()
    model.fit(DATA, epochs=2, batch_size=16, steps_per_epoch=2, **PLAIN)
    assert model.values.step == 4
    with pytest.raises(DataError, match="there are 4 batches in the data, and steps_per_epoch is 5"):
        model.fit(DATA, batch_size=16, steps_per_epoch=5, **PLAIN)


def test_a_bad_batch_of_a_stream_says_which():
    def source():
        yield DATA.x, DATA.y
        yield DATA.x, DATA.y + 1

    model = classifier()
    with pytest.raises(DataError, match=r"a label out of range\n.*given: .* in batch 2 of epoch 1"):
        model.fit(source, **PLAIN)
    assert model.values.step == 1


def test_streams_are_evaluated_and_validated_on():
    model, plain = classifier(), classifier()
    history = model.fit(DATA, epochs=2, validation_data=train.Prefetch(chunks), **PLAIN)
    expected = plain.fit(DATA, epochs=2, validation_data=DATA, **PLAIN)
    assert history["val_loss"] == pytest.approx(expected["val_loss"], rel=1e-6)
    assert model.evaluate(chunks()) == pytest.approx(model.evaluate(DATA), rel=1e-6)
    with pytest.raises(DataError, match="in the validation data, an iterator serves one epoch alone"):
        model.fit(DATA, epochs=2, validation_data=chunks(), **PLAIN)
    with pytest.raises(DataError, match="no batch to evaluate on"):
        model.evaluate(iter([]))
    with pytest.raises(DataError, match=r"a label out of range\n.*in batch 1 of epoch 1"):
        model.evaluate(iter([(DATA.x, DATA.y + 1)]))


# -- held-out shares ----------------------------------------------------------------------------------------------


def test_a_share_is_held_out():
    model = classifier()
    history = model.fit(DATA, epochs=2, validation_split=0.25, batch_size=45, **PLAIN)
    assert history.columns == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert model.values.step == 2  # 45 of 60 are trained on, in one batch
    again, other = classifier(), classifier()
    again.fit(DATA, epochs=2, validation_split=0.25, batch_size=45, **PLAIN)
    other.fit(DATA, epochs=2, validation_split=0.25, batch_size=45, seed={"split": 1}, **PLAIN)
    assert again.history.rows == history.rows
    assert other.history.rows != history.rows


@pytest.mark.parametrize("seed", range(5))
def test_a_stratified_share_has_each_class(seed):
    from graphc.train.heldout import split

    labels = np.repeat([0, 1, 2], [40, 16, 4])
    arrays = {"x": np.arange(60.0), "t": labels, "k": np.arange(3)}
    kept, held = split(arrays, ["x", "t"], 0.25, seed, "t")
    assert np.bincount(held["t"]).tolist() == [10, 4, 1]
    assert sorted([*kept["x"], *held["x"]]) == arrays["x"].tolist()
    assert held["k"] is arrays["k"]
    plain = split(arrays, ["x", "t"], 0.25, seed, None)[1]
    assert len(plain["x"]) == 15


BAD_SPLITS = {
    "share": ({"validation_split": 1.5}, ArgumentError, "a share between 0 and 1"),
    "nothing held out": ({"validation_split": 0.001}, DataError, "leaves nothing to validate on"),
    "nothing trained on": ({"validation_split": 0.999}, DataError, "leaves nothing to train on"),
    "both": ({"validation_split": 0.5, "validation_data": DATA}, ArgumentError, "pass one of them"),
    "stratify alone": ({"stratify": True}, ArgumentError, "stratify is for validation_split"),
}


@pytest.mark.parametrize("case", BAD_SPLITS)
def test_shares_that_make_no_sense(case):
    options, error, text = BAD_SPLITS[case]
    model = classifier()
    with pytest.raises(error, match=text):
        model.fit(DATA, **options, **PLAIN)
    assert len(model.history) == 0


def test_streams_and_quantities_are_not_split():
    with pytest.raises(ArgumentError, match="a stream cannot be split"):
        classifier().fit(chunks, validation_split=0.5, **PLAIN)
    x = np.ones((9, 1))
    with pytest.raises(ArgumentError, match="stratify needs one input of labels"):
        line().fit(x, x, validation_split=0.3, stratify=True, **PLAIN)


# -- weights ------------------------------------------------------------------------------------------------------


def test_class_weights_are_those_of_scikit_learn():
    from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

    labels = np.random.default_rng(0).choice(4, 100, p=[0.6, 0.2, 0.1, 0.1])
    expected = compute_class_weight("balanced", classes=np.arange(4), y=labels)
    np.testing.assert_allclose(train.class_weights(labels), expected)
    weights = train.example_weights(labels)
    np.testing.assert_allclose(weights, compute_sample_weight("balanced", labels), rtol=1e-6)
    assert weights.dtype == np.float32
    assert weights.mean() == pytest.approx(1.0)


def test_sample_weights_are_an_input_of_the_loss():
    x, t, w = gx.input("x", ("n", 2)), gx.input("t", ("n",), dtype="int64"), gx.input("w", ("n",))
    z = nn.dense(x, 3, name="output")
    model = gx.Model(z, gx.mean(w * nn.cross_entropy(z, t, reduction="none")))
    left = DATA.y < 2
    options = {**PLAIN, "epochs": 5, "batch_size": 60, "shuffle": False}
    model.fit(DATA.x, [DATA.y, left.astype("float32")], **options)
    alone = gx.Model(z, gx.sum(nn.cross_entropy(z, t, reduction="none")) / 60)
    alone.fit(DATA.x[left], DATA.y[left], **{**options, "batch_size": 40})
    for name, value in alone.params.items():
        np.testing.assert_allclose(model.params[name], value, rtol=1e-4, atol=1e-6)


BAD_WEIGHTS = {
    "floats": lambda: train.class_weights([0.0, 1.0]),
    "negative": lambda: train.class_weights([-1, 0]),
    "nothing": lambda: train.class_weights(np.zeros(0, int)),
    "an empty class": lambda: train.class_weights([0, 2]),
    "an empty last class": lambda: train.class_weights([0, 1], classes=3),
    "more classes": lambda: train.class_weights([0, 3], classes=2),
    "too few weights": lambda: train.example_weights([0, 1, 2], [1.0, 1.0]),
}


@pytest.mark.parametrize("case", BAD_WEIGHTS)
def test_labels_that_cannot_be_weighted(case):
    with pytest.raises(DataError):
        BAD_WEIGHTS[case]()


# -- seeds --------------------------------------------------------------------------------------------------------


def test_each_seed_changes_its_own_part_alone():
    def run(**seed):
        model = classifier(0.3)
        model.fit(DATA, epochs=1, batch_size=60, seed=seed, **{**PLAIN, "optimizer": optim.sgd(0.0)})
        masks = str(model.make_rng(seed.get("random", 0))["drop.mask"].bit_generator.state)
        return model, masks

    base, masks = run()
    assert not same(run(init=1)[0].params, base.params)
    assert same(run(shuffle=1)[0].params, base.params)
    assert same(run(random=1)[0].params, base.params)
    assert run(random=1)[1] != masks
    trained = [classifier(0.3) for _ in range(4)]
    for model, seed in zip(trained, (0, {}, {"shuffle": 1}, {"random": 1}), strict=True):
        model.fit(DATA, epochs=2, batch_size=16, seed=seed, **PLAIN)
    assert same(trained[0].params, trained[1].params)
    assert not same(trained[0].params, trained[2].params)
    assert not same(trained[0].params, trained[3].params)


def test_seeds_that_are_none():
    with pytest.raises(UnknownNameError, match="no seed named 'dropout'"):
        classifier().fit(DATA, seed={"dropout": 1}, **PLAIN)
    with pytest.raises(ArgumentError, match=r"seed\['init'\] is an int"):
        classifier().fit(DATA, seed={"init": -1}, **PLAIN)


# -- bad data -----------------------------------------------------------------------------------------------------

SPOILT = DATA.x.copy()
SPOILT[7, 1] = np.nan
BAD_DATA = {
    "nan": ((SPOILT, DATA.y), {}, r"x holds nan\n.*index \[7, 1\]"),
    "label": ((DATA.x, DATA.y + 1), {}, "a label out of range"),
    "negative label": ((DATA.x, DATA.y - 1), {}, "a label out of range"),
    "empty": ((DATA.x[:0], DATA.y[:0]), {}, "x is empty"),
    "empty validation": (
        (DATA,),
        {"validation_data": (DATA.x[:0], DATA.y[:0])},
        "in the validation data, x is empty",
    ),
    "nan in the validation": (
        (DATA,),
        {"validation_data": (SPOILT, DATA.y)},
        "in the validation data, x holds nan",
    ),
    "batch": ((DATA,), {"batch_size": 61}, "a batch of 61 is larger than the data"),
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data_is_refused_before_anything_changes(case):
    data, options, text = BAD_DATA[case]
    model = classifier()
    model.fit(DATA, epochs=1, batch_size=16, **PLAIN)
    before, rows, step = model.params, list(model.history.rows), model.values.step
    with pytest.raises(DataError, match=text):
        model.fit(*data, **PLAIN, **options)
    assert same(model.params, before)
    assert (model.history.rows, model.values.step) == (rows, step)


# -- Ctrl-C -------------------------------------------------------------------------------------------------------


class EachStep(train.Callback):
    """Looks at each step, so that steps are taken one at a time."""

    def on_batch_end(self, run, loss):
        pass


def test_ctrl_c_within_a_step_waits_for_its_end(monkeypatch):
    model = classifier(0.2)
    optimizer = optim.adam(0.01)
    module = model.module(optimizer)
    real = module.functions["train_step"]

    def interrupting(*args, **kwargs):
        if model.values.step == 5:
            signal.raise_signal(signal.SIGINT)
        return real(*args, **kwargs)

    monkeypatch.setitem(module.functions, "train_step", interrupting)
    options = {"callbacks": [EachStep()], "optimizer": optimizer, "verbose": False}
    history = model.fit(DATA, epochs=5, batch_size=16, **options)
    assert history.stopped == "interrupted"
    assert (model.values.step, len(history)) == (6, 1)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_while_waiting_for_a_batch_comes_at_once():
    def source():
        yield DATA.x, DATA.y
        signal.raise_signal(signal.SIGINT)
        yield DATA.x, DATA.y

    model = classifier()
    assert model.fit(source, **PLAIN).stopped == "interrupted"
    assert model.values.step == 1


def test_a_handler_of_the_users_own_is_kept():
    seen = []
    before = signal.signal(signal.SIGINT, lambda *_: seen.append(1))
    try:
        classifier().fit(DATA, callbacks=[lambda m, row: signal.raise_signal(signal.SIGINT)], **PLAIN)
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [1]


def test_a_function_that_forgets_to_return_its_batches_is_said():
    with pytest.raises(DataError, match="returned nothing to take batches from"):
        line().fit(lambda: None, verbose=False)


def test_a_loader_takes_lists_and_says_what_has_no_rows():
    rows = np.arange(6.0).reshape(3, 2)
    lists, arrays = (train.Loader(a, a, batch_size=2) for a in (rows.tolist(), rows))
    for (a, _), (b, _) in zip(lists.epoch_batches(0), arrays.epoch_batches(0), strict=True):
        assert np.array_equal(a, b)
    for wrong in (3.0, "rows"):
        with pytest.raises(DataError, match="has rows"):
            train.Loader(wrong)


def test_a_function_that_forgets_to_return_is_said_in_the_thread_too():
    with pytest.raises(DataError, match="returned nothing to take batches from"):
        list(train.Prefetch(lambda: None))
