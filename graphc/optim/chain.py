"""Optimizers made of others: one after the other, and by groups of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from graphc.errors import ArgumentError
from graphc.optim.link import Link
from graphc.optim.optimizer import Optimizer


def chain(*parts: Optimizer) -> Optimizer:
    """Optimizers one after the other: each reads the gradient, and the parameter, as those before it left them.

    Args:
        parts: transforms and one optimizer; what stands behind it sees the new parameter.

    Raises:
        ArgumentError: something that is no optimizer, or two with a rate.

    Example:
        >>> from graphc import optim
        >>> optim.chain(optim.weight_decay(0.1), optim.sgd(0.5)).equation
        'g ← g + decay θ; θ ← θ - λ g'
    """
    for part in parts:
        if not isinstance(part, Optimizer):
            raise ArgumentError("a chain is of optimizers", given=f"{part!r:.60}", fix="gx.optim.adam()")
    rates = [part.rate for part in parts if part.rate is not None]
    if len(rates) > 1:
        raise ArgumentError(
            "a chain has one rate",
            given=", ".join(part.name for part in parts if part.rate is not None),
            expected="transforms and one optimizer",
            fix="gx.optim.groups has an optimizer for each group of parameters",
        )
    links = distinct([link for part in parts for link in part.links])
    frozen = tuple(dict.fromkeys(name for part in parts for name in part.frozen))
    return Optimizer("chain", rates[0] if rates else None, links, (("parts", parts),), frozen)


def distinct(links: Sequence[Link]) -> tuple[Link, ...]:
    """Links under names of their own: a second ``clip`` is ``clip_2``."""
    taken: set[str] = set()
    found = []
    for link in links:
        name, number = link.name, 1
        while name in taken:
            number += 1
            name = f"{link.name}_{number}"
        taken.add(name)
        found.append(link if name == link.name else replace(link, name=name))
    return tuple(found)
