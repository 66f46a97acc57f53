"""Differentiation: one iterative reverse sweep that builds nodes and leaves events."""
