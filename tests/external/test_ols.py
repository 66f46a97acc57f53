"""Linear regression by gradient descent reaches what scikit-learn documents for ordinary least squares.

Source: scikit-learn, "Ordinary Least Squares Example": diabetes, bmi alone, the last 20 rows held out; coefficient
938.238, intercept 152.919, mean squared error 2548.07 on the held-out rows.
"""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc import datasets, nn, optim

COEFFICIENT, INTERCEPT, ERROR = 938.238, 152.919, 2548.072
PRINTED = 5e-4  # half a unit of the last printed digit


@pytest.fixture(scope="module")
def line():
    """A straight line, trained on the documented split; with the rows held out."""
    train, test = datasets.diabetes().select("bmi").split(test=20, seed=None)
    x, y = gx.input("x", ("n", 1), "float64"), gx.input("y", ("n",), "float64")
    w = gx.param("w", (1,), init="zeros", dtype="float64")
    b = gx.param("b", (), init="zeros", dtype="float64")
    prediction = x @ w + b
    model = gx.Model(prediction, nn.mse(prediction, y), name="line")
    model.fit(train, optimizer=optim.sgd(0.9), epochs=8000, batch_size=len(train), verbose=False)
    return model, train, test


def test_the_printed_numbers(line):
    model, _, test = line
    assert model.params["w"][0] == pytest.approx(COEFFICIENT, abs=PRINTED)
    assert model.params["b"] == pytest.approx(INTERCEPT, abs=PRINTED)
    assert model.evaluate(test)["loss"] == pytest.approx(ERROR, abs=PRINTED)


def test_the_least_squares_solution(line):
    model, train, _ = line
    columns = np.column_stack([train.x[:, 0], np.ones(len(train))])
    solution = np.linalg.lstsq(columns, train.y)[0]
    np.testing.assert_allclose([model.params["w"][0], model.params["b"]], solution, rtol=1e-9)


def test_scikit_learn_agrees(line):
    linear_model = pytest.importorskip("sklearn.linear_model")
    model, train, _ = line
    fitted = linear_model.LinearRegression().fit(train.x, train.y)
    np.testing.assert_allclose(model.params["w"], fitted.coef_, rtol=1e-9)
    np.testing.assert_allclose(model.params["b"], fitted.intercept_, rtol=1e-9)
