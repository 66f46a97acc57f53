"""What this machine does in a second: a table in data, measured by ``graphc bench --calibrate``, or the usual one."""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

VERSION = 1
LARGEST_FILE = 100_000


@dataclass(frozen=True)
class Machine:
    """How fast a machine is, one core of it.

    Attributes:
        name: the processor, and when it was measured.
        numpy: the version of NumPy that was measured.
        call_ns: nanoseconds of a call of a ufunc before its first element, into an array that is there.
        gemm: floating-point operations a second of a large product of matrices, by dtype.
        bandwidth: bytes a second that a copy of what no cache holds reads and writes.
        cache: bytes of the arrays of a few calls, one after the other, up to which they run at full speed.
        prices: measured nanoseconds an element by card: float32, float64; what is not there costs what its card says.
    """

    name: str = "one AVX-512 core, NumPy 2.4"
    numpy: str = ""
    call_ns: float = 310.0
    gemm: Mapping[str, float] = field(default_factory=lambda: {"float32": 99e9, "float64": 49e9})
    bandwidth: float = 28e9
    cache: int = 1 << 21
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def to_text(self) -> str:
        """As a file holds it."""
        return json.dumps({"version": VERSION, **asdict(self)}, indent=1) + "\n"


DEFAULT = Machine()
"""What is assumed where nothing was measured."""


def machine_file() -> Path | None:
    """``machine.json`` in ``$GRAPHC_CACHE`` (None where that is empty), by default in the user's folder for caches."""
    given = os.environ.get("GRAPHC_CACHE")
    if given is not None:
        return Path(given) / "machine.json" if given else None
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 (never raises)
    return Path(home) / "graphc" / "machine.json"


def known_machine() -> Machine:
    """The machine that was measured, or the default; a file that is not what it should be is a warning."""
    path = machine_file()
    try:
        changed = path.stat().st_mtime_ns if path is not None else 0
    except OSError:
        return DEFAULT
    return _read(path, changed) if path is not None else DEFAULT


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> Machine:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError("it is too large")
        return machine_of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        text = (
            f"{path} is not what it should be ({error}); the default table is used: graphc bench --calibrate"
        )
        warnings.warn(text, RuntimeWarning, stacklevel=3)
        return DEFAULT


def machine_of(data: Any) -> Machine:
    """A machine from data.

    Raises:
        ValueError, KeyError, TypeError: it is not one.
    """
    if data["version"] != VERSION:
        raise ValueError(f"version {data['version']!r}, expected {VERSION}")
    prices = {str(card): (_positive(a), _positive(b)) for card, (a, b) in data["prices"].items()}
    gemm = {dtype: _positive(data["gemm"][dtype]) for dtype in ("float32", "float64")}
    cache = int(_positive(data.get("cache", DEFAULT.cache)))  # older tables have none
    rates = _positive(data["call_ns"]), gemm, _positive(data["bandwidth"]), min(max(cache, 1 << 16), 1 << 30)
    return Machine(str(data["name"]), str(data["numpy"]), *rates, prices)


def _positive(value: Any) -> float:
    number = float(value)
    if not 0 < number < math.inf:
        raise ValueError(f"{value!r} is no rate")
    return number
