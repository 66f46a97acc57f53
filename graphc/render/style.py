"""Colours, fonts and lines. The palette is Okabe and Ito's, which people with colour vision deficiencies tell apart.

In grey a figure is read by place (parameters left, gradients right), by ∂ in the titles and by the dashes of edges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

FONT = "Helvetica,Arial,sans-serif"
INK, GREY, PALE, FAINT, PAPER = "#1D2939", "#5B6472", "#98A2B3", "#D0D5DD", "white"


@dataclass(frozen=True)
class Look:
    """The colours of a kind of box, and what the legend calls it."""

    fill: str
    line: str
    legend: str


KINDS: Mapping[str, Look] = MappingProxyType(
    {
        "input": Look("#FFFFFF", "#5B6472", "input"),
        "const": Look("#FFFFFF", "#98A2B3", "constant"),
        "param": Look("#E3F4EE", "#00795A", "parameter"),
        "state": Look("#F4EAF1", "#9A4F7F", "state"),
        "hyper": Look("#FFFFFF", "#9A4F7F", "hyper-parameter"),
        "random": Look("#F2F4F7", "#5B6472", "random"),
        "forward": Look("#E5F0F9", "#0064A4", "forward"),
        "backward": Look("#FCEBDF", "#C24E00", "backward"),
        "factor": Look("#FFFFFF", "#C24E00", "factor of a gradient"),
        "gradient": Look("#FFF5CC", "#A37A00", "gradient of a parameter"),
        "update": Look("#F4EAF1", "#9A4F7F", "update"),
    }
)


@dataclass(frozen=True)
class Line:
    """How a kind of edge is drawn."""

    colour: str
    dashes: str = "solid"
    width: float = 1.2
    weight: int = 1
    arrow: bool = True


EDGES: Mapping[str, Line] = MappingProxyType(
    {
        "data": Line(KINDS["input"].line, weight=4),
        "param": Line(KINDS["param"].line),
        "forward": Line(KINDS["forward"].line, width=1.5, weight=8),
        "backward": Line(KINDS["backward"].line, width=1.5, weight=8),
        "gradient": Line(KINDS["gradient"].line),
        "carry": Line(KINDS["forward"].line, "dashed", 1.2),
        "saved": Line("#8792A2", "dashed", 1.0),
        "tie": Line("#B4BCC8", "dotted", 1.0, arrow=False),
        "update": Line(KINDS["update"].line),
    }
)

DARK: Mapping[str, str] = MappingProxyType(
    {
        PAPER: "#16191F",
        INK: "#E8EBF0",
        GREY: "#A3ADBB",
        FAINT: "#3B4350",
        "#FFFFFF": "#20252E",
        "#98A2B3": "#7A8595",
        "#E3F4EE": "#12352B",
        "#00795A": "#4FC3A1",
        "#F4EAF1": "#37223A",
        "#9A4F7F": "#D99AC5",
        "#F2F4F7": "#2A303A",
        "#E5F0F9": "#132F48",
        "#0064A4": "#6DB6EE",
        "#FCEBDF": "#43230D",
        "#C24E00": "#F5A063",
        "#FFF5CC": "#3B3109",
        "#A37A00": "#E4BF4A",
        "#8792A2": "#8994A5",
        "#B4BCC8": "#5E6877",
    }
)
"""On a dark page, each colour by the one that it takes the place of."""
