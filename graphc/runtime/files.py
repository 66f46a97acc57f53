"""Writing files whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_bytes(path: Any, data: bytes) -> Path:
    """Write a file atomically: a temporary file beside it, synced, then renamed over it."""
    return write_files({path: data})[0]


def write_files(contents: Mapping[Any, bytes]) -> list[Path]:
    """Write files that belong together: none takes its name before all of them are whole on disk.

    Raises:
        OSError: a folder that is not there or cannot be written, or a full disk; then no file has changed.
    """
    targets = [Path(path) for path in contents]
    written: list[Path] = []
    try:
        for target, data in zip(targets, contents.values(), strict=True):
            _refuse_folder(target)
            written.append(_temporary(target, data))
        for temporary, target in zip(written, targets, strict=True):
            temporary.replace(target)
    except BaseException:
        for temporary in written:
            temporary.unlink(missing_ok=True)
        raise
    for folder in {target.parent for target in targets}:
        _sync_folder(folder)
    return targets


def _refuse_folder(target: Path) -> None:
    """Errors that name the user's path, not a temporary one."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(target.parent))


def _temporary(target: Path, data: bytes) -> Path:
    """A file beside the target that holds the data, synced."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o666 & ~_umask())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def write_text(path: Any, text: str) -> Path:
    """Write a text file atomically, in UTF-8."""
    return write_bytes(path, text.encode())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system lets a folder be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
