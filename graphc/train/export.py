"""A model as a file that needs NumPy alone."""

from __future__ import annotations

import io
import re
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from graphc.codegen.numpy import quoted
from graphc.codegen.statements import MAX_WIDTH
from graphc.errors import ArgumentError
from graphc.runtime.files import as_path, write_files, write_text

INLINE_NUMBERS = 256
"""With ``weights="auto"``, a model of at most this many numbers carries them in the file itself."""

WEIGHTS = ("auto", "inline", "npz")

_LOAD_ARCHIVE = '''
def load(path=None):
    """Trained values and data from the .npz beside this file: (params, state, data)."""
    path = pathlib.Path(__file__).with_suffix(".npz") if path is None else path
    groups = {"params": {}, "state": {}, "data": {}}
    with np.load(path, allow_pickle=False) as archive:
        for key in archive.files:
            group, _, name = key.partition("/")
            groups[group][name] = archive[key][()]
    return groups["params"], groups["state"], groups["data"]
'''

_LOAD_INLINE = '''
def load():
    """Trained values, and no data: (params, state, data)."""
    return dict(TRAINED), dict(STATE), {}
'''

_MAIN = """
if __name__ == "__main__":
    params, state, data = load()
    print(f"{sum(np.size(p) for p in params.values())} numbers in {len(params)} parameters")
"""

_MAIN_WITH_DATA = """
if __name__ == "__main__":
    params, state, data = load()
    for name, value in evaluate(params, state, *(data[n] for n in INPUTS)).items():
        print(f"{name}: {float(value)!r}")
"""

_SHOWN = ("predict", "evaluate", "train_step", "train_epoch")
"""The functions that the head of a file introduces."""


def export_model(
    model: Any, path: Any, optimizer: Any, data: Any, weights: str, averaged: bool = False
) -> Path:
    """Write the module and its weights; both files are whole or neither has changed.

    Raises:
        ArgumentError: a path that is not a ``.py`` file, an unknown place for weights, or data without a file for it.
    """
    target = as_path(path)
    _check(target, data, weights, model)
    model._ensure_values()
    arrays = None if data is None else model.checked_data(*_pair(data))
    params = model.in_use(averaged)
    text = _introduced(model.module(optimizer).source.text, target, arrays is not None)
    if weights == "inline" or (weights == "auto" and arrays is None and _numbers(model) <= INLINE_NUMBERS):
        return write_text(target, text + _tables(params, model.values.state) + f"\n{_LOAD_INLINE}\n{_MAIN}")
    text = _with_archive(text, model, arrays is not None)
    archive = _archive(params, model.values.state, arrays)
    return write_files({target.with_suffix(".npz"): archive, target: text.encode()})[1]


def _check(target: Path, data: Any, weights: str, model: Any) -> None:
    if target.suffix != ".py":
        raise ArgumentError(
            "a model is exported to a .py file",
            given=str(target),
            fix=f"name it {target.with_suffix('.py') if target.name else 'model.py'}",
        )
    if weights not in WEIGHTS:
        raise ArgumentError("unknown place for weights", given=repr(weights), expected=", ".join(WEIGHTS))
    if data is not None and weights == "inline":
        raise ArgumentError(
            "data go into a .npz beside the file", given="weights='inline'", fix="weights='npz'"
        )
    if data is not None and model.loss is None:
        raise ArgumentError("a model without a loss has nothing to evaluate on data", fix="leave data out")


def _pair(data: Any) -> tuple[Any, Any]:
    return data if isinstance(data, tuple) and len(data) == 2 else (data, None)


def _numbers(model: Any) -> int:
    return sum(int(np.size(v)) for v in model.values.params.values())


def _archive(params: Any, state: Any, data: Any) -> bytes:
    arrays = {f"params/{k}": v for k, v in params.items()}
    arrays.update({f"state/{k}": v for k, v in state.items()})
    arrays.update({f"data/{k}": v for k, v in (data or {}).items()})
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


# -- text ---------------------------------------------------------------------------------------------------------


def _introduced(text: str, target: Path, with_data: bool) -> str:
    """The module with a head that says how to use it."""
    title, _, rest = text.partition("\n")
    calls = [
        f"    {name}({arguments})" for name in _SHOWN if (arguments := _arguments(text, name)) is not None
    ]
    drawing = [i for i, call in enumerate(calls) if call.endswith("rng=rng)")]
    if drawing:
        calls.insert(drawing[0], "    rng = make_rng(0)")
    prints = "the loss and the metrics on the data beside it" if with_data else "how many numbers it holds"
    lines = [
        title.removesuffix('"""'),
        "",
        "    params, state, data = load()",
        *calls,
        "",
        f"As a program, python {target.name} prints {prints}.",
        '"""',
    ]
    return "\n".join(lines) + f"\n{rest}"


def _arguments(text: str, name: str) -> str | None:
    """What a function of the module takes by position, and the generators of what is random in it."""
    found = re.search(rf"^def {name}\((.*?)\):", text, re.MULTILINE | re.DOTALL)
    if found is None:
        return None
    given, _, keywords = " ".join(found[1].split()).partition(", *")
    needed = [name for name in given.strip(" ,").split(", ") if "=" not in name]
    return ", ".join(needed) + (", rng=rng" if re.search(r"\brng\b(?!=)", keywords) else "")


def _with_archive(text: str, model: Any, with_data: bool) -> str:
    text = _with_import(text, "pathlib")
    if not with_data:
        return f"{text}\n{_LOAD_ARCHIVE}\n{_MAIN}"
    inputs = [quoted(n) for n in model.evaluated_inputs]
    names = f"({inputs[0]},)" if len(inputs) == 1 else f"({', '.join(inputs)})"
    return f"{text}\n\nINPUTS = {names}\n\n{_LOAD_ARCHIVE}\n{_MAIN_WITH_DATA}"


def _with_import(text: str, module: str) -> str:
    """The text with one more import from the standard library, in order, a blank line before NumPy."""
    head, numpy, rest = text.partition("\nimport numpy as np\n")
    title, quotes, imports = head.rpartition('"""\n')
    lines = sorted({*imports.split("\n"), f"import {module}"} - {""})
    return f"{title}{quotes}\n" + "\n".join(lines) + f"\n{numpy}{rest}"


def _tables(params: Any, state: Any) -> str:
    tables = (("TRAINED", params), ("STATE", state))
    return "".join(f"\n\n{_table(name, values)}" for name, values in tables)


def _table(name: str, values: dict[str, Any]) -> str:
    rows = "".join(
        f"    {quoted(key)}: {array_code(value, 4 + len(quoted(key)) + 2)},\n"
        for key, value in values.items()
    )
    return f"{name} = {{\n{rows}}}\n" if rows else f"{name} = {{}}\n"


def array_code(value: Any, column: int = 0) -> str:
    """An array as code that gives it back to the last bit: on this line where it fits, else as wrapped rows.

    Args:
        value: an array or a NumPy scalar.
        column: where on its line the code begins; it stands inside a dict at a depth of one.
    """
    array = np.asarray(value)
    dtype = f"np.{array.dtype.name}{'_' if array.dtype == bool else ''}"
    numbers = [_number(x) for x in array.reshape(-1)]
    if not array.ndim:
        return f"{dtype}({numbers[0]})"
    shape = "" if array.ndim == 1 else f".reshape({', '.join(map(str, array.shape))})"
    line = f"np.array([{', '.join(numbers)}], dtype={dtype}){shape}"
    if column + len(line) < MAX_WIDTH:
        return line
    rows = textwrap.fill(", ".join(numbers), MAX_WIDTH, initial_indent=" " * 12, subsequent_indent=" " * 12)
    return f"np.array(\n        [\n{rows}\n        ],\n        dtype={dtype},\n    ){shape}"


def _number(x: Any) -> str:
    """The shortest text that gives the number back."""
    if x.dtype.kind != "f":
        return repr(x.item())
    if not np.isfinite(x):
        return "np.nan" if np.isnan(x) else f"{'-' if x < 0 else ''}np.inf"
    short = str(x)
    return short if x.dtype.type(float(short)) == x else repr(float(x))
