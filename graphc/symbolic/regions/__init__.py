"""Pointwise regions: forms that compete on nanoseconds and on measured error.

SymPy and mpmath are imported where a form is derived, and not before.
"""
