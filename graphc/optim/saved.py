"""Optimizers as plain data, for a saved model: by name and settings; a user's own by its equations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from graphc.errors import FileFormatError
from graphc.optim.chain import chain, groups
from graphc.optim.optimizer import Optimizer
from graphc.optim.registry import OPTIMIZERS, TRANSFORMS
from graphc.optim.rule import rule
from graphc.optim.stored import as_data, from_data

MAKERS: Mapping[str, Callable[..., Optimizer]] = MappingProxyType(
    {
        **OPTIMIZERS,
        **TRANSFORMS,
        "chain": lambda parts: chain(*parts),
        "groups": lambda otherwise, members: groups(otherwise, {n: _group(g) for n, g in members}),
        "rule": rule,
    }
)
"""What makes an optimizer from its settings."""


def optimizer_data(optimizer: Optimizer) -> dict[str, Any]:
    """An optimizer as numbers, text, lists and dicts.

    Example:
        >>> from graphc import optim
        >>> optimizer_data(optim.sgd(0.5))
        {'optimizer': 'sgd', 'settings': {'lr': 0.5}}
    """
    settings = {key: _data(value) for key, value in optimizer.settings}
    return {"optimizer": optimizer.name, "settings": settings}


def optimizer_from(data: Any) -> Optimizer:
    """The optimizer that was written so.

    Raises:
        FileFormatError: one that is not there.
    """
    make = MAKERS.get(data["optimizer"])
    if make is None:
        raise FileFormatError("there is no such optimizer", given=f"{data['optimizer']!r:.60}")
    return make(**{key: _value(part) for key, part in data["settings"].items()})


def _data(value: Any) -> Any:
    if isinstance(value, Optimizer):
        return optimizer_data(value)
    return [_data(part) for part in value] if isinstance(value, tuple) else as_data(value)


def _value(data: Any) -> Any:
    if isinstance(data, Mapping) and "optimizer" in data:
        return optimizer_from(data)
    return tuple(_value(part) for part in data) if isinstance(data, list) else from_data(data)


def _group(value: Any) -> Any:
    return dict(value) if isinstance(value, tuple) else value
