"""Data from the user's own files: ``.npz`` and ``.csv``."""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from graphc.datasets.csvfile import read_csv
from graphc.datasets.dataset import Array, Dataset
from graphc.errors import ArgumentError, DataError, FileFormatError

_DAMAGE = (  # what NumPy and zipfile raise on files that are not theirs
    OSError,
    ValueError,
    TypeError,
    EOFError,
    KeyError,
    MemoryError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
_NUMERIC = "biuf"


def load(path: str | os.PathLike[str], *, target: str | None = None, y_dtype: str | None = None) -> Dataset:
    r"""The dataset in a ``.npz`` or ``.csv`` file. Nothing in the file is ever run.

    ``.npz``: arrays ``x`` and ``y``, any numeric shape and dtype, one row of ``y`` for each row of ``x``.
    ``.csv``: UTF-8, comma-separated, the first line names the columns, every other cell is a finite number.
    The target column may hold words instead: they become labels 0, 1, ... in sorted order, and class names.

    Args:
        path: a file that ends in ``.npz`` or ``.csv``.
        target: the array (default ``y``) or the column (default the last) to predict.
        y_dtype: the dtype of ``y``, such as ``float64`` for a quantity written in whole numbers.

    Returns:
        from ``.npz`` x and y as stored; from ``.csv`` x float64[rows, columns - 1], y int64[rows] where every
        target is a whole number or a word, else float64[rows].

    Raises:
        DataError: no such file, no rows, a missing target, a value that is no finite number, or x and y of
            different length.
        FileFormatError: another kind of file, or a damaged one.
        ArgumentError: ``y_dtype`` is not a numeric dtype, or an integer one where y is not whole.

    Example:
        >>> import tempfile, pathlib
        >>> from graphc import datasets
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "weights.csv")
        ...     _ = path.write_text("height,weight,kind\n1.5,50,cat\n1.8,80.5,dog\n")
        ...     data = datasets.load(path)
        >>> data
        Dataset weights: 2 rows, x float64[2, 2], y int64[2], 2 classes
        >>> data.class_names
        ('cat', 'dog')

    Source: your file; ``source`` holds its name.
    """
    file = Path(path)
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise FileFormatError(
            "data is read from .npz and .csv files",
            given=str(file),
            expected=f"a file that ends in {' or '.join(_READERS)}",
        )
    if not file.is_file():
        raise DataError(
            "there is no such file", given=str(file), fix="check the path; it is relative to where you run"
        )
    return _with_dtype(reader(file, target), y_dtype)


def _read_npz(file: Path, target: str | None) -> Dataset:
    arrays = _open_npz(file)
    name = target or "y"
    missing = [key for key in ("x", name) if key not in arrays]
    if missing:
        raise DataError(
            f"{file.name} has no array {' and no array '.join(missing)}",
            given=f"arrays {', '.join(arrays) or '(none)'}",
            expected=f"x and {name}",
            fix=f'write it with np.savez("{file.name}", x=..., {name}=...)',
        )
    x, y = (_checked(arrays[key], key, file) for key in ("x", name))
    return Dataset(x, y, file.stem, source=file.name)


def _open_npz(file: Path) -> dict[str, Array]:
    try:
        # Opened here, because NumPy leaves a damaged archive open.
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return dict(archive)
    except _DAMAGE as error:
        raise FileFormatError(
            f"{file.name} is not a readable .npz file of plain arrays",
            given=str(error).partition("\n")[0],
            expected="an archive written by np.savez, without Python objects",
        ) from error


def _checked(array: Array, key: str, file: Path) -> Array:
    if array.dtype.kind not in _NUMERIC:
        raise DataError(
            f"array {key} of {file.name} is not numeric",
            given=str(array.dtype),
            expected="int, float or bool",
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        first = tuple(int(index[0]) for index in np.nonzero(~np.isfinite(array)))
        raise DataError(
            f"array {key} of {file.name} has a value that is no finite number",
            given=f"{key}[{', '.join(map(str, first))}] = {array[first]}",
            fix="drop or fill such rows first",
        )
    return array


def _with_dtype(data: Dataset, y_dtype: str | None) -> Dataset:
    if y_dtype is None:
        return data
    try:
        dtype = np.dtype(y_dtype)
    except TypeError:
        dtype = np.dtype(object)
    if dtype.kind not in _NUMERIC:
        raise ArgumentError(
            "y_dtype is not a numeric dtype", given=repr(y_dtype), expected="such as float64 or int64"
        )
    y = data.y.astype(dtype)
    if dtype.kind != "f" and not np.array_equal(y, data.y):
        raise ArgumentError(
            f"y of {data.source} does not fit {dtype}",
            given=str(data.y.dtype),
            expected="whole numbers in its range",
        )
    names = data.class_names if dtype.kind in "iu" else ()
    return Dataset(data.x, y, data.name, data.feature_names, names, data.source)


_READERS = {".npz": _read_npz, ".csv": read_csv}
