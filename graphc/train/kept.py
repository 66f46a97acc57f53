"""Values as they were before steps, so that these can be undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


class Kept:
    """The values before some steps: what is made anew is kept as it is, vectors that change in place are copied."""

    def __init__(self) -> None:
        self._copies: dict[str, Any] = {}
        self._numbers: dict[str, Any] = {}

    def keep(self, values: Any) -> Kept:
        """Remember the values as they are."""
        self.params, self.state, self.slots = values.params, values.state, values.slots
        for kind, vector in self._vectors().items():
            if kind not in self._copies or self._copies[kind].shape != vector.shape:
                self._copies[kind] = np.empty_like(vector)
            np.copyto(self._copies[kind], vector)
        numbers = self.slots if self._vectors() else {}
        self._numbers = {k: v for k, v in numbers.items() if "/" not in k}
        return self

    def restore(self, values: Any) -> None:
        """Make the values what they were."""
        for kind, vector in self._vectors().items():
            np.copyto(vector, self._copies[kind])
        for name, number in self._numbers.items():
            self.slots[name] = number
        values.params, values.state, values.slots = self.params, self.state, self.slots

    def _vectors(self) -> dict[str, Any]:
        """What a planned step changes in place: parameters and slots, by kind; nothing of plain dicts."""
        vectors = getattr(self.params, "vectors", None) or {}
        return {kind: vector for kind, vector in vectors.items() if kind != "g"}


def all_finite(params: Mapping[str, Any]) -> bool:
    """Whether no parameter is nan or infinite."""
    return all(np.isfinite(v).all() for v in params.values())
