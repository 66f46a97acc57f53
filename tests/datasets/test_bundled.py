"""The real data are what their sources say they are."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest

from graphc import datasets


def test_digits_have_the_promised_types():
    data = datasets.digits()
    assert (data.x.dtype, data.x.shape) == (np.float32, (1797, 64))
    assert (data.y.dtype, data.y.shape) == (np.int64, (1797,))
    assert (data.x.min(), data.x.max()) == (0.0, 1.0)
    assert data.class_names == tuple("0123456789")


def test_digits_are_those_of_scikit_learn():
    published = pytest.importorskip("sklearn.datasets").load_digits()
    data = datasets.digits()
    np.testing.assert_array_equal(data.x.astype(np.float64) * 16, published.data)
    np.testing.assert_array_equal(data.y, published.target)


@pytest.mark.parametrize("scaled", [True, False], ids=["scaled", "raw"])
def test_diabetes_is_that_of_scikit_learn_to_the_bit(scaled: bool):
    published = pytest.importorskip("sklearn.datasets").load_diabetes(scaled=scaled)
    data = datasets.diabetes(scaled=scaled)
    assert data.x.dtype == data.y.dtype == np.float64
    assert data.x.tobytes() == published.data.tobytes()
    assert data.y.tobytes() == published.target.tobytes()
    assert data.feature_names == tuple(published.feature_names)


def test_scaled_diabetes_follows_from_the_raw_values():
    raw = datasets.diabetes(scaled=False).standardized().x / np.sqrt(442)
    np.testing.assert_allclose(raw, datasets.diabetes().x, rtol=0, atol=1e-15)


def test_least_squares_on_bmi_gives_the_documented_figures():
    train, test = datasets.diabetes().select("bmi").split(test=20, seed=None)
    design = np.column_stack([train.x, np.ones(len(train))])
    (slope, intercept), *_ = np.linalg.lstsq(design, train.y)
    error = np.mean((test.x[:, 0] * slope + intercept - test.y) ** 2)
    assert (len(train), len(test)) == (422, 20)
    assert slope == pytest.approx(938.238, abs=5e-4)
    assert intercept == pytest.approx(152.919, abs=5e-4)
    assert error == pytest.approx(2548.072, abs=5e-4)


@pytest.mark.parametrize("name", ["digits", "diabetes"])
def test_source_and_licence_lie_beside_the_data(name: str):
    text = (files("graphc.datasets") / "data" / f"{name}.txt").read_text(encoding="utf-8")
    assert "\nSource\n" in text
    assert "\nLicence\n" in text
    assert "BSD 3-Clause License" in text
    assert getattr(datasets, name)().source == text


def test_importing_datasets_reads_no_data_and_needs_numpy_only():
    code = "import sys, graphc.datasets; print({'sympy', 'networkx', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
