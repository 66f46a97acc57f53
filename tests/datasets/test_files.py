"""Files of the user's own: what is read, and what each fault is called."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from graphc import datasets
from graphc.errors import ArgumentError, DataError, FileFormatError, GraphcError

in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
finite = st.floats(allow_nan=False, allow_infinity=False)


def written(folder: Path, text: str | bytes, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


# ------------------------------------------------------------------------------------------------ csv


def test_csv_with_whole_numbers_in_its_last_column(tmp_path):
    data = datasets.load(written(tmp_path, "a,b,label\n1,2.5,0\n\n3,-4e1,7\n"))
    assert data.x.tolist() == [[1.0, 2.5], [3.0, -40.0]]
    assert (data.x.dtype, data.y.dtype, data.y.tolist()) == (np.float64, np.int64, [0, 7])
    assert (data.name, data.feature_names, data.class_names) == ("data", ("a", "b"), ())


def test_csv_with_a_named_target_that_is_a_quantity(tmp_path):
    data = datasets.load(written(tmp_path, "y,a\n0.5,1\n2,3\n"), target="y")
    assert (data.y.dtype, data.y.tolist(), data.feature_names) == (np.float64, [0.5, 2.0], ("a",))


def test_csv_with_words_as_classes(tmp_path):
    data = datasets.load(written(tmp_path, "a,kind\n1,dog\n2,cat\n3,dog\n"))
    assert (data.y.tolist(), data.class_names) == ([1, 0, 1], ("cat", "dog"))


def test_csv_from_a_spreadsheet(tmp_path):
    data = datasets.load(written(tmp_path, b'\xef\xbb\xbf"a, first", y \r\n" 1 ",2\r\n', "Sheet.CSV"))
    assert (data.feature_names, data.x.tolist(), data.y.tolist()) == (("a, first",), [[1.0]], [2])


def test_whole_numbers_as_a_quantity(tmp_path):
    path = written(tmp_path, "a,y\n1,151\n2,75\n")
    assert datasets.load(path, y_dtype="float64").y.dtype == np.float64
    assert datasets.load(str(path)).y.dtype == np.int64


@in_one_folder
@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(2, 4)), elements=finite))
def test_csv_brings_every_float_back_to_the_bit(tmp_path, table):
    names = ",".join(f"c{column}" for column in range(table.shape[1]))
    lines = [",".join(repr(float(value)) for value in row) for row in table]
    data = datasets.load(written(tmp_path, "\n".join([names, *lines])), y_dtype="float64")
    assert np.column_stack([data.x, data.y]).tobytes() == table.tobytes()


CSV_FAULTS = {
    "empty": ("", DataError, "data.csv is empty"),
    "no rows": ("a,y\n", DataError, "data.csv has no rows"),
    "word": ("a,b,y\n1,2,0\n3,four,1\n", DataError, "data.csv line 3, column b: 'four' is no finite number"),
    "missing": ("a,b,y\n1,,0\n", DataError, "data.csv line 2, column b: the cell is empty"),
    "nan": ("a,y\nnan,0\n", DataError, "data.csv line 2, column a: 'nan' is no finite number"),
    "overflow": ("a,y\n1e999,0\n", DataError, "data.csv line 2, column a: '1e999' is no finite number"),
    "underscore": ("a,y\n1_0,0\n", DataError, "data.csv line 2, column a: '1_0' is no finite number"),
    "target": ("a,y\n1,0\n2,one\n", DataError, "data.csv line 3, column y: 'one' is no finite number"),
    "missing target": ("a,y\n1,cat\n2,\n", DataError, "data.csv line 2, column y: 'cat' is no finite number"),
    "NA target": ("a,y\n1,NA\n", DataError, "data.csv line 2, column y: 'NA' is no finite number"),
    "short": (
        "a,b,y\n1,2,0\n\n1,2\n",
        DataError,
        "data.csv line 4 does not fit the header\n  given:    2 cells",
    ),
    "long": ("a,y\n1,2,3\n", DataError, "data.csv line 2 does not fit the header\n  given:    3 cells"),
    "one column": ("a;y\n1;2\n", FileFormatError, "data.csv has one column\n  given:    a;y"),
    "no header": ("1,2\n3,4\n", FileFormatError, "the first line of data.csv holds numbers"),
    "same names": (
        "a,a,y\n1,2,3\n",
        FileFormatError,
        "the columns of data.csv are not told apart\n  given:    'a' among",
    ),
    "no name": (
        "a,,y\n1,2,3\n",
        FileFormatError,
        "the columns of data.csv are not told apart\n  given:    an empty name",
    ),
    "binary": (b"\xff\xfe\x00", FileFormatError, "data.csv is not readable as .csv"),
    "quote": ('a,y\n"1,2\n', FileFormatError, "data.csv is not readable as .csv"),
}


@pytest.mark.parametrize("fault", CSV_FAULTS)
def test_csv_faults_are_named(tmp_path, fault):
    text, kind, message = CSV_FAULTS[fault]
    with pytest.raises(kind) as caught:
        datasets.load(written(tmp_path, text))
    assert str(caught.value).startswith(message)
    assert "\n  expected:" in str(caught.value)


def test_a_target_that_is_not_a_column(tmp_path):
    with pytest.raises(DataError, match=r"has no column z\n  given:    z\n  expected: one of a, y"):
        datasets.load(written(tmp_path, "a,y\n1,2\n"), target="z")


# ------------------------------------------------------------------------------------------------ npz


@in_one_folder
@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.int32, np.bool_]),
        (3, 2),
        elements={"allow_nan": False, "allow_infinity": False},
    ),
    hnp.arrays(np.int64, (3,)),
)
def test_npz_brings_arrays_back_as_they_were(tmp_path, x, y):
    np.savez(tmp_path / "data.npz", x=x, y=y)
    data = datasets.load(tmp_path / "data.npz")
    assert (data.x.dtype, data.y.dtype) == (x.dtype, y.dtype)
    assert (data.x.tobytes(), data.y.tobytes()) == (x.tobytes(), y.tobytes())


def test_npz_with_a_named_target(tmp_path):
    np.savez_compressed(tmp_path / "data.npz", x=np.zeros((2, 1)), y=np.zeros(2), age=np.ones(2))
    assert datasets.load(tmp_path / "data.npz", target="age").y.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros((2, 1)), "t": np.zeros(2)}, "data.npz has no array y\n  given:    arrays x, t"),
        ({}, "data.npz has no array x and no array y\n  given:    arrays (none)"),
        ({"x": np.zeros((2, 1)), "y": np.zeros(3)}, "x and y of dataset data do not belong together"),
        ({"x": np.zeros((0, 1)), "y": np.zeros(0)}, "dataset data has no rows"),
        ({"x": np.array([["a"]]), "y": np.zeros(1)}, "array x of data.npz is not numeric\n  given:    <U1"),
        (
            {"x": np.array([[0.0, 1.0], [2.0, np.nan]]), "y": np.zeros(2)},
            "array x of data.npz has a value that is no finite number\n  given:    x[1, 1] = nan",
        ),
    ],
    ids=["no y", "nothing", "lengths", "empty", "text", "nan"],
)
def test_npz_that_holds_no_dataset(tmp_path, arrays, message):
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(DataError) as caught:
        datasets.load(tmp_path / "data.npz")
    assert str(caught.value).startswith(message)


class Hostile:
    """Unpickling this would raise KeyboardInterrupt, past every handler."""

    def __reduce__(self):
        return exec, ("raise KeyboardInterrupt",)


def test_npz_with_python_objects_runs_nothing(tmp_path):
    np.savez(tmp_path / "data.npz", x=np.array([Hostile()], object), y=np.zeros(1))
    with pytest.raises(FileFormatError, match=r"not a readable \.npz file of plain arrays"):
        datasets.load(tmp_path / "data.npz")


def _npz_bytes() -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, x=np.arange(20.0)[:, None], y=np.arange(20))
    return stream.getvalue()


def _npy_bytes() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


def _zip_of_text() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("x.npy", "no array")
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"", b"text", _npy_bytes(), _npz_bytes()[:-40], _zip_of_text()],
    ids=["empty", "text", "npy", "cut", "zip"],
)
def test_a_file_that_is_no_npz(tmp_path, content):
    with pytest.raises((FileFormatError, DataError), match=r"data\.npz"):
        datasets.load(written(tmp_path, content, "data.npz"))


def _harmless(path: Path) -> bool:
    try:
        data = datasets.load(path)
    except GraphcError:
        return True
    return data.x.tolist() == np.arange(20.0)[:, None].tolist() and data.y.tolist() == list(range(20))


def test_a_npz_with_any_one_bit_wrong_is_refused_or_harmless(tmp_path):
    whole = _npz_bytes()
    for bit in range(8 * len(whole)):
        content = bytearray(whole)
        content[bit // 8] ^= 1 << bit % 8
        assert _harmless(written(tmp_path, bytes(content), "data.npz")), f"bit {bit}"


# ------------------------------------------------------------------------------------------- any file


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"there is no such file\n  given:    .*absent\.csv"):
        datasets.load(tmp_path / "absent.csv")


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match="there is no such file"):
        datasets.load(tmp_path / "folder.csv")


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(FileFormatError, match=r"expected: a file that ends in \.npz or \.csv"):
        datasets.load(written(tmp_path, "", "data.xlsx"))


@pytest.mark.parametrize("dtype", ["float3", "U3", "int64"])
def test_a_dtype_that_y_cannot_have(tmp_path, dtype):
    with pytest.raises(ArgumentError, match="y"):
        datasets.load(written(tmp_path, "a,y\n1,0.5\n"), y_dtype=dtype)
