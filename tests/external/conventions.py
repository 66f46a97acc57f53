"""Where a case differs by convention: what it must show of itself before that is believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def torch_excuse(row: Any, arrays: Mapping[str, Any]) -> str:
    """Why the gradient of a sample of PyTorch's may differ; nothing where it may not."""
    excuse = EXCUSES.get(row["op"])
    return excuse(row, arrays) if excuse else ""


EXCUSES: dict[str, Callable[[Any, Mapping[str, Any]], str]] = {
    "nn.functional.hardsigmoid": lambda row, arrays: "PyTorch's gradient multiplies by the float32 1/6",
}
"""Operation to the reason, from what a sample shows."""
