"""The reference pages are what is written from the docstrings and the table."""

from __future__ import annotations

import pytest

from graphc.ops.initialisers import INITIALISERS
from graphc.optim import SCHEDULES
from graphc.optim.schedule_reference import PAGES, sections
from tests.support import REPO


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_written_anew(name):
    written = (REPO / "docs" / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), "python -m graphc.optim.schedule_reference docs writes them anew"


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_is_told(name):
    parts = sections(SCHEDULES[name])
    assert {"text", "Args", "Raises", "Example"} <= set(parts)
    assert ">>>" in parts["Example"]


def test_every_initialiser_is_told():
    page = PAGES["initialisers.md"]()
    assert all(f"| `{name}` |" in page for name in INITIALISERS)
