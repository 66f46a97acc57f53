"""Ctrl-C while a step is under way waits for its end; anywhere else it comes at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class Interrupt:
    """While entered, a first Ctrl-C within ``held`` is kept back until ``release``; a second one is not.

    Only where Python's own handler is in place, in the main thread: a program that has a handler keeps it.
    """

    def __init__(self) -> None:
        self.held = self.pending = False
        self._before: Any = None

    def __enter__(self) -> Interrupt:
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *error: object) -> None:
        self.held = False
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.held and not self.pending:
            self.pending = True
            return
        raise KeyboardInterrupt

    def release(self) -> None:
        """The step is done: what was kept back comes now."""
        self.held = False
        if self.pending:
            self.pending = False
            raise KeyboardInterrupt
