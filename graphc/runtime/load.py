"""Loading generated source so that tracebacks, debuggers and ``inspect`` show its lines."""

from __future__ import annotations

import hashlib
import linecache
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from graphc.errors import DataError


def load_source(source: str, name: str = "program") -> dict[str, Any]:
    r"""Run generated source as a module of its own; returns its names.

    The text is graphc's own output. It is registered with ``linecache`` under a name with a hash of its content, so
    a traceback through generated code shows the generated line.

    Example:
        >>> load_source("def double(x):\n    return 2 * x\n")["double"](4)
        8
    """
    filename = f"<graphc {name} {hashlib.sha256(source.encode()).hexdigest()[:12]}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    space: dict[str, Any] = {"__name__": f"graphc_{name}", "__file__": filename}
    exec(compile(source, filename, "exec"), space)  # noqa: S102  (graphc's own output)
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
