"""The plan: which phase a value belongs to."""

import graphc as gx
from graphc.ir.events import ChainRule
from graphc.ir.node import engine
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
