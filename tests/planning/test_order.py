"""The plan: which phase a value belongs to."""

import graphc as gx
from graphc.ir.events import ChainRule
from graphc.ir.node import engine, result_groups
from graphc.ops.leaves import size_node
from graphc.planning.order import make_plan


def test_a_count_that_a_chain_rule_arrived_at_elsewhere_makes_no_gradient_of_a_next_value():
    x, s = gx.input("x", ("n", 2)), gx.state("s", ())
    with engine():
        share = gx.divide(size_node(x.shape[0], "float32"), 3.0)
        share.about.record(ChainRule("divide", x, 0, x, "1/3"))
        following = gx.add(s, share)
    loss = gx.sum(x * x)
    graph = gx.graph_of([loss, gx.grad(loss, x)], {s: following})
    assert make_plan(graph).phase[following] == "forward"


def test_results_of_a_loop_stand_together():
    xs = gx.input("xs", (6, "n"))
    (last, _), steps = gx.scan(lambda c, x: ((gx.tanh(c[0] + x), c[1] + c[0]), c[0]), (xs[0], xs[1]), xs)
    loss = gx.sum(gx.square(last)) + gx.sum(steps)
    plan = gx.plan(gx.simplify(gx.graph_of([loss, gx.grad(loss, xs)])))
    for group in result_groups(plan.order).values():
        places = [plan.order.index(node) for node in group]
        assert places == list(range(places[0], places[0] + len(group)))
    place = {node: at for at, node in enumerate(plan.order)}
    assert all(place.get(x, -1) < place[n] for n in plan.order for x in n.inputs)
