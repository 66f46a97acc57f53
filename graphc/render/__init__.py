"""Pictures: the forward and the backward pass in one figure. ``draw`` is the door."""

from __future__ import annotations

from graphc.render.drawing import Drawing, draw

__all__ = ["Drawing", "draw"]
