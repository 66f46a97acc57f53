"""The Numba target: the planned layout, with calls over the same elements as one compiled kernel."""

from __future__ import annotations

from dataclasses import replace

from graphc.codegen.kernels import Kernels
from graphc.codegen.numpy import Source
from graphc.codegen.pooled import emit_pooled
from graphc.planning.order import Plan


def emit_numba(plan: Plan) -> Source:
    """A program whose pointwise parts, sums and row-wise reductions are kernels; see ``emit_pooled``."""
    return replace(emit_pooled(plan, Kernels(exact=not plan.products)), target="numba")
