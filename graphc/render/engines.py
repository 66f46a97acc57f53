"""What lays out DOT text: the Graphviz inside the pygraphviz wheel, then ``graphviz-pure``, then ``dot``.

Each engine is a function of DOT text and a format that gives bytes, or raises ``Unavailable``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from graphc.errors import GraphcError, MissingDependency
from graphc.render import style

FORMATS = ("svg", "png", "pdf")
TIMEOUT = 60.0
"""Seconds that one layout may take in another process."""

IN_PROCESS_LIMIT = 1000
"""A picture of more nodes is laid out in another process, which can be stopped."""

OLDEST_DOT = (2, 40)
"""The first Graphviz whose ``newrank`` and rounded table cells are as we need them."""

INSTALL = 'pip install "graphc[render]"'

_lock = threading.Lock()  # Graphviz keeps global state


class Unavailable(Exception):
    """This engine is not there, or cannot make this format."""


class LayoutError(GraphcError, RuntimeError):
    """An engine failed, or ran past its time."""


Engine = Callable[[str, str], bytes]


def render(dot: str, format: str, nodes: int = 0) -> bytes:
    """DOT text as svg, png or pdf, by the first engine that can.

    Args:
        dot: a whole digraph.
        format: one of ``FORMATS``.
        nodes: how many nodes it has; a large one is laid out in another process.

    Raises:
        MissingDependency: there is no engine for this format.
        LayoutError: the layout failed or took too long.
    """
    reasons = []
    for name, engine in ENGINES.items():
        try:
            return (
                _apart(dot, format) if engine is wheel and nodes > IN_PROCESS_LIMIT else engine(dot, format)
            )
        except Unavailable as reason:
            reasons.append(f"{name}: {reason}")
    raise MissingDependency(
        f"nothing here can lay out a picture as {format}", given="; ".join(reasons), fix=INSTALL
    )


def wheel(dot: str, format: str) -> bytes:
    """The Graphviz inside the pygraphviz wheel."""
    try:
        import pygraphviz
    except ImportError as error:
        raise Unavailable(str(error)) from None
    try:
        with _lock:
            drawn: bytes = pygraphviz.AGraph(string=dot).draw(format=format, prog="dot")
    except OSError as error:
        if error.errno is None:
            raise Unavailable(str(error)) from None
        raise no_room(error) from None
    except (ValueError, RuntimeError) as error:
        raise Unavailable(str(error)) from None
    return drawn


def no_room(error: OSError) -> LayoutError:
    """What is said where temporary files cannot be written."""
    return LayoutError(
        f"no temporary file could be written ({error.strerror})",
        given=str(error.filename or tempfile.gettempprefix()),
        fix="free some room, or let TMPDIR name a folder that can be written",
    )


def pure(dot: str, format: str) -> bytes:
    """The program of the ``graphviz-pure`` package, which writes svg and png."""
    if format == "pdf":
        raise Unavailable("it writes no pdf")
    beside = Path(sys.executable).with_name("graphviz-pure" + (".exe" if os.name == "nt" else ""))
    program = str(beside) if beside.exists() else shutil.which("graphviz-pure")
    if program is None:
        raise Unavailable("not installed")
    return _program([program, "-Kdot", f"-T{format}"], _for_arimo(dot, format))


def _for_arimo(dot: str, format: str) -> str:
    """Text that fits the one font of ``graphviz-pure``: it has Arial's widths, and no sign for element by element."""
    plain = dot.replace(style.FONT, "Arial")
    return plain.replace("⊙", "*") if format == "png" else plain


def executable(dot: str, format: str) -> bytes:
    """The ``dot`` on the PATH, if it is new enough."""
    program = shutil.which("dot")
    if program is None:
        raise Unavailable("no dot on the PATH")
    if dot_version(program) < OLDEST_DOT:
        raise Unavailable(f"{program} is older than {'.'.join(map(str, OLDEST_DOT))}")
    return _program([program, f"-T{format}"], dot)


ENGINES: Mapping[str, Engine] = MappingProxyType(
    {"pygraphviz": wheel, "graphviz-pure": pure, "dot": executable}
)
"""In the order in which they are tried."""


def dot_version(program: str) -> tuple[int, ...]:
    """The version of a Graphviz program; ``(0,)`` where it does not say."""
    try:
        done = subprocess.run([program, "-V"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    match = re.search(rb"version (\d+)\.(\d+)", done.stderr + done.stdout)
    return tuple(map(int, match.groups())) if match else (0,)


def _apart(dot: str, format: str) -> bytes:
    """The wheel in a process of its own."""
    try:
        import pygraphviz  # noqa: F401
    except ImportError as error:
        raise Unavailable(str(error)) from None
    return _program([sys.executable, "-m", "graphc.render.engines", format], dot)


def _program(command: list[str], dot: str) -> bytes:
    """What a program writes when it is fed DOT text, within the time it has."""
    try:
        done = subprocess.run(command, input=dot.encode(), capture_output=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise LayoutError(
            f"the layout took more than {TIMEOUT:g} seconds", fix='draw fewer nodes: draw(..., level="model")'
        ) from None
    except OSError as error:
        raise Unavailable(str(error)) from None
    if done.returncode != 0 or not done.stdout:
        raise Unavailable(
            done.stderr.decode(errors="replace").strip()[:200] or f"exit code {done.returncode}"
        )
    return done.stdout


def _main() -> None:
    """In a process of its own: DOT text in, a picture out."""
    sys.stdout.buffer.write(wheel(sys.stdin.buffer.read().decode(), sys.argv[1]))


if __name__ == "__main__":
    _main()
