"""The targets: for each layout what writes a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from graphc.codegen.numba import emit_numba
from graphc.codegen.numpy import Source, emit_function
from graphc.codegen.pooled import emit_pooled
from graphc.planning.order import Plan

TARGETS: Mapping[str, Mapping[str, Callable[[Plan], Source]]] = {
    "numpy": {"fresh": emit_function, "planned": emit_pooled, "rows": emit_pooled},
    "numba": dict.fromkeys(("fresh", "planned", "rows"), emit_numba),  # kernels work in buffers
}
