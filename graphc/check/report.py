"""What a check of gradients found, for people and for tests."""

from __future__ import annotations

from dataclasses import dataclass

CELLS = ("element", "gradient", "difference", "error", "along", "complex", "of")
"""A row of a check: its worst element; the errors there, along a direction, of the complex step; of how many."""


@dataclass(frozen=True)
class VariableCheck:
    """The check of one variable, at the element where gradient and difference are furthest apart.

    Attributes:
        name: the variable.
        shape: of its value.
        elements: how many elements were compared.
        kinks: how many of them stand on a kink, where any slope between both sides is right.
        index: where the worst element is.
        gradient: what the compiled gradient says there.
        difference: what central differences say there.
        error: ``|gradient - difference| / max(1, |difference|)``.
        along: the same error for the slope along a random direction, to which every element adds.
        complex_step: the same for the complex step along it; None where it was not taken.
    """

    name: str
    shape: tuple[int, ...]
    elements: int
    kinks: int
    index: tuple[int, ...]
    gradient: float
    difference: float
    error: float
    along: float = 0.0
    complex_step: float | None = None

    @property
    def largest(self) -> float:
        """The largest of the errors."""
        return max(self.error, self.along, self.complex_step or 0.0)

    @property
    def place(self) -> str:
        """The element, such as ``W[3, 1]``."""
        return f"{self.name}[{', '.join(map(str, self.index))}]" if self.index else self.name

    @property
    def cells(self) -> tuple[str, ...]:
        """The check as a row under ``CELLS``."""
        step = "" if self.complex_step is None else f"{self.complex_step:.1e}"
        errors = f"{self.error:.1e}", f"{self.along:.1e}", step
        return self.place, f"{self.gradient:.6g}", f"{self.difference:.6g}", *errors, str(self.elements)

    def __str__(self) -> str:
        kinks = f", {self.kinks} on a kink" if self.kinks else ""
        numbers = f"gradient {self.gradient:.10g}, difference {self.difference:.10g}, error {self.error:.1e}"
        step = "" if self.complex_step is None else f", complex step {self.complex_step:.1e}"
        return f"{self.place}: {numbers}  ({self.elements} elements{kinks}; along a direction {self.along:.1e}{step})"


@dataclass(frozen=True)
class GradientReport:
    """What ``check_grad`` found, per variable.

    Attributes:
        variables: one check per variable, in the order of ``wrt``.
        tolerance: the largest error that passes.
        suspect: the operation whose own derivative disagrees with differences, and where it was declared; None where
            all is well or no single operation is to blame.
        simplified: how far simplification moved the value that is differentiated, over its size.
        no_complex_step: why no complex step was taken; empty where it was.
    """

    variables: tuple[VariableCheck, ...]
    tolerance: float
    suspect: str | None = None
    simplified: float = 0.0
    no_complex_step: str = ""

    @property
    def ok(self) -> bool:
        """Whether every element and every direction agrees, on a value that simplification left as it was."""
        return self.simplified <= self.tolerance and all(v.largest <= self.tolerance for v in self.variables)

    @property
    def worst(self) -> VariableCheck:
        """The variable with the largest error."""
        return max(self.variables, key=lambda v: v.largest)

    def __str__(self) -> str:
        verdict = "agree with" if self.ok else "differ from"
        head = f"gradients {verdict} central differences (tolerance {self.tolerance:g})"
        rows = [f"  {'ok ' if v.largest <= self.tolerance else 'BAD'} {v}" for v in self.variables]
        if self.simplified > self.tolerance:
            rows.append(f"  BAD simplification moved the value itself by {self.simplified:.1e}")
        if self.no_complex_step:
            rows.append(f"  no complex step: {self.no_complex_step}")
        return "\n".join([head, *rows, *([f"  suspect: {self.suspect}"] if self.suspect else [])])

    __repr__ = __str__

    def __bool__(self) -> bool:
        return self.ok
