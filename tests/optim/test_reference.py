"""The page of optimizers is the one that their equations write, and the command line knows all of them."""

from __future__ import annotations

from pathlib import Path

from graphc.cli.parser import OPTIMIZER_NAMES
from graphc.optim import OPTIMIZERS, TRANSFORMS
from graphc.optim.reference import page

DOCS = Path(__file__).parent.parent.parent / "docs"


def test_the_checked_in_page_is_that_of_the_equations():
    written = (DOCS / "optimizers.md").read_text(encoding="utf-8")
    assert written == page(), "python -m graphc.optim.reference docs writes it anew"


def test_every_optimizer_and_every_transform_is_there():
    text = page()
    assert [name for name in (*OPTIMIZERS, *TRANSFORMS) if f"\n### {name}\n" not in text] == []


def test_the_command_line_knows_every_optimizer():
    assert set(OPTIMIZER_NAMES) == set(OPTIMIZERS)
