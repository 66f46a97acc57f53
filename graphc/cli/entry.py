"""The way in: arguments, one command, an exit code. Bad use is one line on standard error, never a traceback."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from argparse import Namespace
from collections.abc import Sequence

from graphc.cli.console import paint
from graphc.cli.parser import parser
from graphc.errors import GraphcError

OK, FAILED, BAD_USE, OUR_FAULT, INTERRUPTED = 0, 1, 2, 70, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the words after ``graphc``; by default those of this process.

    Returns:
        0 when it worked, 1 when a check found something wrong, 2 for bad use or bad data (then one line on standard
        error says what to do), 130 after Ctrl-C.

    Example:
        >>> main(["show", "nothing.py"])
        2
    """
    words = sys.argv[1:] if argv is None else list(argv)
    _tolerate_narrow_terminals()
    debug = "--debug" in words
    try:
        return _run(parser().parse_args(words))
    except SystemExit as done:  # argparse has printed --help or --version
        return int(done.code or 0)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:
        return _end_quietly()
    except (GraphcError, OSError) as error:
        if debug:
            raise
        return _complain(one_line(error), BAD_USE)
    except Exception as error:  # a mistake in graphc itself: said in one line as well
        if debug:
            raise
        return _complain(_our_fault(error), OUR_FAULT)


def _run(options: Namespace) -> int:
    """Import the module of a command only when it is asked for, so that ``graphc --help`` is fast."""
    module, _, function = options.run.partition(":")
    code: int = getattr(importlib.import_module(module), function)(options)
    sys.stdout.flush()
    return code


def one_line(error: GraphcError | OSError) -> str:
    """An error in one line: what went wrong, then what was given, where, and what to do, where known."""
    if not isinstance(error, GraphcError):
        return _system_line(error)
    parts = [error.what]
    parts += [f"given {error.given}"] if error.given and error.given not in error.what else []
    parts += [f"expected {error.expected}"] if error.expected and not error.fix else []
    parts += [f"at {error.where}"] if error.where else []
    parts += [error.fix] if error.fix else []
    return "; ".join(" ".join(part.split()) for part in parts)


def _our_fault(error: Exception) -> str:
    said = " ".join(str(error).split())
    return f"a mistake in graphc itself: {type(error).__name__}: {said}; --debug shows where"


def _system_line(error: OSError) -> str:
    reason = (error.strerror or str(error) or type(error).__name__).lower()
    return f"{error.filename}: {reason}" if error.filename else reason


def _complain(text: str, code: int) -> int:
    label = "graphc: " if code == INTERRUPTED else "graphc: error: "
    print(paint(label, "red", sys.stderr) + text, file=sys.stderr)
    return code


def _end_quietly() -> int:
    """Who read our output has left; nothing that is still buffered can be written."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK


def _tolerate_narrow_terminals() -> None:
    """Where a terminal cannot show ``θ``, show a stand-in rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
