"""Checks of what was built: gradients against differences."""

from graphc.check.gradients import check_grad
from graphc.check.report import GradientReport, VariableCheck

__all__ = ["GradientReport", "VariableCheck", "check_grad"]
