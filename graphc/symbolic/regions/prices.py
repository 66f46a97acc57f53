"""What an operation costs, measured: nanoseconds an element with NumPy 2.4 on one AVX-512 core, a million elements.

Ratios carry over to other machines better than the figures; ``graphc bench --calibrate`` measures those of this one,
which then count. A card that is not listed costs what it says itself, three times as much in float64.
"""

from __future__ import annotations

from graphc.ops import CARDS
from graphc.ops.machine import known_machine

PRICES: dict[str, tuple[float, float]] = {
    # card: float32, float64
    "add": (0.15, 0.65),
    "subtract": (0.15, 0.65),
    "multiply": (0.15, 0.65),
    "divide": (0.19, 0.93),
    "negative": (0.10, 0.40),
    "square": (0.10, 0.40),
    "abs": (0.10, 0.40),
    "maximum": (0.19, 0.80),
    "minimum": (0.19, 0.80),
    "sqrt": (0.37, 1.30),
    "sign": (0.68, 1.40),
    "tanh": (0.40, 2.20),
    "log": (0.45, 1.00),
    "expm1": (0.46, 1.60),
    "log1p": (0.56, 1.40),
    "exp": (0.61, 1.06),
    "exp2": (0.33, 0.94),
    "log2": (0.33, 0.94),
    "sin": (0.74, 12.5),
    "cos": (0.74, 12.5),
    "arctan": (0.52, 1.60),
    "sigmoid": (0.99, 1.90),
    "softplus": (2.20, 4.00),
    "power": (1.40, 3.70),
    "where": (4.10, 5.90),
    "less": (0.07, 0.10),
    "less_equal": (0.07, 0.10),
    "greater": (0.07, 0.10),
    "greater_equal": (0.07, 0.10),
    "equal": (0.07, 0.10),
    "not_equal": (0.07, 0.10),
    "logaddexp": (25.0, 27.0),
}

UNLISTED = 3.0
"""How much more float64 costs than float32, where nothing was measured."""

DEAR = 0.3
"""From this price on (float32) an operation is worth looking for another form."""


def price(card: str, dtype: str) -> float:
    """Nanoseconds an element of one operation.

    Example:
        >>> price("exp", "float32"), price("erf", "float64")
        (0.61, 12.0)
    """
    row = known_machine().prices.get(card) or PRICES.get(card)
    if row is not None:
        return row[dtype == "float64"]
    return CARDS[card].cost * (UNLISTED if dtype == "float64" else 1.0)
