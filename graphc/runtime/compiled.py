"""Kernels that Numba compiles, and the folder where it keeps what it compiled."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import pickletools
import stat
import struct
import sys
import tempfile
import types
import warnings
from pathlib import Path
from typing import Any

from graphc.errors import MissingDependency

HEAD = "import math\n\nimport numpy as np\nfrom numba import njit\n\n"
"""What the text of kernels needs above it, to be a file of its own."""

KEPT = ", cache=True"
"""What a kernel says so that Numba keeps it."""


def has_numba() -> bool:
    """Whether Numba is installed."""
    return importlib.util.find_spec("numba") is not None


def need_numba() -> None:
    """Raises MissingDependency where Numba is not installed."""
    if not has_numba():
        raise MissingDependency(
            'target="numba" needs Numba, which is not installed',
            fix='python -m pip install "graphc[numba]", or target="numpy"',
        )


def cache_folder() -> Path:
    """Where kernels are kept: ``GRAPHC_CACHE``, else ``graphc`` in the user's folder for caches."""
    if own := os.environ.get("GRAPHC_CACHE"):
        return Path(own)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "graphc"


def run_kernels(kernels: str, space: dict[str, Any]) -> None:
    """Run the text of kernels in a namespace; Numba compiles each when it is first called.

    Numba keeps what it compiled beside the file that a function comes from, and looks it up by that file's time and
    size. So the text is written to a file that is named after its hash, once: a process that finds it there gets what
    another one compiled. The text itself is run, never what the file holds. Where the folder cannot be written, or
    others may write into it, nothing is kept, which a warning says.
    """
    text = HEAD + kernels
    name = f"graphc_kernels_{hashlib.sha256(text.encode()).hexdigest()[:24]}"
    if name not in sys.modules:
        sys.modules[name] = _module_of(text, name)
    space.update({k: v for k, v in vars(sys.modules[name]).items() if not k.startswith("__")})


def _module_of(text: str, name: str) -> types.ModuleType:
    """The text as a module; Numba finds what it kept by the module's name and file."""
    try:
        filename = str(_file_of(text, name))
    except OSError as error:
        warnings.warn(
            f"kernels are compiled anew in every process: {error}; set GRAPHC_CACHE to a folder of your own",
            stacklevel=4,
        )
        filename, text = f"<{name}>", text.replace(KEPT, "")
    module = types.ModuleType(name)
    module.__file__ = filename
    exec(compile(text, filename, "exec"), vars(module))  # noqa: S102  (graphc's own output)
    return module


def _file_of(text: str, name: str) -> Path:
    """The file of a text, written where it is not there yet.

    Raises:
        OSError: it cannot be written.
    """
    folder = _own_folder(cache_folder())
    path = folder / f"{name}.py"
    if not path.is_file() or path.read_bytes() != text.encode():
        handle, written = tempfile.mkstemp(dir=folder, suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
        Path(written).replace(path)  # whole, or not at all
    elif not os.access(folder, os.W_OK):
        raise PermissionError(f"{folder} cannot be written")
    _drop_damaged(path)
    return path


def _drop_damaged(path: Path) -> None:
    """Remove what is not whole of that which Numba kept for a file: it would fail at every call."""
    for kept in (path.parent / "__pycache__").glob(f"{path.stem}.*.nb[ic]"):
        if not _is_whole(kept.read_bytes()):
            warnings.warn(f"{kept} is damaged; its kernel is compiled anew", RuntimeWarning, stacklevel=6)
            kept.unlink(missing_ok=True)


def _is_whole(data: bytes) -> bool:
    """Whether bytes are pickles, one after the other, to the end; they are looked at, and nothing is loaded."""
    stream = io.BytesIO(data)
    try:
        while stream.tell() < len(data):
            for _ in pickletools.genops(stream):
                pass
    except (ValueError, UnicodeError, struct.error):
        return False
    return bool(data)


def _own_folder(folder: Path) -> Path:
    """The folder, made where it is not there: nobody else may write what Numba loads from it.

    Raises:
        OSError: it cannot be made, or is open to others.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    foreign = hasattr(os, "getuid") and found.st_uid not in (os.getuid(), 0)
    if foreign or (os.name == "posix" and found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
        raise PermissionError(f"{folder} may be written by others")
    return folder
