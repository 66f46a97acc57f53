"""What a live view has seen of a run: written by the thread that trains, read by those that serve the page."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

MOST = 1500
"""Points that are kept of a curve; of more, every two neighbours become one."""

Point = tuple[float, ...]


class Curve:
    """Points as they are sent: each is written as text once, when a reader first asks for it.

    Args:
        merged: what two neighbours become where there are too many.
    """

    def __init__(self, merged: Callable[[Any, Any], Any]) -> None:
        self.merged = merged
        self.points: list[Any] = []
        self._texts: list[str] = []

    def add(self, point: Any) -> bool:
        """Append; whether neighbours were merged for it."""
        self.points.append(point)
        if len(self.points) <= MOST:
            return False
        self.points = [self.merged(a, b) for a, b in _pairs(self.points)]
        self._texts = []
        return True

    def since(self, count: int) -> str:
        """A list of all points but the first so many."""
        self._texts.extend(map(_json, self.points[len(self._texts) :]))
        return f"[{','.join(self._texts[count:])}]"


class Feed:
    """Curves that only grow, and the last look at the layers.

    Whatever is read, the cost is that of what is new: it is paid by the thread that answers, which training waits for.
    Of the rows of epochs that are short, every second, fourth, ... is kept, and the last is always shown.

    Attributes:
        asked: when a reader last asked (``time.monotonic``), or minus infinity.
        delivered: set once a reader has the end.
    """

    def __init__(self, about: Mapping[str, Any]) -> None:
        self.asked = -math.inf
        self.delivered = threading.Event()
        self._lock = threading.Lock()
        self._about = dict(about)
        self._points, self._rows, self._norms = Curve(_merged), Curve(_later), Curve(_later)
        self._every = 1  # of the epochs, a row is kept
        self._row: dict[str, float] = {}
        self._now: dict[str, Any] = {"step": 0, "epoch": 0, "rate": None, "ended": None}
        self._layers = "{}"
        self._version = 0  # of the curves: another one where points were merged

    def about(self) -> bytes:
        """What the page is told once: names, and which box of the figure belongs to which layer."""
        return _json(self._about).encode()

    def add_point(self, epoch: int, step: int, losses: list[float], rate: float) -> None:
        """The losses of the steps since the last point: their mean, least and largest."""
        point = (step, math.fsum(losses) / len(losses), min(losses), max(losses), rate)
        with self._lock:
            self._now |= {"step": step, "epoch": epoch, "rate": rate}
            self._version += self._points.add(point)

    def add_row(self, row: Mapping[str, float]) -> None:
        """The scores of an epoch."""
        with self._lock:
            self._now["epoch"], self._row = row["epoch"], dict(row)
            if row["epoch"] % self._every == 0 and self._rows.add(self._row):
                self._every *= 2
                self._version += 1

    def add_look(self, step: int, norm: float, layers: Mapping[str, Any]) -> None:
        """Statistics by layer, and the norm of the whole gradient."""
        with self._lock:
            self._layers = _json(layers)
            self._version += self._norms.add((step, norm))

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
                "version": str(self._version),
                "from": _json([points, rows, norms]),
                "points": self._points.since(points),
                "rows": self._rows.since(rows),
                "norms": self._norms.since(norms),
                "row": _json(self._row),
                "layers": self._layers,
                "now": _json(self._now),
            }
            ended = self._now["ended"] is not None
        if ended:
            self.delivered.set()
        body = ",".join(f'"{key}":{text}' for key, text in found.items())
        return f"{{{body}}}".encode()


def _pairs(points: list[Any]) -> list[tuple[Any, Any]]:
    even = points if len(points) % 2 == 0 else [*points, points[-1]]
    return list(zip(even[::2], even[1::2], strict=True))


def _merged(a: Point, b: Point) -> Point:
    return b[0], (a[1] + b[1]) / 2, min(a[2], b[2]), max(a[3], b[3]), b[4]


def _later(a: Any, b: Any) -> Any:
    return b


def _json(value: Any) -> str:
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False, separators=(",", ":"))


def _finite(value: Any) -> Any:
    """JSON has no nan and no infinity: null stands for both, and the page says so."""
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
