"""Writing files whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphc.errors import ArgumentError, IsFolderError, MissingFolderError

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

_SUFFIX = ".tmp"


def write_bytes(path: Any, data: bytes) -> Path:
    """Write a file atomically: a temporary file beside it, synced, then renamed over it."""
    return write_files({path: data})[0]


def write_files(contents: Mapping[Any, bytes]) -> list[Path]:
    """Write files that belong together: none takes its name before all of them are whole on disk.

    Raises:
        ArgumentError: a name that no file can have.
        MissingFolderError, IsFolderError: there is no folder for a file, or one in its place.
        OSError: a folder that cannot be written, or a full disk; in any case no file has changed.
    """
    targets = [as_path(path) for path in contents]
    written: list[_Temporary] = []
    try:
        for target, data in zip(targets, contents.values(), strict=True):
            _refuse_folder(target)
            _remove_stale(target)
            written.append(_temporary(target, data))
        for temporary, target in zip(written, targets, strict=True):
            temporary.path.replace(target)
    except BaseException:
        for temporary in written:
            temporary.path.unlink(missing_ok=True)
        raise
    finally:
        for temporary in written:
            temporary.release()
    for folder in {target.parent for target in targets}:
        _sync_folder(folder)
    return targets


def _refuse_folder(target: Path) -> None:
    """Errors that name the user's path, not a temporary one."""
    refuse_name(target)
    if target.is_dir():
        raise IsFolderError("this is a folder", given=str(target), fix="give the name of a file in it")
    if not target.parent.is_dir():
        raise MissingFolderError(
            "there is no such folder", given=str(target.parent), fix="make it first, or choose another"
        )


def as_path(path: Any) -> Path:
    """A path from text or a path.

    Raises:
        ArgumentError: anything else.
    """
    if not isinstance(path, (str, os.PathLike)) or isinstance(path, bytes):
        raise ArgumentError("a path is text or a Path", given=repr(path)[:80])
    return Path(path)


def refuse_name(target: Path) -> None:
    """A name that the system does not take: too long, with a zero byte, or with half a character.

    Raises:
        ArgumentError: such a name.
    """
    try:
        target.stat()
    except ValueError as error:
        reason = str(error)
    except OSError as error:
        if error.errno not in (errno.ENAMETOOLONG, errno.EINVAL):
            return
        reason = str(error.strerror)
    else:
        return
    given = f"{str(target)!a:.60} ({reason})"
    raise ArgumentError("no file can have this name", given=given, fix="choose another name")


@dataclass(frozen=True)
class _Temporary:
    """A whole file beside its target; while its handle is open and locked, nobody takes it for a stale one."""

    path: Path
    handle: int | None

    def release(self) -> None:
        if self.handle is not None:
            os.close(self.handle)


def _temporary(target: Path, data: bytes) -> _Temporary:
    """A file beside the target that holds the data, synced."""
    handle, temporary = _own_file(target)
    try:
        with open(handle, "wb", closefd=False) as stream:
            stream.write(data)
            stream.flush()
            os.fsync(handle)
        temporary.chmod(0o666 & ~_umask())
    except BaseException:
        os.close(handle)
        temporary.unlink(missing_ok=True)
        raise
    if fcntl is None:  # no locks, and an open file cannot be renamed
        os.close(handle)
        return _Temporary(temporary, None)
    return _Temporary(temporary, handle)


def _own_file(target: Path) -> tuple[int, Path]:
    """A new file that is locked; another writer may have removed it before it was, then a newer one."""
    while True:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=_SUFFIX)
        if _locked(handle) and os.fstat(handle).st_nlink:
            return handle, Path(name)
        os.close(handle)


def _remove_stale(target: Path) -> None:
    """Temporary files that a killed process left: nobody holds their lock."""
    if fcntl is None:
        return
    name = re.compile(rf"\.{re.escape(target.name)}\.\w{{8}}{re.escape(_SUFFIX)}")
    for path in target.parent.iterdir():
        if name.fullmatch(path.name):
            _remove_if_free(path)


def _remove_if_free(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:  # gone meanwhile, or another user's
        return
    try:
        if _locked(handle):
            path.unlink(missing_ok=True)
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    """Whether this lock is now ours; where the system has none, everything is."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN)  # a file system without locks
    return True


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
