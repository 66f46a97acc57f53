"""A table of numbers as text, read strictly: whatever is not a number is named by line and column."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np

from graphc.datasets.dataset import Array, Dataset
from graphc.errors import DataError, FileFormatError

_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,18}\s*")  # 18 digits always fit int64

Row = tuple[int, list[str]]
"""A line number, counted from 1, and its cells."""


def read_csv(file: Path, target: str | None = None) -> Dataset:
    """The dataset in a ``.csv`` file: see ``datasets.load``."""
    header, rows = _read_table(file)
    column = _target_column(header, target, file)
    _check_table(header, rows, file)
    features = [index for index in range(len(header)) if index != column]
    x = _numbers(rows, features, header, file)
    y, class_names = _targets(rows, column, header, file)
    return Dataset(x, y, file.stem, tuple(header[index] for index in features), class_names, file.name)


def _read_table(file: Path) -> tuple[list[str], list[Row]]:
    """The header and the rows; blank lines are left out."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            rows = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise FileFormatError(
            f"{file.name} is not readable as .csv", given=str(error), expected="comma-separated text in UTF-8"
        ) from error
    if not rows:
        raise DataError(
            f"{file.name} is empty", expected="a line that names the columns, then one line for each row"
        )
    (_, header), *body = rows
    return [cell.strip() for cell in header], body


def _target_column(header: Sequence[str], target: str | None, file: Path) -> int:
    if target is None:
        return len(header) - 1
    if target not in header:
        raise DataError(
            f"{file.name} has no column {target}", given=target, expected=f"one of {', '.join(header)}"
        )
    return header.index(target)


def _check_table(header: Sequence[str], rows: Sequence[Row], file: Path) -> None:
    _check_header(header, file)
    if not rows:
        raise DataError(
            f"{file.name} has no rows", given="the header alone", expected="at least one row of numbers"
        )
    for line, cells in rows:
        if len(cells) != len(header):
            raise DataError(
                f"{file.name} line {line} does not fit the header",
                given=f"{len(cells)} cells",
                expected=f"{len(header)}, one for each of {', '.join(header)}",
            )


def _check_header(header: Sequence[str], file: Path) -> None:
    if len(header) < 2:
        raise FileFormatError(
            f"{file.name} has one column",
            given=header[0],
            expected="at least one feature and a target, separated by commas",
        )
    if all(_number(cell) is not None for cell in header):
        raise FileFormatError(
            f"the first line of {file.name} holds numbers",
            given=",".join(header),
            expected="the names of the columns",
            fix="put a line such as x1,x2,y on top",
        )
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated or "" in header:
        raise FileFormatError(
            f"the columns of {file.name} are not told apart",
            given=f"{', '.join(map(repr, repeated)) or 'an empty name'} among {', '.join(map(repr, header))}",
            expected="different names, none empty",
        )


def _numbers(rows: Sequence[Row], columns: Sequence[int], header: Sequence[str], file: Path) -> Array:
    values = np.empty((len(rows), len(columns)), np.float64)
    for place, (line, cells) in enumerate(rows):
        for slot, column in enumerate(columns):
            number = _number(cells[column])
            if number is None:
                _refuse(cells[column], line, header[column], file)
            values[place, slot] = number
    return values


def _targets(
    rows: Sequence[Row], column: int, header: Sequence[str], file: Path
) -> tuple[Array, tuple[str, ...]]:
    words = [cells[column].strip() for _, cells in rows]
    if all(word and _looks_like_a_word(word) for word in words):
        classes = sorted(set(words))
        label = {word: place for place, word in enumerate(classes)}
        return np.array([label[word] for word in words], np.int64), tuple(classes)
    if all(_WHOLE.fullmatch(word) for word in words):
        return np.array([int(word) for word in words], np.int64), ()
    return _numbers(rows, [column], header, file)[:, 0], ()


def _looks_like_a_word(text: str) -> bool:
    """Not a number of any kind: nan, inf and empty cells are faulty numbers, not classes."""
    try:
        float(text)
    except ValueError:
        return text.lower() not in {"na", "n/a", "null", "none"}
    return False


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def _refuse(text: str, line: int, column: str, file: Path) -> NoReturn:
    raise DataError(
        f"{file.name} line {line}, column {column}: {text!r} is no finite number"
        if text.strip()
        else f"{file.name} line {line}, column {column}: the cell is empty",
        given=repr(text),
        expected="a finite number, such as 1.5 or -2e3",
        fix="drop or fill such rows first",
    )
