"""Nodes and SymPy: formulas as text, derived partial derivatives, LaTeX.

SymPy is imported by ``atoms``, ``derive`` and ``latex``, which are imported where they are used and not before.
"""
