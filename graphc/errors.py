"""One exception tree, one message layout.

Every error says what happened and then, each on its own line and only where known: what was given, what was
expected, where the user declared it, and what to do.
"""

from __future__ import annotations


class GraphcError(Exception):
    """The root of every error that graphc raises on purpose.

    Args:
        what: one sentence, what went wrong.
        given: what graphc was handed.
        expected: what it needed instead.
        where: the user's own place, such as ``model.py:12 in layer hidden1: h = x @ W``.
        fix: one thing to do about it.
    """

    def __init__(
        self,
        what: str,
        *,
        given: str | None = None,
        expected: str | None = None,
        where: str | None = None,
        fix: str | None = None,
    ) -> None:
        self.what, self.given, self.expected, self.where, self.fix = what, given, expected, where, fix
        super().__init__(str(self))

    def __str__(self) -> str:
        rows = (
            ("given", self.given),
            ("expected", self.expected),
            ("declared", self.where),
            ("fix", self.fix),
        )
        return "\n".join([self.what, *(f"  {label + ':':<10}{text}" for label, text in rows if text)])

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.given, self.expected, self.where, self.fix)


def _rebuild(
    cls: type[GraphcError],
    what: str,
    given: str | None,
    expected: str | None,
    where: str | None,
    fix: str | None,
) -> GraphcError:
    return cls(what, given=given, expected=expected, where=where, fix=fix)


class ShapeError(GraphcError, ValueError):
    """Shapes that do not fit an operation."""


class DTypeError(GraphcError, TypeError):
    """A dtype that an operation, an input or a call does not take."""


class ArgumentError(GraphcError, TypeError):
    """A call with a missing, unknown or ill-formed argument."""


class UnknownNameError(GraphcError, LookupError):
    """A name that is not there; the message lists near names."""


class DuplicateNameError(GraphcError, ValueError):
    """Two leaves of one name in one graph."""


class AmbiguousTruthError(GraphcError, TypeError):
    """A node used where Python needs a bool."""


class MissingRule(GraphcError, NotImplementedError):
    """An operation without the derivative, transpose or code that was asked for."""


class VerifyError(GraphcError, AssertionError):
    """A graph that breaks an invariant of the IR: a bug in graphc or in an operation card."""


class ParseError(GraphcError, ValueError):
    """Text (IR or formula) that is not well formed; nothing of it was run."""


class DataError(GraphcError, ValueError):
    """Data that cannot be trained or evaluated on."""


class NonFiniteError(GraphcError, ArithmeticError):
    """The first value that became nan or infinite."""


class FactError(GraphcError, ValueError):
    """A value without a fact that was claimed of it."""


class ValidationError(GraphcError, AssertionError):
    """A rewrite that changed a value by more than its kind allows: a bug in graphc or in a rule."""


class FileFormatError(GraphcError, ValueError):
    """A file that is not what its name says, or is damaged."""


class MissingFolderError(GraphcError, FileNotFoundError):
    """A file is to be written where there is no folder."""


class IsFolderError(GraphcError, IsADirectoryError):
    """A file is to be written in the place of a folder."""


class MissingDependency(GraphcError, ImportError):
    """An optional library that is not installed; the fix is the install command."""


class UsageError(GraphcError):
    """Bad use of the command line: one clear line and exit code 2."""
