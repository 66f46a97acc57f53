"""Explaining: why a node is there, step by step; graphs in the library people know."""
