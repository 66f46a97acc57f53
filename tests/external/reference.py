"""The truth at 60 digits, for a dtype whose table is not stored; a test holds it against the stored one."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import numpy as np

DIGITS = 60


def row_reference(x: Any) -> dict[str, Any]:
    """The functions of a row of logits, rounded to float64; the largest logit is finite."""
    with mp.workdps(DIGITS):
        logits = [mp.mpf(float(v)) for v in x]
        top = max(logits)
        total = top + mp.log(mp.fsum(mp.exp(v - top) for v in logits))
        p = [mp.exp(v - total) for v in logits]
        slopes = [-mp.fsum(p[1:]), *p[1:]]  # p - 1 would cancel
        found = {
            "logsumexp": total,
            "softmax": p,
            "log_softmax": [v - total for v in logits],
            "ce0": total - logits[0],
            "d_ce0": slopes,
        }
        return {
            k: np.array([float(e) for e in v] if isinstance(v, list) else float(v)) for k, v in found.items()
        }


def bce_reference(x: float, t: float) -> tuple[float, float]:
    """Binary cross-entropy of a logit and its slope, rounded to float64."""
    with mp.workdps(DIGITS):
        z, target = mp.mpf(float(x)), mp.mpf(float(t))
        loss = mp.log1p(mp.exp(-abs(z))) + max(z, 0) - z * target
        sigmoid, rest = 1 / (1 + mp.exp(-z)), 1 / (1 + mp.exp(z))
        return float(loss), float(-rest if target == 1 else sigmoid - target)
