"""Where a run stands, as text and arrays of a file, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from graphc.train.run import Position, Training

MAX_DEPTH = 4
"""How deep the state of a callback may be nested."""


def training_header(training: Training | None, arrays: dict[str, Any]) -> Any:
    """A run as JSON; the arrays of its callbacks are added to ``arrays``."""
    if training is None:
        return None
    states = [[name, _encoded(state, arrays, 0)] for name, state in training.callbacks]
    return {"position": asdict(training.position), "callbacks": states}


def _encoded(value: Any, arrays: dict[str, Any], depth: int) -> Any:
    if isinstance(value, Mapping) and depth < MAX_DEPTH:
        return {"dict": [[str(k), _encoded(v, arrays, depth + 1)] for k, v in value.items()]}
    if value is None or isinstance(value, (str, bool, int, float)):
        return {"plain": value}
    array = np.asarray(value)
    if array.dtype == object:
        raise TypeError(f"a callback keeps numbers, text and arrays, not {type(value).__name__}")
    key = f"kept.{len(arrays)}"
    arrays[key] = array
    return {"array": key}


def training_of(header: Any, arrays: Mapping[str, Any]) -> Training | None:
    """A run from JSON and arrays; anything may go wrong with a damaged header."""
    if header is None:
        return None
    states = tuple((str(name), _decoded(state, arrays, 0)) for name, state in header["callbacks"])
    return Training(_position(header["position"]), states)


def _decoded(value: Any, arrays: Mapping[str, Any], depth: int) -> Any:
    ((kind, inner),) = value.items()
    if kind == "dict" and depth < MAX_DEPTH:
        return {str(k): _decoded(v, arrays, depth + 1) for k, v in inner}
    if kind == "array":
        return arrays[inner][()]
    if kind != "plain" or not (inner is None or isinstance(inner, (str, bool, int, float))):
        raise ValueError(f"unknown kind {kind!r} of a value")
    return inner


def _position(header: Mapping[str, Any]) -> Position:
    counts = {k: int(header[k]) for k in ("first", "epoch", "batch", "rows")}
    if min(counts.values()) < 0 or counts["first"] > counts["epoch"]:
        raise ValueError("a run cannot stand before its beginning")
    settings = tuple((str(k), None if v is None else int(v)) for k, v in header["settings"])
    return Position(
        **counts, total=float(header["total"]), settings=settings, finished=str(header["finished"])
    )
