"""The averages of the parameters that an optimizer makes, in the place of the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphc.errors import ArgumentError
from graphc.optim.optimizer import Optimizer


def averaged_params(
    optimizer: Optimizer | None, params: Mapping[str, Any], slots: Mapping[str, Any]
) -> dict[str, Any]:
    """The average of each parameter; one of which there is none, such as a frozen one, is as it is.

    Raises:
        ArgumentError: the optimizer makes no averages, or has not trained.
    """
    names = {p: optimizer.averages(p) for p in params} if optimizer else {}
    found = {p: slots[name] for p, name in names.items() if name is not None and name in slots}
    if not found:
        raise ArgumentError(
            "there are no averages of these parameters",
            given=repr(optimizer),
            fix="fit with gx.optim.chain(gx.optim.adam(), gx.optim.ema(0.999))",
        )
    return {**params, **found}
