"""Measuring this machine: a product of matrices, a copy, a call, and every card that is one function of NumPy."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from graphc.ir.op import Op
from graphc.ops import CARDS
from graphc.ops.machine import Machine, machine_file
from graphc.runtime.files import write_text

ELEMENTS = 1 << 16
"""Of the arrays on which a function is measured: they stay in the second-level cache, as blocks of a step do."""

DTYPES = ("float32", "float64")

_CALL = re.compile(r"np\.(\w+)\(.*\)")


def processor() -> str:
    """The name of the processor, as far as the system says it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.is_file() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def best(call: Callable[[], Any], seconds: float) -> float:
    """The lower quartile of the seconds of a call, over about this long and at least five calls.

    Example:
        >>> best(lambda: None, 0.0) < 0.1
        True
    """
    call()
    times: list[float] = []
    end = perf_counter() + seconds
    while len(times) < 5 or perf_counter() < end:
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return median(sorted(times)[: (len(times) + 1) // 2])


def gemm_rate(dtype: str, seconds: float = 0.1, size: int = 512) -> float:
    """Floating-point operations a second of a product of two square matrices."""
    a, b, out = (np.ones((size, size), dtype) for _ in range(3))
    return 2 * size**3 / best(lambda: np.dot(a, b, out), seconds)


def copy_rate(seconds: float = 0.1, elements: int = 1 << 24) -> float:
    """Bytes a second that a copy reads and writes, of an array that no cache holds."""
    a, b = np.ones(elements, np.float32), np.zeros(elements, np.float32)
    return 2 * a.nbytes / best(lambda: np.copyto(b, a), seconds)


def call_ns(seconds: float = 0.05) -> float:
    """Nanoseconds of a ufunc on a few elements."""
    a, out = np.ones(16, np.float32), np.empty(16, np.float32)
    add = np.add

    def many() -> None:
        for _ in range(200):
            add(a, a, out=out)

    return best(many, seconds) / 200 * 1e9


def cache_bytes(seconds: float = 0.02) -> int:
    """The most bytes, of 256 KiB to 4 MiB, that four arrays may have together for calls over them to be fast.

    Fast is within a tenth of the fastest; beyond 4 MiB longer strips would save no calls worth their memory.
    """
    sizes = [1 << power for power in range(18, 23)]
    prices = [_chain(size // 16, seconds) for size in sizes]
    return max(size for size, price in zip(sizes, prices, strict=True) if price <= 1.1 * min(prices))


def _chain(count: int, seconds: float) -> float:
    """Nanoseconds an element of five calls over four arrays."""
    a, b, c, d = (np.ones(count, np.float32) for _ in range(4))

    def calls() -> None:
        np.multiply(a, b, out=c)
        np.add(c, a, out=d)
        np.multiply(d, b, out=d)
        np.subtract(d, c, out=c)
        np.add(c, d, out=c)

    return best(calls, seconds) / count * 1e9


def function_of(card: Op) -> Any:
    """The ufunc that a pointwise card is, or None."""
    if card.kind != "pointwise":
        return None
    if card.infix or card.prefix:
        return _OPERATORS.get((card.infix or card.prefix or "", bool(card.infix)))
    found = _CALL.fullmatch(card.numpy) if isinstance(card.numpy, str) else None
    function = getattr(np, found[1], None) if found else None
    simple = isinstance(function, np.ufunc) and function.nin == len(card.operands)
    return function if simple else None


_OPERATORS = {
    ("+", True): np.add,
    ("-", True): np.subtract,
    ("*", True): np.multiply,
    ("/", True): np.divide,
    ("**", True): np.power,
    ("<", True): np.less,
    ("<=", True): np.less_equal,
    (">", True): np.greater,
    (">=", True): np.greater_equal,
    ("==", True): np.equal,
    ("!=", True): np.not_equal,
    ("-", False): np.negative,
}


def price(card: Op, dtype: str, seconds: float = 0.005) -> float | None:
    """Nanoseconds an element of a card's function, into an array that is there; None where it takes no floats."""
    function = function_of(card)
    signatures = [] if function is None else [t.partition("->") for t in function.types]
    code = np.dtype(dtype).char
    fitting = [out for inputs, _, out in signatures if inputs == code * len(card.operands)]
    if not fitting:
        return None
    operands = [np.linspace(0.5, 0.9, ELEMENTS).astype(dtype) for _ in card.operands]
    out = np.empty(ELEMENTS, fitting[0])
    with np.errstate(all="ignore"):
        return best(lambda: function(*operands, out=out), seconds) / ELEMENTS * 1e9


def measure_machine(seconds: float = 0.005) -> Machine:
    """This machine, measured; some seconds.

    Args:
        seconds: for each function and dtype.
    """
    prices = {}
    for name, card in CARDS.items():
        found = [price(card, dtype, seconds) for dtype in DTYPES]
        if all(found):
            prices[name] = (round(float(found[0] or 0), 4), round(float(found[1] or 0), 4))
    rates = {dtype: gemm_rate(dtype, 20 * seconds) for dtype in DTYPES}
    speeds = call_ns(10 * seconds), rates, copy_rate(20 * seconds), cache_bytes(4 * seconds)
    return Machine(processor(), np.__version__, *speeds, prices)


def keep(machine: Machine) -> Path | None:
    """Write a machine where ``known_machine`` finds it; None where there is no place for it."""
    path = machine_file()
    if path is None:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_text(path, machine.to_text())
