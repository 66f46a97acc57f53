"""The viewer: figure, derivation and listing of a model side by side, in one file that asks nothing of the network."""

from __future__ import annotations

from graphc.viewer.page import View, view

__all__ = ["View", "view"]
