"""Data from a seed: sizes, types, geometry."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphc import datasets
from graphc.errors import ArgumentError

MAKERS = (datasets.spirals, datasets.moons, datasets.lines)
by_name = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)


@by_name
def test_the_seed_decides_the_values(make):
    first, again, other = make(seed=3), make(seed=3), make(seed=4)
    assert first.x.tobytes() == again.x.tobytes()
    assert first.y.tobytes() == again.y.tobytes()
    assert first.x.tobytes() != other.x.tobytes()


@by_name
def test_the_global_generator_is_left_alone(make):
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002 - the very thing that must not be touched
    make()
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002


@by_name
@given(rows=st.integers(3, 50))
def test_rows_are_as_many_as_asked(make, rows):
    data = make(rows=rows)
    assert len(data) == rows
    assert data.x.dtype == np.float32
    assert np.isfinite(data.x).all()


@by_name
@pytest.mark.parametrize("bad", [{"rows": 0}, {"noise": -1.0}, {"noise": float("nan")}], ids=str)
def test_bad_arguments_are_refused(make, bad):
    with pytest.raises(ArgumentError, match=r"given: .*="):
        make(**bad)


@given(st.integers(1, 6), st.integers(0, 20))
def test_classes_share_the_rows_evenly(classes, more):
    counts = np.bincount(datasets.spirals(rows=classes + more, classes=classes).y, minlength=classes)
    assert len(counts) == classes
    assert np.ptp(counts) <= 1


def test_spirals_lie_in_the_unit_circle_and_turn():
    data = datasets.spirals(noise=0.0)
    radius = np.hypot(*data.x.T.astype(np.float64))
    assert radius.max() <= 1 + 1e-6
    angle = np.arctan2(data.x[:, 1], data.x[:, 0])[data.y == 0][1:]
    turn = np.unwrap(angle.astype(np.float64))
    np.testing.assert_allclose(turn[-1] - turn[0], 4.0 * (radius[99] - radius[1]), rtol=1e-5)


def test_spirals_need_a_class():
    with pytest.raises(ArgumentError, match="too few classes"):
        datasets.spirals(classes=0)


def test_moons_are_half_circles():
    data = datasets.moons(noise=0.0)
    upper, lower = (data.x[data.y == label].astype(np.float64) for label in (0, 1))
    np.testing.assert_allclose(np.hypot(*upper.T), 1, rtol=1e-6)
    np.testing.assert_allclose(np.hypot(*(lower - [1.0, 0.5]).T), 1, rtol=1e-6)
    assert upper[:, 1].min() > -1e-6
    assert lower[:, 1].max() < 0.5 + 1e-6


def test_lines_have_the_slopes_they_are_asked_for():
    data = datasets.lines(rows=500, slopes=(2.0, -3.0, 0.5), intercept=4.0, noise=0.01)
    design = np.column_stack([data.x, np.ones(len(data))]).astype(np.float64)
    solution, *_ = np.linalg.lstsq(design, data.y)
    np.testing.assert_allclose(solution, [2.0, -3.0, 0.5, 4.0], atol=0.01)
    assert data.feature_names == ("x1", "x2", "x3")


def test_lines_need_a_slope():
    with pytest.raises(ArgumentError, match="one for each feature"):
        datasets.lines(slopes=())
