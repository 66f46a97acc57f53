"""Saved models: one ``.gx`` file, an ``.npz`` of a JSON header and plain arrays. Nothing in it is executable."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from graphc.errors import DataError, FileFormatError, GraphcError, ShapeError
from graphc.nn.metrics import SCORE_MAKERS
from graphc.optim.optimizer import Optimizer
from graphc.optim.saved import optimizer_data, optimizer_from
from graphc.runtime.compiled import has_numba
from graphc.runtime.files import write_bytes
from graphc.train.progress import training_header, training_of
from graphc.train.run import Training

FORMAT, VERSION = "graphc model", 1
KINDS = ("params", "state", "slots", "rng")


def save(model: Any, path: Any, training: Training | None = None) -> Path:
    """Write a model: declaration as IR text, values, optimizer, and where its training stands. Atomic.

    Args:
        model: what to write.
        path: a ``.gx`` file.
        training: a run that is under way; by default the one that ended last, if the values are still its own.
    """
    model._ensure_values()
    arrays: dict[str, Any] = {}
    names: dict[str, list[str]] = {}
    for kind in KINDS:
        values: Mapping[str, Any] = _values(model, kind)
        names[kind] = list(values)
        # numbered keys: a name is the user's text, and an archive member is a file name
        arrays.update({f"{kind}.{i}": np.asarray(v) for i, v in enumerate(values.values())})
    header = _header(model, names, training_header(training or model.training, arrays))
    text = np.frombuffer(json.dumps(header, ensure_ascii=False).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, header=text, **arrays)
    return write_bytes(path, buffer.getvalue())


def _header(model: Any, names: Mapping[str, list[str]], training: Any) -> dict[str, Any]:
    """All but the arrays, as JSON."""
    from graphc.ir.text import graph_text

    return {
        "format": FORMAT,
        "version": VERSION,
        "name": model.name,
        "level": model.level,
        "layout": model.layout,
        "target": model.target,
        "graph": graph_text(model.graph),
        "scores": [[name, s.kind, dict(s.options)] for name, s in model.scores.items()],
        "optimizer": _optimizer_header(model.optimizer),
        "frozen": sorted(model.frozen),
        "names": names,
        "history": model.history.rows,
        "stopped": model.history.stopped,
        "step": model.values.step,
        "factor": model.values.factor,
        "training": training,
    }


def _values(model: Any, kind: str) -> dict[str, Any]:
    if kind == "rng":
        return {name: _generator_words(generator) for name, generator in model.values.rng.items()}
    values: dict[str, Any] = getattr(model.values, kind)
    return values


def load(path: Any) -> Any:
    """Read a saved model. Training it goes on where it was saved, to the last bit.

    Raises:
        FileFormatError: the file is not a saved model, is damaged, or is of another version; nothing of it is run.
        DataError: there is no such file.
    """
    header, arrays = _read(Path(path))
    try:
        return _rebuild(header, arrays)
    except Exception as error:  # a hostile header can go wrong anywhere
        said = error.what if isinstance(error, GraphcError) else f"{type(error).__name__}: {error}"
        raise FileFormatError(
            f"{path} is damaged", given=" ".join(said.split())[:200], fix="save the model again"
        ) from error


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    if not path.exists():
        raise DataError(
            "there is no such file", given=str(path), fix="check the path; it is relative to where you run"
        )
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        header = json.loads(arrays.pop("header").tobytes().decode())
    except Exception as error:  # NumPy, zipfile and zlib each raise kinds of their own on damaged bytes
        # what NumPy says (to allow pickles) is no advice to give here
        raise FileFormatError(
            f"{path} is not a saved model, or is damaged", expected="a file written by model.save"
        ) from error
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
    from graphc.rewrite.rule import check_level
    from graphc.stages import parse
    from graphc.train.model import Model

    graph = parse(header["graph"])
    whole = graph.unflatten(graph.outputs)
    check_level(header["level"])
    optimizer = _optimizer(header["optimizer"])
    metrics = whole["metrics"] | _scores(header.get("scores", []), whole.get("scores", {}))
    model = Model(
        whole["outputs"],
        whole.get("loss"),
        metrics,
        optimizer,
        str(header["name"]),
        header["level"],
        header["layout"],
        _target(header),
    )
    _set_values(model, header, arrays)
    model.history.rows = [{str(k): _score(v) for k, v in row.items()} for row in header["history"]]
    model.history.stopped = str(header["stopped"])
    model.values.step, model.values.factor = int(header.get("step", 0)), float(header.get("factor", 1.0))
    model.training = training_of(header.get("training"), arrays)
    return model


def _target(header: Mapping[str, Any]) -> str:
    """The target of a file; NumPy runs it where Numba is not there."""
    target = str(header.get("target", "numpy"))
    return target if target != "numba" or has_numba() else "numpy"


def _scores(header: Any, nodes: Mapping[str, Any]) -> dict[str, Any]:
    """Scores are made by the functions that a user calls, which check what they are given."""
    return {str(name): SCORE_MAKERS[kind](*nodes[name], **options) for name, kind, options in header}


def _set_values(model: Any, header: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Everything that training changes; each array must fit what the graph declares."""
    params, state = _named(header, arrays, "params"), _named(header, arrays, "state")
    for role, values, target in (
        ("param", params, model.values.params),
        ("state", state, model.values.state),
    ):
        for leaf in model.graph.leaves(role):
            name = str(model.graph.name_of(leaf))
            target[name] = model._fitting(values[name], leaf, name)
    model.frozen = frozenset(header["frozen"])
    if not model.frozen <= set(model.values.params):
        raise ValueError("a frozen parameter is not there")
    model.values.slots = _slots(model, _named(header, arrays, "slots"))
    model.values.rng = model.make_rng(0)
    for name, words in _named(header, arrays, "rng").items():
        _set_generator(model.values.rng[name], words)


def _slots(model: Any, found: dict[str, Any]) -> dict[str, Any]:
    """The slots of the optimizer, one for each trained parameter; none where it has not trained."""
    expected = model.starting_slots(model.optimizer) if model.optimizer and found else {}
    for name, value in expected.items():
        if found[name].shape != value.shape or found[name].dtype != value.dtype:
            raise ShapeError(f"the slot {name} does not fit its parameter")
    return {name: found[name][()] for name in expected}


def _generator_words(generator: Any) -> Any:
    """The state of a generator as numbers: four words, and the half word that is left of a draw."""
    state = generator.bit_generator.state
    return np.array([*state["state"]["state"], state["has_uint32"], state["uinteger"]], dtype=np.uint64)


def _set_generator(generator: Any, words: Any) -> None:
    if words.dtype != np.uint64 or words.shape != (6,):
        raise ShapeError("the state of a generator is six words")
    state = generator.bit_generator.state
    state["state"]["state"] = words[:4].copy()
    state["has_uint32"], state["uinteger"] = int(words[4] != 0), int(words[5]) % 2**32
    generator.bit_generator.state = state


def _score(value: Any) -> float:
    return value if isinstance(value, int) else float(value)


def _named(header: dict[str, Any], arrays: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: arrays[f"{kind}.{i}"] for i, name in enumerate(header["names"][kind])}


def _optimizer_header(optimizer: Optimizer | None) -> Any:
    return None if optimizer is None else optimizer_data(optimizer)


def _optimizer(header: Any) -> Optimizer | None:
    return None if header is None else optimizer_from(header)
