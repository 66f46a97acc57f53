"""The steps as a person writes them in NumPy who counts every call: what generated code can be held against."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.workloads import by_hand_dense, by_hand_other
from benchmarks.workloads.by_hand_parts import Step
from benchmarks.workloads.problems import Problem

STEPS: dict[str, Callable[[Problem], Step]] = {
    **dict.fromkeys(("W1", "W2", "W3", "W4"), by_hand_dense.perceptron),
    "W5": by_hand_other.elementwise,
    "W6": by_hand_dense.normalised,
    "W7": by_hand_other.cross_entropy,
    "W8": by_hand_other.lstm,
    "W9": by_hand_other.convolutional,
}


def build(problem: Problem) -> Step:
    """A function that takes one step with the next batch and returns the loss (W5, W7: with the gradient)."""
    return STEPS[problem.name](problem)
