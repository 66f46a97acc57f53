"""How accurate a program is: the worst error of each of its pointwise kernels, measured against mpmath."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphc.codegen.numpy import names_for
from graphc.errors import ArgumentError, ParseError
from graphc.ir.graph import Graph
from graphc.ir.node import engine
from graphc.rewrite.regions import Found, kernels_of
from graphc.runtime.program import Program


@dataclass(frozen=True)
class Kernel:
    """A pointwise part of a program: what lies between products, sums and leaves.

    Attributes:
        names: what its values are called in the listing.
        operations: how many there are.
        dtype: float32 or float64.
        scaled: the worst |err| / (eps max(1, |f|)) on a grid with extremes; nan where no exact value is known.
        ulp: the worst error in units in the last place, where the value is a normal number.
        note: why there is no figure, or the empty text.
    """

    names: tuple[str, ...]
    operations: int
    dtype: str
    scaled: float
    ulp: float
    note: str = ""


@dataclass(frozen=True)
class Accuracy:
    """The kernels of a program, in its order; ``print`` shows them."""

    kernels: tuple[Kernel, ...]

    @property
    def worst(self) -> float:
        """The worst scaled error of all kernels."""
        return max((k.scaled for k in self.kernels if not k.note), default=0.0)

    def __str__(self) -> str:
        rows = [("kernel", "operations", "error / eps", "ulp"), *map(_row, self.kernels)]
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        lines = [
            f"{row[0]:<{widths[0]}}  "
            + "  ".join(f"{cell:>{w}}" for cell, w in zip(row[1:], widths[1:], strict=True))
            for row in rows
        ]
        return "\n".join(line.rstrip() for line in lines)

    __repr__ = __str__


def _row(kernel: Kernel) -> tuple[str, str, str, str]:
    names = ", ".join(kernel.names)
    first = names if len(names) <= 60 else f"{names[:57]}..."
    figures = (kernel.note, "") if kernel.note else (f"{kernel.scaled:.2g}", f"{kernel.ulp:.2g}")
    return first, str(kernel.operations), *figures


def accuracy(program: Any) -> Accuracy:
    """The worst error of each pointwise kernel of a program, against mpmath on a grid with extremes.

    The error is |err| / (eps max(1, |f|)): relative where a value is large, absolute where it is small. The worst
    distance in units in the last place, which is relative everywhere, stands beside it: it is large wherever a small
    value is the difference of larger ones, harmful or not. Values that are not finite in the dtype are left out.

    Args:
        program: what ``gx.compile`` returned.

    Raises:
        ArgumentError: not a program.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> found = gx.accuracy(gx.compile([gx.mish(x), gx.grad(gx.sum(gx.mish(x)), x)]))
        >>> len(found.kernels), found.worst < 2
        (1, True)
    """
    if not isinstance(program, Program):
        raise ArgumentError(
            "accuracy takes a program", given=type(program).__name__, fix="gx.compile makes one"
        )
    with engine():
        return Accuracy(tuple(_kernels(program.graph)))


def _kernels(graph: Graph) -> Iterator[Kernel]:
    names = names_for(graph)
    known: dict[Any, tuple[float, float, str]] = {}
    for found in kernels_of(graph):
        key = found.form, found.dtype
        if key not in known:
            known[key] = _measured(found)
        called = tuple(names(node) for node in found.outputs)
        yield Kernel(called, found.form.operations(), found.dtype, *known[key])


def _measured(found: Found) -> tuple[float, float, str]:
    from graphc.symbolic.regions.accuracy import error_of, reference

    try:
        error = error_of(found.form, reference(found.form, found.dtype))
    except ParseError as problem:
        return float("nan"), float("nan"), problem.what
    return error.scaled, error.ulp, ""
