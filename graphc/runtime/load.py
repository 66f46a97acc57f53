"""Loading generated source so that tracebacks, debuggers and ``inspect`` show its lines."""

from __future__ import annotations

import hashlib
import linecache
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from graphc.errors import DataError
from graphc.runtime.compiled import need_numba, run_kernels


def load_source(source: str, name: str = "program", kernels: str = "") -> dict[str, Any]:
    r"""Run generated source as a module of its own; returns its names.

    The text is graphc's own output. It is registered with ``linecache`` under a name with a hash of its content, so
    a traceback through generated code shows the generated line. ``kernels`` is the part of it that Numba compiles; see
    ``run_kernels``.

    Raises:
        MissingDependency: kernels, and Numba is not installed.

    Example:
        >>> load_source("def double(x):\n    return 2 * x\n")["double"](4)
        8
    """
    filename = f"<graphc {name} {hashlib.sha256(source.encode()).hexdigest()[:12]}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    space: dict[str, Any] = {"__name__": f"graphc_{name}", "__file__": filename}
    before, _, after = source.partition(kernels) if kernels else (source, "", "")
    if kernels:
        need_numba()
    exec(compile(before, filename, "exec"), space)  # noqa: S102  (graphc's own output)
    if kernels:
        run_kernels(kernels, space)
        lines = "\n" * (before + kernels).count("\n")  # so that each line keeps its number
        exec(compile(lines + after, filename, "exec"), space)  # noqa: S102
    return space


@contextmanager
def refusals() -> Iterator[None]:
    """Inside, data that generated code refuses (it knows NumPy and Python alone) raise DataError.

    Example:
        >>> with refusals():
        ...     raise ValueError("a batch of one")
        Traceback (most recent call last):
        ...
        graphc.errors.DataError: a batch of one
    """
    try:
        yield
    except ValueError as error:
        raise DataError(str(error)) from error
