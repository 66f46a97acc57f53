"""Operations and bytes of a node, counted by hand."""

from __future__ import annotations

import graphc as gx
from graphc.planning import work


def test_a_product_counts_two_for_each_multiplication():
    x, W = gx.input("x", ("n", 3)), gx.param("W", (3, 5))
    assert work.value_at(work.flops(x @ W), {"n": 2}) == 2 * 2 * 3 * 5
    assert work.value_at(work.traffic(x @ W), {"n": 2}) == 4 * (2 * 3 + 3 * 5 + 2 * 5)


def test_a_sum_counts_what_it_reads():
    x = gx.input("x", (4, 5))
    assert work.flops(gx.sum(x, axis=0)) == 20
    assert work.traffic(gx.sum(x, axis=0)) == 4 * (20 + 5)


def test_what_only_moves_numbers_computes_nothing():
    x = gx.input("x", (4, 5))
    assert work.flops(gx.concat([x, x])) == 0
    assert work.traffic(gx.transpose(x)) == 0


def test_an_operand_that_is_read_twice_is_read_once():
    x = gx.input("x", (10,))
    assert work.traffic(x * x) == 4 * 20


def test_a_loop_counts_its_body_once_a_step():
    x = gx.input("x", (7, 3))
    h, hs = gx.scan(lambda h, x: (gx.tanh(h + x),) * 2, gx.zeros((3,)), x)
    graph = gx.graph_of([h, hs])
    (loop,) = [n for n in work.computed(graph.nodes) if n.op.bodies]
    assert work.flops(loop) == 7 * 2 * 3


def test_results_of_one_loop_are_one_computation():
    x = gx.input("x", (7, 3))
    results = gx.scan(lambda h, x: (gx.tanh(h + x), h), gx.zeros((3,)), x)
    assert len([n for n in work.computed(gx.graph_of(list(results)).nodes) if n.op.bodies]) == 1
