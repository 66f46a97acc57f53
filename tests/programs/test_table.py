"""Every public function and every card is drawn by random programs, or listed with a reason."""

from __future__ import annotations

import graphc as gx
from graphc.ops import CARDS
from graphc.ops.card import linear, pointwise
from graphc.ops.card import same_type as same
from tests.programs.generator import make_program
from tests.programs.table import BROUGHT, NOT_DRAWN, ROWS, missing, rows

PUBLIC = {name: getattr(gx, name) for name in gx._WHERE}


def test_every_public_function_and_every_card_is_drawn_or_listed_with_a_reason():
    advice = missing(PUBLIC, CARDS)
    assert not advice, "random programs do not know these:\n  " + "\n  ".join(advice)


def test_what_is_listed_is_there_and_not_drawn_as_well():
    assert set(NOT_DRAWN) <= set(PUBLIC)
    assert not set(NOT_DRAWN) & set(ROWS)
    assert set(BROUGHT) <= set(CARDS)
    assert not set(BROUGHT) & set(ROWS)


def test_a_new_pointwise_card_is_drawn_from_its_domain():
    cube = pointwise("cube", "x ** 3", "{x}**3")
    assert missing(PUBLIC, {**CARDS, "cube": cube}) == []
    program = make_program([("cube", 0)], rows=rows({**CARDS, "cube": cube}))
    assert cube in {n.op for n in gx.graph_of(program.loss).nodes}


def test_a_new_function_and_a_new_card_are_asked_for_by_name():
    turned = linear("turned", "x", same, lambda g, x: g, numpy="{x}[::-1]")
    advice = missing({**PUBLIC, "turn": lambda x: x}, {**CARDS, "turned": turned})
    assert advice == [
        "gx.turn: a row in tests/programs/table.py (_ROWS) that draws its arguments, or a reason in NOT_DRAWN",
        "card turned: a row of its name in tests/programs/table.py (_ROWS), or the row that brings it in BROUGHT",
    ]
