"""Figures of matplotlib, which graphc needs for curves alone."""

from __future__ import annotations

from typing import Any

from graphc.errors import MissingDependency


def new_figure(width: float, height: float) -> Any:
    """An empty figure of matplotlib, of no window and no state that is shared; sizes in inches.

    Raises:
        MissingDependency: matplotlib is not installed.

    Example:
        >>> new_figure(4.0, 3.0).get_size_inches().tolist()
        [4.0, 3.0]
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependency(
            "plots need matplotlib", fix='python -m pip install "graphc[plot]"'
        ) from error
    return Figure(figsize=(width, height), layout="constrained")
