"""The numbers that decide between two ways of writing the same step: what hangs on the machine is from its table.

Measured on one AVX-512 core with 1 MiB of second-level cache (``docs/notes/fast.md``); ``graphc bench --calibrate``
measures the cache of this machine with the rest of its table.
"""

from __future__ import annotations

from graphc.ops.machine import known_machine

LEAST = 3
"""Calls over the same rows that a loop over strips pays for: two calls read each array once more, no more."""

WIDE, LONG = 256, 12
"""Or elements of a row, or calls. Narrower rows with fewer calls are small arrays, which lie in the cache anyway."""

HIDDEN = 3
"""Arrays that a helper of a strip makes for itself, such as the exponential inside a sigmoid."""

LONGER = 3
"""How many times as long strips of vectors are, and of exponentials with their sums, where the calls of a strip cost as
much as what the cache saves."""

MOST_WEIGHTS = 10_000
"""So many elements the weights of a step stored features × batch may have together. A layer saves two calls and a pass
over what it brings forth: 1.14× at 640 weights, 1.06× at 6,500; nothing that could be measured from 17,000 on, where
loops over strips of rows are worth more."""

SHORT_ROW = 128
"""A row of so many elements may be summed as a product. NumPy adds longer ones in pairs, which is more accurate."""

_ARRAYS = 16
"""Arrays of float32, about twice those that an update works in, that a piece is so short for."""


def strip_elements() -> int:
    """Elements (float32) of all arrays of a loop together, so that they stay in the cache from call to call."""
    return known_machine().cache // 4


def piece_elements() -> int:
    """Elements of a vector that an update takes at a time."""
    return known_machine().cache // (4 * _ARRAYS)
