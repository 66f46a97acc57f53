"""Saved models: one ``.gx`` file, an ``.npz`` of a JSON header and plain arrays. Nothing in it is executable."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from graphc.errors import FileFormatError, GraphcError
from graphc.optim.optimizer import OPTIMIZERS, Optimizer
from graphc.runtime.files import write_bytes

FORMAT, VERSION = "graphc model", 1
KINDS = ("params", "state", "slots")


def save(model: Any, path: Any) -> Path:
    """Write a model: declaration as IR text, values, optimizer. Atomic."""
    from graphc.ir.text import graph_text

    model._ensure_values(0)
    arrays: dict[str, Any] = {}
    names: dict[str, list[str]] = {}
    for kind in KINDS:
        values: Mapping[str, Any] = getattr(model.values, kind)
        names[kind] = list(values)
        # numbered keys: a name is the user's text, and an archive member is a file name
        arrays.update({f"{kind}.{i}": np.asarray(v) for i, v in enumerate(values.values())})
    header = {
        "format": FORMAT,
        "version": VERSION,
        "name": model.name,
        "level": model.level,
        "graph": graph_text(model.graph),
        "optimizer": _optimizer_header(model.optimizer),
        "frozen": sorted(model.frozen),
        "names": names,
        "history": model.history.rows,
    }
    text = np.frombuffer(json.dumps(header, ensure_ascii=False).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, header=text, **arrays)
    return write_bytes(path, buffer.getvalue())


def load(path: Any) -> Any:
    """Read a saved model.

    Raises:
        FileFormatError: the file is not a saved model, is damaged, or is of a newer version; nothing of it is run.
        FileNotFoundError: there is no such file.
    """
    header, arrays = _read(Path(path))
    try:
        return _rebuild(header, arrays)
    except (KeyError, TypeError, ValueError, AttributeError, GraphcError) as error:
        raise FileFormatError(f"{path} is damaged", given=str(error).split("\n")[0][:200]) from error


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        header = json.loads(arrays.pop("header").tobytes().decode())
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        RuntimeError,
        zipfile.BadZipFile,
        RecursionError,
    ) as error:
        raise FileFormatError(
            f"{path} is not a saved model, or is damaged", given=str(error)[:200]
        ) from error
    except Exception as error:  # zlib and zipfile raise kinds of their own on damaged bytes
        raise FileFormatError(f"{path} is damaged", given=f"{type(error).__name__}: {error}"[:200]) from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise FileFormatError(
            f"{path} is not a saved model", expected=f"a file written by model.save ({FORMAT})"
        )
    if header.get("version") != VERSION:
        raise FileFormatError(
            f"{path} has version {header.get('version')}",
            expected=f"version {VERSION}",
            fix="use the graphc that wrote it",
        )
    return header, arrays


def _rebuild(header: dict[str, Any], arrays: dict[str, Any]) -> Any:
    from graphc.stages import parse
    from graphc.train.model import Model

    graph = parse(header["graph"])
    whole = graph.unflatten(graph.outputs)
    optimizer = _optimizer(header["optimizer"])
    model = Model(
        whole["outputs"], whole.get("loss"), whole["metrics"], optimizer, header["name"], header["level"]
    )
    model.set_params(_named(header, arrays, "params"))
    state = _named(header, arrays, "state")
    for leaf in model.graph.leaves("state"):
        name = str(model.graph.name_of(leaf))
        model.values.state[name] = model._fitting(state[name], leaf, name)
    model.frozen = frozenset(header["frozen"])
    model.values.slots = {k: v[()] for k, v in _named(header, arrays, "slots").items()}
    model.history.rows = [{str(k): float(v) for k, v in row.items()} for row in header["history"]]
    return model


def _named(header: dict[str, Any], arrays: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: arrays[f"{kind}.{i}"] for i, name in enumerate(header["names"][kind])}


def _optimizer_header(optimizer: Optimizer | None) -> Any:
    return None if optimizer is None else {"name": optimizer.name, "settings": dict(optimizer.settings)}


def _optimizer(header: Any) -> Optimizer | None:
    return None if header is None else OPTIMIZERS[header["name"]](**header["settings"])
