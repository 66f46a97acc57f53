"""Plots in one line each, styled alike; they need the extra ``plot`` (matplotlib).

Every function draws into the axes ``ax=``, or into a new figure, and returns the axes; ``.figure.savefig("loss.png")``
of these keeps the picture.
"""

from graphc.plot.curves import activation, history, rate_search, schedule
from graphc.plot.data import confusion_matrix, decision_boundary
from graphc.plot.flow import gradient_flow
from graphc.plot.surface import Surface, loss_surface, measured_surface

__all__ = [
    "Surface",
    "activation",
    "confusion_matrix",
    "decision_boundary",
    "gradient_flow",
    "history",
    "loss_surface",
    "measured_surface",
    "rate_search",
    "schedule",
]
