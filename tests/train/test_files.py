"""Saved and exported models: equal to the last bit, whole or absent, and never run."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim
from graphc.errors import ArgumentError, FileFormatError, GraphcError
from graphc.runtime.files import write_files
from graphc.runtime.load import load_source
from graphc.train.export import array_code
from tests.train.support import classifier, line, same, spirals

DATA = spirals()
QUIET = {"verbose": False, "batch_size": 16}


@pytest.fixture
def model():
    model = classifier(0.2)
    model.fit(DATA, optimizer=optim.adam(0.01), epochs=2, **QUIET)
    return model


# -- saved models -------------------------------------------------------------------------------------------------


def test_a_loaded_model_is_the_model_that_was_saved(model, tmp_path):
    loaded = gx.load(model.save(tmp_path / "net.gx"))
    assert loaded.predict(DATA.x).tobytes() == model.predict(DATA.x).tobytes()
    assert loaded.evaluate(DATA) == model.evaluate(DATA)
    assert same(loaded.params, model.params)
    assert same(loaded.values.slots, model.values.slots)
    assert loaded.history.rows == model.history.rows
    assert loaded.history.stopped == model.history.stopped
    assert (loaded.name, loaded.level, loaded.optimizer.name) == ("net", "default", "adam")
    assert loaded.optimizer.settings == model.optimizer.settings
    assert loaded.source() == model.source()


def test_a_loaded_model_goes_on_to_the_last_bit_masks_included(model, tmp_path):
    loaded = gx.load(model.save(tmp_path / "net.gx"))
    model.fit(DATA, epochs=3, **QUIET)
    loaded.fit(DATA, epochs=3, **QUIET)
    assert same(loaded.params, model.params)
    assert loaded.history.rows == model.history.rows


def test_what_is_frozen_stays_frozen(model, tmp_path):
    model.freeze("hidden")
    loaded = gx.load(model.save(tmp_path / "net.gx"))
    assert loaded.frozen == model.frozen == {"hidden.W", "hidden.b"}


def test_states_are_saved(tmp_path):
    x, y = gx.input("x", ("n", 1)), gx.input("y", ("n", 1))
    seen = gx.state("seen", (1,))
    p = nn.dense(gx.update(x, {seen: seen + gx.sum(x, axis=0)}), 1, name="line")
    model = gx.Model(p, nn.mse(p, y))
    model.fit([[4.0]], [[1.0]], epochs=3, verbose=False)
    assert gx.load(model.save(tmp_path / "m.gx")).state["seen"] == 12


def test_a_model_that_was_not_trained_and_one_without_a_loss(tmp_path):
    loaded = gx.load(classifier().save(tmp_path / "a.gx"))
    assert same(loaded.params, classifier().params)
    assert loaded.optimizer is None
    x = gx.input("x", ("n", 2))
    loaded = gx.load(gx.Model({"twice": 2 * x}).save(tmp_path / "b.gx"))
    np.testing.assert_array_equal(loaded.predict([[1.0, 2.0]])["twice"], [[2.0, 4.0]])


def test_names_of_any_kind_survive(tmp_path):
    x = gx.input("x/../x", ("groesse", 1))
    w = gx.param("../w.npy", (1, 1), init="ones")
    model = gx.Model((x @ w).named("class"), name="a model / of mine")
    loaded = gx.load(model.save(tmp_path / "m.gx"))
    assert loaded.name == "a model / of mine"
    np.testing.assert_array_equal(loaded.predict([[3.0]]), [[3.0]])


def rewritten(path, change, **arrays):
    """The bytes of a saved model with its header changed."""
    with np.load(path) as archive:
        members = dict(archive)
    header = json.loads(members["header"].tobytes())
    change(header)
    members["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{**members, **arrays})
    return buffer.getvalue()


HOSTILE = {
    "version": lambda h: h.update(version=99),
    "no version": lambda h: h.pop("version"),
    "format": lambda h: h.update(format="something else"),
    "no graph": lambda h: h.pop("graph"),
    "code as a graph": lambda h: h.update(graph="__import__('os').system('touch hacked')"),
    "half a graph": lambda h: h.update(graph=h["graph"][: len(h["graph"]) // 2]),
    "graph of numbers": lambda h: h.update(graph=3),
    "code in the name": lambda h: h.update(graph=h["graph"].replace("graph net", "graph net\nimport os")),
    "unknown card": lambda h: h.update(graph=h["graph"].replace("tanh(", "system(")),
    "unknown optimizer": lambda h: h["optimizer"].update(optimizer="__import__"),
    "optimizer settings": lambda h: h["optimizer"]["settings"].update(lr="fast"),
    "unknown setting": lambda h: h["optimizer"]["settings"].update(run="rm"),
    "optimizer of a list": lambda h: h.update(optimizer=[1]),
    "level": lambda h: h.update(level="yolo"),
    "frozen": lambda h: h.update(frozen=["nothing.W"]),
    "names": lambda h: h["names"].update(params=["hidden.W"]),
    "surplus names": lambda h: h["names"]["params"].append("more"),
    "names of numbers": lambda h: h.update(names=7),
    "slots": lambda h: h["names"]["slots"].reverse(),
    "generators": lambda h: h["names"].update(rng=["another"]),
    "history": lambda h: h.update(history=[{"loss": "low"}]),
    "history of numbers": lambda h: h.update(history=5),
    "step": lambda h: h.update(step="many"),
    "training": lambda h: h.update(training=[1]),
    "position": lambda h: h["training"]["position"].update(epoch=-1),
    "settings": lambda h: h["training"]["position"].update(settings=[["seed", "one"]]),
    "kept array": lambda h: h["training"].update(callbacks=[["EarlyStopping", {"array": "none"}]]),
    "kept code": lambda h: h["training"].update(callbacks=[["EarlyStopping", {"eval": "1"}]]),
    "kept list": lambda h: h["training"].update(callbacks=[["EarlyStopping", {"plain": [1]}]]),
    "score": lambda h: h.update(scores=[["f1", "__import__", {}]]),
    "score of nothing": lambda h: h.update(scores=[["f1", "f1", {}]]),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_header_is_refused_and_nothing_is_run(model, tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    path = model.save(tmp_path / "net.gx")
    path.write_bytes(rewritten(path, HOSTILE[case]))
    with pytest.raises(FileFormatError, match=r"net\.gx"):
        gx.load(path)
    assert [p.name for p in tmp_path.iterdir()] == ["net.gx"]


@pytest.mark.parametrize(
    "array", [np.zeros(3), np.zeros((2, 8), "int64"), np.array(["x"]), np.zeros((0, 0))], ids=str
)
def test_arrays_that_do_not_fit_are_refused(model, tmp_path, array):
    path = model.save(tmp_path / "net.gx")
    for member in ("params.0", "slots.1", "rng.0"):
        path.write_bytes(rewritten(path, lambda header: None, **{member: array}))
        with pytest.raises(FileFormatError, match="is damaged"):
            gx.load(path)


def test_python_objects_are_refused(model, tmp_path):
    path = tmp_path / "net.gx"
    with zipfile.ZipFile(path, "w") as archive, archive.open("header.npy", "w") as stream:
        np.lib.format.write_array(stream, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(FileFormatError):
        gx.load(path)


def test_any_truncation_is_refused(model, tmp_path):
    path = model.save(tmp_path / "net.gx")
    data = path.read_bytes()
    for end in (*range(0, len(data), 97), len(data) - 1):
        path.write_bytes(data[:end])
        with pytest.raises(FileFormatError):
            gx.load(path)


def test_a_flipped_bit_is_refused_or_changes_nothing(model, tmp_path):
    path = model.save(tmp_path / "net.gx")
    data, expected = path.read_bytes(), model.params
    rng = np.random.default_rng(0)
    for bit in rng.choice(len(data) * 8, 150, replace=False):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(flipped)
        try:
            loaded = gx.load(path)
        except FileFormatError:
            continue
        assert same(loaded.params, expected)  # a bit of the archive's bookkeeping, such as a date
        assert same(loaded.values.slots, model.values.slots)


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", b"\x93NUMPY", b"{}", bytes(range(100, 256))], ids=lambda d: repr(d[:6])
)
def test_files_of_other_kinds_are_refused(tmp_path, data):
    path = tmp_path / "net.gx"
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match=r"net\.gx is not a saved model"):
        gx.load(path)


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(GraphcError, match="there is no such file"):
        gx.load(tmp_path / "none.gx")
    with pytest.raises(FileFormatError):
        gx.load(tmp_path)


# -- written whole or not at all ----------------------------------------------------------------------------------


def test_a_write_that_fails_leaves_the_old_file(model, tmp_path, monkeypatch):
    path = model.save(tmp_path / "net.gx")
    before = path.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    model.fit(DATA, **QUIET)
    with pytest.raises(OSError, match="No space left"):
        model.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["net.gx"]


def test_files_that_belong_together_are_all_written_or_none(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(IsADirectoryError):
        write_files({tmp_path / "a": b"new", tmp_path / "b": b"new"})
    assert (tmp_path / "a").read_bytes() == b"old"
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        write_files({tmp_path / "a": b"new", tmp_path / "none" / "b": b"new"})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]
    assert write_files({tmp_path / "a": b"new"}) == [tmp_path / "a"]
    assert (tmp_path / "a").read_bytes() == b"new"


@pytest.mark.parametrize("rate", [0.0, 0.5])
def test_the_head_of_an_export_says_how_to_call_it(tmp_path, rate):
    x, t = gx.input("x", ("batch", 2)), gx.input("t", ("batch",), dtype="int64")
    h = nn.dense(x, 4, name="hidden")
    logits = nn.dense(nn.dropout(h, rate, name="drop") if rate else h, 3, name="output")
    gx.Model(logits, nn.cross_entropy(logits, t), name="net").export(tmp_path / "net.py", optimizer="sgd")
    head = (tmp_path / "net.py").read_text(encoding="utf-8").partition("As a program")[0]
    assert ("    rng = make_rng(0)\n    train_step(params, state, slots, x, t, rng=rng)\n" in head) == bool(
        rate
    )
    assert ("    train_step(params, state, slots, x, t)\n" in head) != bool(rate)
    drawn = ", rng=rng" if rate else ""
    assert f"    train_epoch(params, state, slots, data{drawn})\n" in head


def test_a_folder_that_is_not_there_is_named(model, tmp_path):
    """An error of graphc, which those who catch FileNotFoundError get as well."""
    for write in (model.export, model.save, gx.compile(model.loss).export, model.derivation().save):
        suffix = {"export": ".py", "save": ".gx"}[write.__name__]
        path = tmp_path / "none" / f"net{'.html' if 'erivation' in str(write) else suffix}"
        with pytest.raises(gx.GraphcError, match="there is no such folder") as caught:
            write(path)
        assert isinstance(caught.value, FileNotFoundError)
        assert caught.value.given == str(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_fails_leaves_the_old_weights(model, tmp_path):
    (tmp_path / "net.py").mkdir()
    (tmp_path / "net.npz").write_bytes(b"old")
    with pytest.raises(IsADirectoryError):
        model.export(tmp_path / "net.py", data=DATA)
    assert (tmp_path / "net.npz").read_bytes() == b"old"


# -- exported models ----------------------------------------------------------------------------------------------


def imported(path):
    """The names of an exported file, as if imported."""
    space = load_source(path.read_text(encoding="utf-8"), path.stem)
    space["__file__"] = str(path)
    return space


@pytest.mark.parametrize("weights", ["inline", "npz", "auto"])
def test_an_exported_file_agrees_to_the_last_bit(model, tmp_path, weights):
    path = model.export(tmp_path / "net.py", weights=weights)
    assert path.with_suffix(".npz").exists() is (weights == "npz")
    module = imported(path)
    params, state, data = module["load"]()
    assert (same(params, model.params), state, data) == (True, {}, {})
    assert module["predict"](params, state, DATA.x).tobytes() == model.predict(DATA.x).tobytes()
    found = module["evaluate"](params, state, DATA.x, DATA.y)
    assert {k: float(v) for k, v in found.items()} == model.evaluate(DATA)
    assert max(map(len, path.read_text(encoding="utf-8").splitlines())) <= 100


def test_an_exported_file_trains_as_the_model_does(tmp_path):
    model = line("float64")
    x, y = np.arange(6.0)[:, None], 3 * np.arange(6.0)[:, None] + 1
    path = model.export(tmp_path / "line.py", optimizer=optim.momentum(0.01))
    module = imported(path)
    params, state, slots = module["init"](0)
    assert same(params, model.params)
    model.fit(x, y, optimizer=optim.momentum(0.01), epochs=5, batch_size=6, shuffle=False, verbose=False)
    for _ in range(5):
        params, state, slots, loss = module["train_step"](params, state, slots, x, y)
    assert same(params, model.params)
    assert same(slots, model.values.slots)
    assert float(loss) == model.history["loss"][-1]
    values, data = module["init"](0), module["prepare"]({"x": x, "y": y})
    for _ in range(5):
        *values, losses = module["train_epoch"](*values, data, batch_size=6)
    assert same(values[0], model.params)
    assert losses == [loss]


def test_an_exported_file_prints_its_scores_from_numpy_alone(model, tmp_path):
    path = model.export(tmp_path / "net.py", data=DATA)
    done = subprocess.run(
        [sys.executable, "-I", str(path)], capture_output=True, text=True, check=True, cwd="/"
    )
    found = model.evaluate(DATA)
    assert done.stdout == f"loss: {found['loss']!r}\naccuracy: {found['accuracy']!r}\n"


def test_states_and_scalars_are_exported(tmp_path):
    x, y = gx.input("x", ("n", 1)), gx.input("y", ("n",))
    w, b = gx.param("w", (1,), init="ones"), gx.param("b", (), init=0.1)
    seen = gx.state("seen", (), dtype="int64")
    p = gx.sum(gx.update(x, {seen: seen + 1}) * w, axis=1) + b
    model = gx.Model(p, nn.mse(p, y))
    model.fit([[1.0]], [2.0], epochs=2, verbose=False)
    module = imported(model.export(tmp_path / "m.py"))
    params, state, _ = module["load"]()
    assert same(params, model.params)
    assert same(state, model.state)


BAD_EXPORTS = {
    "suffix": ({"path": "net.txt"}, r"a model is exported to a \.py file"),
    "weights": ({"weights": "json"}, "unknown place for weights"),
    "data": ({"weights": "inline", "data": DATA}, r"data go into a \.npz beside the file"),
}


@pytest.mark.parametrize("case", BAD_EXPORTS)
def test_bad_exports_write_nothing(model, tmp_path, case):
    options, text = BAD_EXPORTS[case]
    path = tmp_path / options.get("path", "net.py")
    with pytest.raises(GraphcError, match=text):
        model.export(path, **{k: v for k, v in options.items() if k != "path"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bool"])
@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (40,), (7, 9), (0,), (2, 0)])
def test_arrays_as_code_are_exact(dtype, shape):
    rng = np.random.default_rng(0)
    array = (rng.normal(size=shape) * 10.0 ** rng.integers(-30, 30, shape)).astype("float32")
    array = np.asarray(array if "float" in dtype else np.clip(array, -1e6, 1e6)).astype(dtype)
    found = eval(array_code(array), {"np": np})
    assert (np.asarray(found).dtype, np.shape(found)) == (array.dtype, shape)
    assert np.asarray(found).tobytes() == array.tobytes()


def test_special_values_as_code():
    array = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, np.finfo("float64").max])
    found = eval(array_code(array), {"np": np})
    np.testing.assert_array_equal(found, array)
    assert np.signbit(found[3])


@pytest.mark.parametrize("path", [3, None, b"a.py", "", "a\0.svg", "half\ud800.png"])
@pytest.mark.parametrize("write", ["export", "save", "view", "derivation", "save_plot"])
def test_what_is_no_name_of_a_file_is_refused(path, write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = gx.input("x", ("n", 2))
    model = gx.Model(y := gx.nn.dense(x, 1, name="only"), gx.mean(gx.square(y)))
    history = gx.train.History([{"epoch": 1, "loss": 1.0}])
    writers = {
        "export": model.export,
        "save": model.save,
        "view": lambda path: model.view().save(path),
        "derivation": lambda path: model.derivation().save(path),
        "save_plot": history.save_plot,
    }
    with pytest.raises(gx.GraphcError):
        writers[write](path)
    assert list(tmp_path.iterdir()) == []


def test_a_name_of_a_leaf_that_is_too_long_says_so():
    with pytest.raises(ArgumentError, match="too long"):
        gx.param("n" * 201, (2,))
