"""The real data inside the package. The text beside each file states its source and licence."""

from __future__ import annotations

from importlib.resources import files

import numpy as np

from graphc.datasets.dataset import Array, Dataset

_DATA = "data"
_DIABETES_FEATURES = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")


def digits() -> Dataset:
    """1,797 handwritten digits of 8×8 pixels, to be told apart.

    Returns:
        x float32[1797, 64], pixels row by row, 0 (paper) to 1 (ink); y int64[1797], the digit, 0 to 9.

    Example:
        >>> from graphc import datasets
        >>> datasets.digits()
        Dataset digits: 1797 rows, x float32[1797, 64], y int64[1797], 10 classes

    Source: UCI Machine Learning Repository, optical recognition of handwritten digits (Alpaydin, 1998).
    """
    arrays = _arrays("digits.npz")
    return Dataset(
        x=arrays["pixels"].astype(np.float32) / np.float32(16),  # k/16 is exact
        y=arrays["labels"].astype(np.int64),
        name="digits",
        feature_names=tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8)),
        class_names=tuple("0123456789"),
        source=_text("digits.txt"),
    )


def diabetes(*, scaled: bool = True) -> Dataset:
    """442 patients: ten measurements, and the progression of the disease a year later.

    Args:
        scaled: each feature with mean 0 and sum of squares 1, to the bit what scikit-learn gives by default;
            else the published units (years, kg/m², ...), to the bit what it gives with ``scaled=False``.

    Returns:
        x float64[442, 10], age, sex, bmi, bp, s1 to s6; y float64[442], the progression, 25 to 346.

    Example:
        >>> from graphc import datasets
        >>> train, test = datasets.diabetes().select("bmi").split(test=20, seed=None)
        >>> train
        Dataset diabetes: 422 rows, x float64[422, 1], y float64[422]

    Source: Efron, Hastie, Johnstone and Tibshirani, Least Angle Regression, Annals of Statistics, 2004.
    """
    arrays = _arrays("diabetes.npz")
    return Dataset(
        x=arrays["scaled" if scaled else "raw"],
        y=arrays["progression"].astype(np.float64),
        name="diabetes",
        feature_names=_DIABETES_FEATURES,
        source=_text("diabetes.txt"),
    )


def _arrays(file: str) -> dict[str, Array]:
    with (
        (files(__package__) / _DATA / file).open("rb") as stream,
        np.load(stream, allow_pickle=False) as archive,
    ):
        return dict(archive)


def _text(file: str) -> str:
    return (files(__package__) / _DATA / file).read_text(encoding="utf-8")
