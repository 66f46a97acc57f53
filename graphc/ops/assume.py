"""What a user knows of a value and the program cannot see: facts that rules may use, and that a debug run checks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DTypeError
from graphc.ir.node import Node
from graphc.ir.op import Op
from graphc.ir.origin import here
from graphc.ops.card import as_nodes, same_type


def _rows_sum_to_one(a: Any) -> Any:
    return np.abs(a.sum(axis=-1) - 1) <= 1e-5


def _is_one_hot(a: Any) -> Any:
    return ((a == 0) | (a == 1)).all(axis=-1) & (a.sum(axis=-1) == 1)


FLAGS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "nonzero": lambda a: a != 0,
        "finite": np.isfinite,
        "integer": lambda a: a == np.floor(a),
        "one_hot": _is_one_hot,
        "row_stochastic": lambda a: (a >= 0).all(axis=-1) & _rows_sum_to_one(a),
        "symmetric": lambda a: a == np.swapaxes(a, -1, -2),
    }
)
"""A fact that holds or is unknown, and its test on an array; what a value lies between are two others."""

assume_op = Op(
    "assume",
    "linear",
    ("x",),
    same_type,
    attrs={"at_least": None, "at_most": None, **dict.fromkeys(FLAGS, False)},
    coerce=as_nodes,
    transpose=(lambda g, x, **_: g,),
    numpy="{x}",
    role="assume",
    latex="{x}",
    doc="A value of which facts are known.",
)


def assume(
    x: Any,
    *,
    positive: bool = False,
    nonnegative: bool = False,
    low: float | None = None,
    high: float | None = None,
    **facts: bool,
) -> Node:
    """The value itself, of which you know more than the program shows.

    A rule that needs a fact may then fire, and a stable form that a range makes needless is skipped. Nothing is
    computed for it; ``gx.compile(..., debug=True)`` checks every fact when the program runs.

    Args:
        x: a float or integer node.
        positive: above 0 (and so not 0).
        nonnegative: at least 0.
        low: at least this.
        high: at most this.
        facts: ``nonzero``, ``finite`` (no infinity, no nan), ``integer`` (no fraction), ``one_hot`` (each row along the
            last axis), ``row_stochastic`` (rows of probabilities), ``symmetric`` (in the last two axes): True.

    Raises:
        ArgumentError: an unknown fact, no fact at all, or a range with nothing in it.
        DTypeError: a bool.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> print(gx.compile(gx.exp(gx.log(gx.assume(x, positive=True)))).source.splitlines()[-1])
            return (x.copy(),)
    """
    unknown = set(facts) - set(FLAGS)
    if unknown:
        expected = ", ".join(("positive", "nonnegative", "low", "high", *FLAGS))
        raise ArgumentError(f"there is no fact {min(unknown)!r}", expected=expected, where=here())
    for bound in (low, high):
        if bound is not None and (isinstance(bound, bool) or math.isnan(bound)):
            raise ArgumentError("a bound is a number", given=repr(bound), where=here())
    least = _highest(low, 0.0 if positive or nonnegative else None)
    given = {flag: True for flag in FLAGS if facts.get(flag) or (flag == "nonzero" and positive)}
    if least is None and high is None and not given:
        raise ArgumentError("gx.assume says nothing", where=here(), fix="gx.assume(x, positive=True)")
    if least is not None and high is not None and least > high:
        raise ArgumentError("no value is in this range", given=f"{least} to {high}", where=here())
    (node,) = as_nodes((x,))
    if node.dtype == "bool":
        raise DTypeError("facts are about numbers", given=str(node.type), where=here())
    result: Node = assume_op(node, at_least=least, at_most=None if high is None else float(high), **given)
    return result


def _highest(*bounds: float | None) -> float | None:
    known = [float(b) for b in bounds if b is not None]
    return max(known) if known else None


def broken_fact(node: Node, value: Any) -> str | None:
    """The first fact of an ``assume`` node that an array does not have."""
    array = np.asarray(value)
    for key, holds in (("at_least", np.greater_equal), ("at_most", np.less_equal)):
        bound = node.attrs[key]
        if bound is not None and not np.all(holds(array, bound)):
            return f"{'low' if key == 'at_least' else 'high'}={bound:g}"
    return next(
        (f"{flag}=True" for flag, test in FLAGS.items() if node.attrs[flag] and not np.all(test(array))), None
    )


CARDS = (assume_op,)
