"""Labels are found behind what moves them, and exported code checks those that count."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

import graphc as gx
from graphc import nn
from graphc.codegen.labels import LabelRange, label_inputs


def labels_of(build, classes=5):
    z, t = gx.input("z", ("n", classes)), gx.input("t", ("n",), dtype="int64")
    found = label_inputs(gx.graph_of(build(z, t)))
    return found.get(t)


def test_what_labels_may_be():
    assert labels_of(nn.cross_entropy) == LabelRange(5)
    assert labels_of(lambda z, t: nn.cross_entropy(z, t, ignore=-1)) == LabelRange(5, frozenset({-1}))
    moved = labels_of(lambda z, t: gx.sum(gx.one_hot(gx.expand_dims(gx.reshape(t, ("n", 1)), 0), 4)))
    assert moved == LabelRange(4)
    both = labels_of(lambda z, t: nn.cross_entropy(z, t, ignore=-1) + gx.mean(gx.one_hot(t, 4)))
    assert both == LabelRange(4)


def test_what_is_not_known_is_not_claimed():
    assert labels_of(lambda z, t: gx.sum(gx.one_hot(t[1:], 4))) is None  # the first may be anything
    assert labels_of(lambda z, t: gx.sum(gx.one_hot(t - 1, 4))) is None
    assert labels_of(lambda z, t: gx.sum(z)) is None


@pytest.mark.parametrize(
    ("ignore", "bad", "words"),
    [(None, -1, "expected: 0 to 4"), (None, 5, "expected: 0 to 4"), (-1, 7, "expected: 0 to 4 or -1")],
)
def test_a_program_refuses_a_label_out_of_range_by_name(ignore, bad, words):
    z, t = gx.input("z", ("n", 5)), gx.input("t", ("n",), dtype="int64")
    program = gx.compile(nn.cross_entropy(z, t, ignore=ignore))
    with pytest.raises(gx.GraphcError, match="t holds a label out of range") as caught:
        program(np.zeros((3, 5)), [0, 1, bad])
    assert f"given:    {bad} at position 2" in str(caught.value)
    assert words in str(caught.value)
    assert np.isfinite(program(np.zeros((3, 5)), [0, 4, 1 if ignore is None else ignore]))


@pytest.fixture
def exported(tmp_path):
    x, t = gx.input("x", ("n", 3)), gx.input("t", ("n",), dtype="int64")
    z = nn.dense(x, 4, name="l")
    model = gx.Model(z, nn.cross_entropy(z, t, ignore=-1))
    path = model.export(tmp_path / "net.py", optimizer=gx.optim.sgd())
    spec = importlib.util.spec_from_file_location("net", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return model, module, path


def test_exported_code_lets_ignored_labels_pass_and_names_the_others(exported):
    model, module, path = exported
    params, state, _ = module.load()
    data = np.random.default_rng(0).normal(size=(3, 3)).astype("float32")
    got = module.evaluate(params, state, data, np.array([0, -1, 3]))["loss"]
    assert got == pytest.approx(model.evaluate(data, np.array([0, -1, 3]))["loss"], rel=1e-6)
    alone = module.evaluate(params, state, data[[0, 2]], np.array([0, 3]))["loss"]
    assert got == pytest.approx(alone, rel=1e-6)
    for bad in ([0, -2, 3], [0, -1, 4]):
        with pytest.raises(ValueError, match="t holds labels"):
            module.evaluate(params, state, data, np.array(bad))
    run = subprocess.run([sys.executable, "-I", str(path)], capture_output=True, text=True, check=True)
    assert "numbers in 2 parameters" in run.stdout
