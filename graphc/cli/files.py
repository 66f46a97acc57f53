"""Outputs are checked before work begins, so that an hour of training does not end at a misspelt folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from graphc.errors import MissingDependency, UsageError


def writable(path: str, option: str, suffixes: Sequence[str]) -> Path:
    """A path that can be written: its folder is there, and its suffix says what is written.

    Raises:
        UsageError: it cannot.
    """
    target = Path(path)
    if target.suffix.lower() not in suffixes:
        raise UsageError(f"{option} {path}: the file must end in {' or '.join(suffixes)}")
    if target.is_dir():
        raise UsageError(f"{option} {path}: there is a folder of this name")
    if not target.parent.is_dir():
        raise UsageError(
            f"{option} {path}: there is no folder {target.parent}", fix=f"mkdir -p {target.parent}"
        )
    if not os.access(target.parent, os.W_OK):
        raise UsageError(f"{option} {path}: the folder {target.parent} cannot be written")
    return target


def folder(path: str, option: str) -> Path:
    """A folder that can be written; it is made if it is not there.

    Raises:
        UsageError: it cannot be made or written.
    """
    target = Path(path)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(
            f"{option} {path}: the folder cannot be made", given=reason, fix="name another folder"
        ) from error
    if not os.access(target, os.W_OK):
        raise UsageError(f"{option} {path}: the folder cannot be written")
    return target


def need_matplotlib() -> None:
    """Raises MissingDependency where curves cannot be drawn."""
    if not has_matplotlib():
        raise MissingDependency("plots need matplotlib", fix='python -m pip install "graphc[plot]"')


def has_matplotlib() -> bool:
    """Whether matplotlib is installed."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None
