"""The reference pages are written from the tables, and every card says what it computes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from graphc.errors import VerifyError
from graphc.explanation.reference import op_reference, rule_reference
from graphc.ops import CARDS
from graphc.rewrite.rules import RULES

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.mark.parametrize(("name", "page"), [("ops.md", op_reference), ("rules.md", rule_reference)])
def test_the_checked_in_pages_are_those_of_the_tables(name, page):
    written = (DOCS / name).read_text(encoding="utf-8")
    assert written == page(), "python -m graphc.explanation.reference docs writes them anew"


def test_every_card_and_every_rule_is_there():
    ops, rules = op_reference(), rule_reference()
    assert [name for name in CARDS if f"| `{name}(" not in ops] == []
    assert [rule.name for rule in RULES if f"| `{rule.name}` |" not in rules] == []


def test_a_card_without_a_word_about_itself_fails():
    silent = replace(CARDS["sum_to"], name="silent", doc="")
    with pytest.raises(VerifyError, match="silent does not say what it computes"):
        op_reference([silent])
