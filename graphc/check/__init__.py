"""Checks of what was built: gradients against differences."""

from graphc.check.gradients import GradientReport, VariableCheck, check_grad

__all__ = ["GradientReport", "VariableCheck", "check_grad"]
