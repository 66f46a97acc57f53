"""Where the user is: the line that declares a node, and the scopes (layers) around it.

Both are context-local, so threads and notebooks do not mix.
"""

from __future__ import annotations

import contextvars
import linecache
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from graphc.errors import ArgumentError

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_EXAMPLES = _PACKAGE + "examples" + os.sep

_place_off: contextvars.ContextVar[bool] = contextvars.ContextVar("graphc_place_off", default=False)


@dataclass(frozen=True, slots=True)
class Origin:
    """A line of the user's program."""

    file: str
    line: int
    at: int = field(
        default=-1, compare=False
    )  # which operation of the line; its last one gives the line's name

    @property
    def code(self) -> str:
        """The text of the line, where it can still be read."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        code = self.code
        return f"{os.path.basename(self.file)}:{self.line}" + (f": {code}" if code else "")


@dataclass(frozen=True, eq=False)
class Scope:
    """One level of names, such as a layer.

    ``name`` is None for a layer that the user did not name; a graph numbers those by ``kind`` when it is formed.
    """

    name: str | None
    kind: str


_scopes: contextvars.ContextVar[tuple[Scope, ...]] = contextvars.ContextVar("graphc_scopes", default=())


def current_place() -> Origin | None:
    """The innermost line outside the package, or None inside an engine."""
    if _place_off.get():
        return None
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(_PACKAGE) or file.startswith(_EXAMPLES):
            return Origin(file, frame.f_lineno, frame.f_lasti)
        frame = frame.f_back  # type: ignore[assignment]
    return None


def here() -> str | None:
    """The user's line as text, for an error that is raised before a node is made."""
    place = current_place()
    return str(place) if place else None


def in_layer() -> str:
    """`` in layer hidden1``, or nothing, for an error that is raised before a node is made."""
    layer = scope_text(current_scopes())
    return f" in layer {layer}" if layer else ""


def current_scopes() -> tuple[Scope, ...]:
    """The scopes around this line, outermost first."""
    return () if _place_off.get() else _scopes.get()


@contextmanager
def scope(name: str | None, kind: str = "scope") -> Iterator[Scope]:
    """Inside, names are prefixed: ``with gx.scope("encoder")`` makes ``encoder.W``.

    Raises:
        ArgumentError: a name that is not text on one line.

    Example:
        >>> import graphc as gx
        >>> with gx.scope("encoder"):
        ...     w = gx.param("w", (2,))
        >>> gx.graph_of(w).name_of(w)
        'encoder.w'
    """
    if name is not None and not (isinstance(name, str) and name and name.isprintable()):
        raise ArgumentError("the name of a layer is text on one line", given=repr(name)[:80])
    level = Scope(name, kind)
    token = _scopes.set((*_scopes.get(), level))
    try:
        yield level
    finally:
        _scopes.reset(token)


@contextmanager
def silent() -> Iterator[None]:
    """Inside, nodes get neither a user line nor scopes."""
    token = _place_off.set(True)
    try:
        yield
    finally:
        _place_off.reset(token)


def scope_text(scopes: tuple[Scope, ...], names: dict[Scope, str] | None = None) -> str:
    """``encoder.hidden1``; an unnamed layer goes by its kind until a graph has numbered it."""
    return ".".join((names or {}).get(s) or s.name or s.kind for s in scopes)


def full_name(name: str, scopes: tuple[Scope, ...], names: dict[Scope, str] | None = None) -> str:
    """A name with its scopes in front."""
    prefix = scope_text(scopes, names)
    return f"{prefix}.{name}" if prefix else name
