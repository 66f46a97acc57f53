"""A model as a file that needs NumPy alone."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from graphc.codegen.numpy import array_text, quoted
from graphc.errors import ArgumentError
from graphc.runtime.files import write_bytes, write_text

INLINE_NUMBERS = 256
"""With ``weights="auto"``, a model of at most this many numbers carries them in the file itself."""

WEIGHTS = ("auto", "inline", "npz")

_LOAD = '''
def load(path=None):
    """Trained values from the .npz beside this file: (params, state, data)."""
    path = pathlib.Path(__file__).with_suffix(".npz") if path is None else path
    groups = {"params": {}, "state": {}, "data": {}}
    with np.load(path, allow_pickle=False) as archive:
        for key in archive.files:
            group, _, name = key.partition("/")
            groups[group][name] = archive[key][()]
    return groups["params"], groups["state"], groups["data"]
'''

_MAIN_WITH_DATA = """
if __name__ == "__main__":
    params, state, data = load()
    if data:
        for name, value in evaluate(params, state, *(data[n] for n in INPUTS)).items():
            print(f"{name}: {float(value)!r}")
    else:
        print(f"{len(params)} parameters loaded; call predict(params, state, ...)")
"""


def export_model(model: Any, path: Any, optimizer: Any, data: Any, weights: str) -> Path:
    """Write the module and its weights; both files are whole or absent.

    Raises:
        ArgumentError: a path that is not a ``.py`` file, or an unknown place for weights.
    """
    target = Path(path)
    if target.suffix != ".py":
        raise ArgumentError(
            "a model is exported to a .py file", given=str(path), fix=f"{target.with_suffix('.py')}"
        )
    if weights not in WEIGHTS:
        raise ArgumentError("unknown place for weights", given=repr(weights), expected=", ".join(WEIGHTS))
    model._ensure_values(0)
    arrays = None if data is None else model.checked_data(*_pair(data))
    count = sum(np.size(v) for v in model.values.params.values())
    inline = weights == "inline" or (weights == "auto" and count <= INLINE_NUMBERS and arrays is None)
    text = model.module(optimizer).source.text
    if inline:
        return write_text(target, _with_inline(text, model))
    write_bytes(target.with_suffix(".npz"), _archive(model, arrays))
    return write_text(target, _with_archive(text, model))


def _pair(data: Any) -> tuple[Any, Any]:
    return data if isinstance(data, tuple) and len(data) == 2 else (data, None)


def _archive(model: Any, data: Any) -> bytes:
    arrays = {f"params/{k}": v for k, v in model.values.params.items()}
    arrays.update({f"state/{k}": v for k, v in model.values.state.items()})
    arrays.update({f"data/{k}": v for k, v in (data or {}).items()})
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _with_archive(text: str, model: Any) -> str:
    inputs = ", ".join(quoted(n) for n in model._evaluated_inputs) if model.loss is not None else ""
    head, _, rest = text.partition("import numpy as np\n")
    head = (
        f"{head}import pathlib\n\n" if not head.endswith("\n\n") else f"{head.rstrip()}\nimport pathlib\n\n"
    )
    names = f"\nINPUTS = ({inputs}{',' if inputs else ''})\n"
    return f"{_one_blank(head)}import numpy as np\n{rest}{names}\n{_LOAD}\n{_MAIN_WITH_DATA}"


def _one_blank(head: str) -> str:
    """Imports from the standard library together, a blank line before NumPy."""
    title, *imports = [line for line in head.split("\n") if line]
    return "\n".join([title, "", *sorted(imports), "", ""])


def _with_inline(text: str, model: Any) -> str:
    def table(name: str, values: dict[str, Any]) -> list[str]:
        rows = [f"    {quoted(k)}: {_scalar_or_array(v)}," for k, v in values.items()]
        return [f"{name} = {{", *rows, "}"] if rows else [f"{name} = {{}}"]

    lines = [*table("TRAINED", model.values.params), *table("STATE", model.values.state)]
    return text + "\n" + "\n".join(lines) + "\n"


def _scalar_or_array(value: Any) -> str:
    array = np.asarray(value)
    if array.ndim:
        return array_text(array)
    return f"np.{array.dtype.name}({float(array)!r})"
