"""Dataset: what it refuses, and how it is divided."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphc import datasets
from graphc.datasets import Dataset
from graphc.errors import ArgumentError, DataError, UnknownNameError


def numbered(rows: int, classes: int = 1) -> Dataset:
    """Every row tells its own number, in x and (by class) in y."""
    number = np.arange(rows)
    return Dataset(number[:, None].astype(np.float64), number % classes)


rows_and_test = st.integers(2, 200).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n - 1)))


@given(rows_and_test, st.none() | st.integers(0, 2**32))
def test_split_loses_and_repeats_no_row(sizes, seed):
    rows, count = sizes
    train, test = numbered(rows, 3).split(test=count, seed=seed)
    assert (len(train), len(test)) == (rows - count, count)
    assert sorted([*train.x[:, 0], *test.x[:, 0]]) == list(range(rows))
    for part in (train, test):
        np.testing.assert_array_equal(part.x[:, 0] % 3, part.y)


@given(rows_and_test, st.integers(1, 7), st.integers(0, 2**32))
def test_a_stratified_split_gives_each_class_its_share(sizes, classes, seed):
    rows, count = sizes
    data = numbered(rows, classes)
    train, test = data.split(test=count, seed=seed, stratify=True)
    assert (len(train), len(test)) == (rows - count, count)
    assert sorted([*train.x[:, 0], *test.x[:, 0]]) == list(range(rows))
    share = np.bincount(data.y, minlength=classes) * count / rows
    assert np.all(np.abs(np.bincount(test.y, minlength=classes) - share) <= 1)


def test_split_is_decided_by_its_seed():
    data = numbered(50)
    first, again, other = (data.split(seed=seed)[1].x[:, 0].tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_split_without_a_seed_keeps_the_order():
    train, test = numbered(10).split(test=3, seed=None)
    assert train.x[:, 0].tolist() == list(range(7))
    assert test.x[:, 0].tolist() == [7, 8, 9]


def test_a_fraction_of_one_quarter():
    train, test = datasets.digits().split(test=0.25, seed=0)
    assert (len(train), len(test)) == (1348, 449)
    assert train.class_names == test.class_names == tuple("0123456789")


@pytest.mark.parametrize("test", [0, 10, -1, 0.0, 1.0, 1.5, 0.01, float("nan"), True], ids=repr)
def test_a_split_that_leaves_a_part_empty_is_refused(test):
    with pytest.raises(ArgumentError, match=r"leaves one part empty\n  given:    test="):
        numbered(10).split(test=test)


def test_a_stratified_split_needs_labels_and_a_seed():
    with pytest.raises(ArgumentError, match="needs a seed and integer labels"):
        datasets.diabetes().split(stratify=True)
    with pytest.raises(ArgumentError, match="needs a seed and integer labels"):
        numbered(10).split(seed=None, stratify=True)


def test_standardized_by_the_training_part():
    train, test = datasets.digits().split()
    scaled, by_train = train.standardized(), test.standardized(by=train)
    assert scaled.x.dtype == np.float32
    constant = np.ptp(train.x, axis=0) == 0
    assert constant.any()
    assert not scaled.x[:, constant].any()
    np.testing.assert_allclose(scaled.x.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.x[:, ~constant].std(axis=0), 1, rtol=1e-5)
    wide = train.x.astype(np.float64)
    expected = (test.x - wide.mean(axis=0)) / np.where(constant, 1, wide.std(axis=0))
    np.testing.assert_allclose(by_train.x, expected, rtol=1e-6, atol=1e-6)


def test_standardized_makes_a_constant_feature_zero_whatever_its_value():
    data = Dataset(np.full((7, 1), 0.1), np.zeros(7))
    assert data.x.std() > 0  # rounding: the deviation alone does not tell
    assert not data.standardized().x.any()


def test_standardized_takes_unsigned_integers():
    data = Dataset(np.array([[0], [200]], np.uint8), np.zeros(2))
    assert data.standardized().x.tolist() == [[-1.0], [1.0]]


def test_standardized_refuses_other_features():
    with pytest.raises(DataError, match="the features of two datasets differ"):
        datasets.digits().standardized(by=datasets.diabetes())


def test_select_keeps_columns_and_names_in_the_order_asked():
    data = datasets.diabetes()
    chosen = data.select("bp", "bmi")
    assert chosen.feature_names == ("bp", "bmi")
    np.testing.assert_array_equal(chosen.x, data.x[:, [3, 2]])


def test_select_names_the_features_there_are():
    with pytest.raises(UnknownNameError, match=r"'weight'\n  expected: some of age, sex, bmi"):
        datasets.diabetes().select("weight")
    with pytest.raises(
        UnknownNameError, match=r"pixel_0_0, pixel_0_1, pixel_0_2, ..., pixel_7_7 \(64 in all\)"
    ):
        datasets.digits().select("ink")
    with pytest.raises(UnknownNameError, match="no feature names"):
        numbered(3).select("x")


def test_a_dataset_cannot_be_changed():
    mine = np.zeros((3, 1))
    data = Dataset(mine, np.zeros(3))
    with pytest.raises(ValueError, match="read-only"):
        data.x[0] = 1
    with pytest.raises(AttributeError):
        data.name = "other"
    mine[0] = 1  # the caller's own array stays the caller's


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((3, 1)), np.zeros(2), "do not belong together"),
        (np.zeros(()), np.zeros(()), "do not belong together"),
        (np.zeros((0, 4)), np.zeros(0), "has no rows"),
    ],
    ids=["lengths", "rank", "empty"],
)
def test_arrays_that_are_no_dataset_are_refused(x, y, message):
    with pytest.raises(DataError, match=message):
        Dataset(x, y)


@pytest.mark.parametrize(
    "names",
    [{"feature_names": ("a",)}, {"class_names": ("a",)}],
    ids=["features", "classes"],
)
def test_names_that_do_not_fit_are_refused(names):
    with pytest.raises(DataError, match=r"do not fit [xy]\n  given:    1 names"):
        Dataset(np.zeros((2, 2)), np.arange(2), **names)


def test_take_of_no_row_is_refused():
    with pytest.raises(DataError, match="has no rows"):
        numbered(3).take([])


def test_describe_and_repr():
    text = datasets.digits().describe()
    assert text.splitlines()[0] == repr(datasets.digits())
    assert "0 (178), 1 (182)" in text
    assert "pixel_7_7 (64 in all)" in text
    assert max(map(len, text.splitlines())) < 125


def test_a_dataset_unpacks_and_pickles():
    data = datasets.moons()
    x, y = pickle.loads(pickle.dumps(data))
    np.testing.assert_array_equal(x, data.x)
    np.testing.assert_array_equal(y, data.y)
