"""Optimizers made of others: one after the other, and by groups of parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from graphc.errors import ArgumentError
from graphc.optim.link import Link
from graphc.optim.optimizer import Optimizer
from graphc.optim.registry import OPTIMIZERS
from graphc.optim.schedule import Schedule


def chain(*parts: Optimizer) -> Optimizer:
    """Optimizers one after the other: each reads the gradient, and the parameter, as those before it left them.

    Args:
        parts: transforms and one optimizer; what stands behind it sees the new parameter.

    Raises:
        ArgumentError: something that is no optimizer, two with a rate, or a transform of the gradient behind the
            optimizer, where it would do nothing.

    Example:
        >>> from graphc import optim
        >>> optim.chain(optim.weight_decay(0.1), optim.sgd(0.5)).equation
        'g ← g + w θ; θ ← θ - λ g'
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
    _check_order(links)
    frozen = tuple(dict.fromkeys(name for part in parts for name in part.frozen))
    return Optimizer("chain", rates[0] if rates else None, links, (("parts", parts),), frozen)


def _check_order(links: Sequence[Link]) -> None:
    """Behind the optimizer nothing reads the gradient any more, so a transform of it there would do nothing."""
    steps = [i for i, link in enumerate(links) if "g" in link.reads and "theta" in dict(link.lines)]
    for link in links[steps[-1] + 1 :] if steps else ():
        if "g" in dict(link.lines):
            raise ArgumentError(
                f"{link.name} stands behind the optimizer, where nothing reads the gradient that it changes",
                given=f"chain of {', '.join(each.name for each in links)}",
                fix=f"put {link.name} before {links[steps[-1]].name}",
            )


Group = Optimizer | Mapping[str, Any] | None


def groups(otherwise: Optimizer, members: Mapping[str, Group]) -> Optimizer:
    """Settings, or optimizers, by groups of parameters.

    Args:
        otherwise: for the parameters that no group names. Its rate is that of all: a group multiplies it.
        members: by the name of a parameter or a layer: settings that differ, such as ``{"lr": 1e-4}``; an optimizer;
            or None for parameters that stay as they are. The first name that fits counts.

    Raises:
        ArgumentError: settings that this optimizer does not have; a rate for a group where the common one is 0.
        UnknownNameError: at the first use, a name that is no parameter or layer of the model.

    Example:
        >>> from graphc import optim
        >>> slow = optim.groups(optim.adam(1e-3), {"embedding": {"lr": 1e-4}, "head.b": optim.sgd(1e-2), "old": None})
        >>> slow.rate, [link.name for link in slow.links], slow.frozen
        (0.001, ['adam', 'adam_2', 'sgd'], ('old',))
    """
    if not isinstance(otherwise, Optimizer) or otherwise.rate is None:
        raise ArgumentError("groups are of an optimizer with a rate", given=f"{otherwise!r:.60}")
    if not isinstance(members, Mapping):
        raise ArgumentError(
            "groups are a dict by parameter or layer", given=f"{members!r:.60}", fix='{"head": {"lr": 1e-4}}'
        )
    _check_pauses(otherwise)
    names = tuple(members)
    links = [replace(link, but=(*link.but, *names)) for link in otherwise.links]
    for i, (name, group) in enumerate(members.items()):
        own = _member(otherwise, name, group)
        for link in own.links if own else ():
            scale = link.scale * _scale(own, otherwise, name)
            links.append(replace(link, scale=scale, only=(name,), but=(*link.but, *names[:i])))
    frozen = tuple(name for name, group in members.items() if group is None)
    kept = tuple((n, tuple(g.items()) if isinstance(g, Mapping) else g) for n, g in members.items())
    settings = (("otherwise", otherwise), ("members", kept))
    return Optimizer("groups", otherwise.rate, distinct(links), settings, frozen)


def _check_pauses(part: Optimizer) -> None:
    if any(link.every > 1 for link in part.links):
        raise ArgumentError(
            "steps are accumulated for all groups together",
            given=repr(part)[:60],
            fix="gx.optim.chain(gx.optim.accumulate(4), gx.optim.groups(...))",
        )


def _member(otherwise: Optimizer, name: str, group: Group) -> Optimizer | None:
    if isinstance(group, Optimizer):
        _check_pauses(group)
    if group is None or isinstance(group, Optimizer):
        return group
    if not isinstance(group, Mapping) or otherwise.name not in OPTIMIZERS:
        raise ArgumentError(
            f"the group {name} of {otherwise.name} is an optimizer or None", given=f"{group!r:.60}"
        )
    settings = dict(otherwise.settings)
    unknown = [key for key in group if key not in settings]
    if unknown:
        raise ArgumentError(
            f"{otherwise.name} has no setting {unknown[0]}",
            given=f"group {name}",
            expected=", ".join(settings),
        )
    return OPTIMIZERS[otherwise.name](**{**settings, **group})


def _scale(own: Optimizer | None, otherwise: Optimizer, name: str) -> float:
    """What the common rate is multiplied by."""
    if own is None or own.rate is None or own.rate == otherwise.rate:
        return 1.0
    if isinstance(own.rate, Schedule) or isinstance(otherwise.rate, Schedule):
        return _multiple(own.rate, otherwise.rate, name)
    if not otherwise.rate:
        raise ArgumentError(f"the group {name} multiplies a rate of 0", given=f"lr={own.rate!r}")
    return own.rate / otherwise.rate


def _multiple(own: Any, common: Any, name: str) -> float:
    """k of the schedule ``k * common``."""
    match dict(getattr(own, "settings", ())).get("parts"):
        case (float() | int() as scale, Schedule() as schedule) if schedule == common:
            return float(scale)
    raise ArgumentError(
        f"the rate of the group {name} is a multiple of the common schedule",
        given=f"lr={own!r}",
        fix=f"lr=0.1 * schedule, where the schedule is {common!r:.80}",
    )


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
