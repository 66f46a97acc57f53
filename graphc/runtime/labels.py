"""Labels out of range are refused at the call, by the name of their input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from graphc.codegen.labels import LabelRange
from graphc.errors import DataError
from graphc.ir.graph import Graph
from graphc.ir.node import Node


def check_labels(graph: Graph, labels: Mapping[Node, LabelRange], arrays: Mapping[Node, Any]) -> None:
    """Raises DataError where an input holds a label that its classes do not have."""
    for leaf, allowed in labels.items():
        if leaf in arrays:
            refuse_labels(arrays[leaf], leaf, str(graph.name_of(leaf)), allowed)


def refuse_labels(array: Any, leaf: Node, name: str, allowed: LabelRange) -> None:
    """Raises DataError for the first label out of range, with its place."""
    flat = np.reshape(array, -1)
    bad = (flat < 0) | (flat >= allowed.classes)
    if not bad.any():
        return
    bad &= ~np.isin(flat, list(allowed.ignored))
    if bad.any():
        at = int(np.argmax(bad))
        raise DataError(
            f"{name} holds a label out of range",
            given=f"{flat[at]} at position {at}",
            expected=str(allowed),
            where=str(leaf.about.origin) if leaf.about.origin else None,
            fix="give the last layer as many units as there are classes, or relabel from 0",
        )
