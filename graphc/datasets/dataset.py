"""What every loader returns: inputs and targets that belong together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from graphc.errors import ArgumentError, DataError, UnknownNameError

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Inputs and targets, row by row, with their names and source.

    The arrays are shown as read-only views; nothing is copied.

    Args:
        x: the inputs, ``[rows, ...]``, any numeric dtype.
        y: the targets, ``[rows, ...]``; integers are class labels, floats are quantities.
        name: a word for messages and figures.
        feature_names: one for each column of ``x``, or none.
        class_names: one for each label 0, 1, ..., or none.
        source: where the values come from; its first line is a title.

    Raises:
        DataError: no rows, ``x`` and ``y`` of different length, or names that do not fit.

    Example:
        >>> import numpy as np
        >>> data = Dataset(np.zeros((4, 2), "float32"), np.arange(4), name="tiny")
        >>> data
        Dataset tiny: 4 rows, x float32[4, 2], y int64[4]
        >>> x, y = data
        >>> len(data), y[1]
        (4, np.int64(1))
    """

    x: Array
    y: Array
    name: str = "data"
    feature_names: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        for field in ("x", "y"):
            object.__setattr__(self, field, _read_only(getattr(self, field)))
        for field in ("feature_names", "class_names"):
            object.__setattr__(self, field, tuple(getattr(self, field)))
        _check_rows(self)
        _check_names(self)

    def __len__(self) -> int:
        return len(self.x)

    def __iter__(self) -> Iterator[Array]:
        """``x, y = data``."""
        return iter((self.x, self.y))

    def __repr__(self) -> str:
        classes = f", {len(self.class_names)} classes" if self.class_names else ""
        return f"Dataset {self.name}: {len(self)} rows, x {_type(self.x)}, y {_type(self.y)}{classes}"

    def describe(self) -> str:
        """The dataset in a few lines: sizes, names, ranges, rows per class and the title of its source.

        Example:
            >>> import numpy as np
            >>> print(Dataset(np.eye(2), np.arange(2), feature_names=("a", "b")).describe())
            Dataset data: 2 rows, x float64[2, 2], y int64[2]
              features  a, b
              x         0 to 1
              y         0 to 1
        """
        rows = (
            ("features", _listed(self.feature_names)),
            ("x", _range(self.x)),
            ("y", _range(self.y)),
            ("classes", _listed([f"{name} ({count})" for name, count in self._rows_per_class()])),
            ("source", self.source.partition("\n")[0]),
        )
        return "\n".join([repr(self), *(f"  {label:<10}{text}" for label, text in rows if text)])

    def take(self, rows: Any) -> Dataset:
        """The dataset of these rows (indices, a slice or a mask), in this order.

        Raises:
            DataError: no row is left.

        Example:
            >>> from graphc import datasets
            >>> datasets.digits().take(slice(0, 3)).y.tolist()
            [0, 1, 2]
        """
        return replace(self, x=self.x[rows], y=self.y[rows])

    def select(self, *features: str) -> Dataset:
        """The dataset with these features only: ``x[rows, len(features)]``.

        Raises:
            UnknownNameError: a feature that is not there.

        Example:
            >>> from graphc import datasets
            >>> datasets.diabetes().select("bmi", "bp").x.shape
            (442, 2)
        """
        unknown = [name for name in features if name not in self.feature_names]
        if unknown or not features:
            raise UnknownNameError(
                f"dataset {self.name} has no such feature" if unknown else "select needs a feature name",
                given=", ".join(map(repr, unknown)) or "nothing",
                expected=f"some of {_listed(self.feature_names) or '(this dataset has no feature names)'}",
            )
        columns = [self.feature_names.index(name) for name in features]
        return replace(self, x=self.x[:, columns], feature_names=features)

    def split(
        self, test: float | int = 0.25, seed: int | None = 0, *, stratify: bool = False
    ) -> tuple[Dataset, Dataset]:
        """Two datasets, ``(train, test)``, that share no row and together have them all.

        Args:
            test: the test rows: a fraction between 0 and 1, or a number of rows.
            seed: shuffles the rows; ``None`` keeps their order, and the last rows are the test.
            stratify: gives each class its share of the test, to within one row; ``y`` holds labels.

        Raises:
            ArgumentError: ``test`` leaves one part empty, or ``stratify`` without labels or a seed.

        Example:
            >>> from graphc import datasets
            >>> train, test = datasets.digits().split(test=0.25, seed=0)
            >>> len(train), len(test)
            (1348, 449)
        """
        count = _test_rows(len(self), test)
        if stratify:
            rows, chosen = self._stratified(count, seed)
        else:
            rows = (
                np.arange(len(self)) if seed is None else np.random.default_rng(seed).permutation(len(self))
            )
            chosen = np.arange(len(self)) >= len(self) - count
        return self.take(rows[~chosen]), self.take(rows[chosen])

    def standardized(self, by: Dataset | None = None) -> Dataset:
        """The dataset with each feature at mean 0 and standard deviation 1; a constant feature becomes 0.

        Args:
            by: whose mean and deviation to use, as in ``test.standardized(by=train)``; by default its own.

        Raises:
            DataError: ``by`` has other features.

        Example:
            >>> from graphc import datasets
            >>> train, test = datasets.diabetes(scaled=False).split()
            >>> bool(abs(train.standardized().x.mean(axis=0)).max() < 1e-12)
            True
            >>> test.standardized(by=train).x.shape
            (110, 10)
        """
        reference = self if by is None else by
        if reference.x.shape[1:] != self.x.shape[1:]:
            raise DataError(
                "the features of two datasets differ", given=_type(reference.x), expected=_type(self.x)
            )
        dtype = self.x.dtype if self.x.dtype.kind == "f" else np.dtype(np.float64)
        centre, scale = _centre_and_scale(reference.x.astype(np.float64))
        return replace(self, x=((self.x.astype(np.float64) - centre) / scale).astype(dtype))

    def _rows_per_class(self) -> list[tuple[str, int]]:
        return [(name, int(np.sum(self.y == label))) for label, name in enumerate(self.class_names)]

    def _stratified(self, count: int, seed: int | None) -> tuple[Array, Array]:
        """Shuffled rows and which of them are the test: evenly spaced once the rows are sorted by class."""
        if seed is None or self.y.ndim != 1 or self.y.dtype.kind not in "iu":
            raise ArgumentError(
                "a stratified split needs a seed and integer labels",
                given=f"seed={seed}, y {_type(self.y)}",
            )
        rng = np.random.default_rng(seed)
        rows = rng.permutation(len(self))
        rows = rows[np.argsort(self.y[rows], kind="stable")]
        chosen = np.zeros(len(self), bool)
        chosen[(2 * np.arange(count) + 1) * len(self) // (2 * count)] = True
        shuffle = rng.permutation(len(self))
        return rows[shuffle], chosen[shuffle]


def _read_only(value: Any) -> Array:
    view = np.asarray(value).view()
    view.flags.writeable = False
    return view


def _centre_and_scale(x: Array) -> tuple[Array, Array]:
    """Mean and deviation; of a constant feature its value and 1, as its mean and deviation are rounded."""
    deviation = x.std(axis=0)
    constant = (x == x[:1]).all(axis=0) | (deviation == 0)
    return np.where(constant, x[0], x.mean(axis=0)), np.where(constant, 1.0, deviation)


def _type(array: Array) -> str:
    return f"{array.dtype}[{', '.join(map(str, array.shape))}]"


def _listed(names: Sequence[str], limit: int = 12) -> str:
    """The names with commas between; of many, the first few, the last, and how many there are."""
    if len(names) <= limit:
        return ", ".join(names)
    return f"{', '.join(names[:3])}, ..., {names[-1]} ({len(names)} in all)"


def _range(array: Array) -> str:
    return f"{array.min():.6g} to {array.max():.6g}" if array.size and array.dtype.kind in "iuf" else ""


def _check_rows(data: Dataset) -> None:
    if data.x.ndim < 1 or data.y.ndim < 1 or len(data.x) != len(data.y):
        raise DataError(
            f"x and y of dataset {data.name} do not belong together",
            given=f"x {_type(data.x)}, y {_type(data.y)}",
            expected="one row of y for each row of x",
        )
    if not len(data.x):
        raise DataError(
            f"dataset {data.name} has no rows", given=f"x {_type(data.x)}", expected="at least one row"
        )


def _check_names(data: Dataset) -> None:
    columns = data.x.shape[1] if data.x.ndim == 2 else None
    if data.feature_names and columns != len(data.feature_names):
        raise DataError(
            f"the feature names of dataset {data.name} do not fit x",
            given=f"{len(data.feature_names)} names, x {_type(data.x)}",
            expected="one name for each column",
        )
    if data.class_names and not _labels_within(data.y, len(data.class_names)):
        raise DataError(
            f"the class names of dataset {data.name} do not fit y",
            given=f"{len(data.class_names)} names, y {_type(data.y)} from {_range(data.y) or 'nothing'}",
            expected=f"integer labels 0 to {len(data.class_names) - 1}",
        )


def _labels_within(y: Array, classes: int) -> bool:
    return y.dtype.kind in "iu" and (not y.size or (int(y.min()) >= 0 and int(y.max()) < classes))


def _test_rows(rows: int, test: float | int) -> int:
    whole = isinstance(test, (int, np.integer)) and not isinstance(test, bool)
    count = int(test) if whole else round(rows * float(test)) if 0 < test < 1 else 0
    if not 0 < count < rows:
        raise ArgumentError(
            f"this split of {rows} rows leaves one part empty",
            given=f"test={test!r}",
            expected=f"a fraction between 0 and 1, or a number of rows from 1 to {rows - 1}",
        )
    return count
