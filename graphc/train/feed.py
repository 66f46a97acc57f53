"""What a live view has seen of a run: written by the thread that trains, read by those that serve the page."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Mapping
from time import monotonic
from typing import Any

MOST = 1500
"""Points that are kept of a curve; of more, every two neighbours become one."""

Point = tuple[float, ...]


class Feed:
    """Curves that only grow, and the last look at the layers.

    Attributes:
        asked: when a reader last asked (``time.monotonic``), or minus infinity.
        delivered: set once a reader has the end.
    """

    def __init__(self, about: Mapping[str, Any]) -> None:
        self.asked = -math.inf
        self.delivered = threading.Event()
        self._lock = threading.Lock()
        self._about = dict(about)
        self._points: list[Point] = []
        self._rows: list[dict[str, float]] = []
        self._norms: list[Point] = []
        self._now: dict[str, Any] = {"step": 0, "epoch": 0, "rate": None, "ended": None}
        self._layers: dict[str, Any] = {}
        self._version = 0  # of the curves: another one where points were merged

    def about(self) -> bytes:
        """What the page is told once: names, and which box of the figure belongs to which layer."""
        return _json(self._about)

    def add_point(self, epoch: int, step: int, losses: list[float], rate: float) -> None:
        """The losses of the steps since the last point: their mean, least and largest."""
        point = (step, math.fsum(losses) / len(losses), min(losses), max(losses), rate)
        with self._lock:
            self._points.append(point)
            self._now |= {"step": step, "epoch": epoch, "rate": rate}
            if len(self._points) > MOST:
                self._points = [_merged(a, b) for a, b in _pairs(self._points)]
                self._version += 1

    def add_row(self, row: Mapping[str, float]) -> None:
        """The scores of an epoch."""
        with self._lock:
            self._rows.append(dict(row))
            self._now |= {"epoch": row["epoch"]}

    def add_look(self, step: int, norm: float, layers: Mapping[str, Any]) -> None:
        """Statistics by layer, and the norm of the whole gradient."""
        with self._lock:
            self._norms.append((step, norm))
            self._layers = dict(layers)
            if len(self._norms) > MOST:
                self._norms = self._norms[::2]
                self._version += 1

    def end(self, reason: str) -> None:
        """Training is over."""
        with self._lock:
            self._now |= {"ended": reason}

    def since(self, version: int, points: int, rows: int, norms: int) -> bytes:
        """What is new to a reader that has the first so many of each, in this version; else all of it."""
        self.asked = monotonic()
        with self._lock:
            if version != self._version:
                points = rows = norms = 0
            found = {
                "version": self._version,
                "from": [points, rows, norms],
                "points": self._points[points:],
                "rows": self._rows[rows:],
                "norms": self._norms[norms:],
                "layers": self._layers,
                "now": dict(self._now),
            }
            ended = self._now["ended"] is not None
        text = _json(found)
        if ended:
            self.delivered.set()
        return text


def _pairs(points: list[Point]) -> list[tuple[Point, Point]]:
    even = points if len(points) % 2 == 0 else [*points, points[-1]]
    return list(zip(even[::2], even[1::2], strict=True))


def _merged(a: Point, b: Point) -> Point:
    return b[0], (a[1] + b[1]) / 2, min(a[2], b[2]), max(a[3], b[3]), b[4]


def _json(value: Any) -> bytes:
    return json.dumps(_finite(value), allow_nan=False, separators=(",", ":")).encode()


def _finite(value: Any) -> Any:
    """JSON has no nan and no infinity: null stands for both, and the page says so."""
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
