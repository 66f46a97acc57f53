"""Rewriting: rules as data, one driver that records what it does, passes as a literal tuple."""
