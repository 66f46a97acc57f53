"""Random graphs with gradients are read back as they are; a layer more changes only the lines of that layer."""

from __future__ import annotations

import difflib
import random

import pytest

import graphc as gx
from graphc import nn
from graphc.ir.verify import verify
from tests.ir.test_text import assert_isomorphic
from tests.programs.generator import make_program
from tests.programs.table import ROWS


def random_graph(seed: int) -> gx.Graph:
    """A random program with the gradient of its loss; every third simplified, every second also for training."""
    chosen = random.Random(seed)
    drawn = [(chosen.choice(list(ROWS)), chosen.randrange(2**32)) for _ in range(6)]
    program = make_program(drawn, seed, chosen.choice(["float64", "float32", "mixed"]))
    outputs = [*program.outputs, program.loss]
    outputs += gx.grad(program.loss, list(program.wrt)) if program.wrt else []
    graph = gx.graph_of({"outputs": outputs, "leaves": tuple(program.leaves)})
    return gx.simplify(graph) if seed % 3 == 0 else graph


def assert_reads_back(graph: gx.Graph) -> None:
    text = str(graph)
    again = gx.parse(text)
    assert str(again) == text
    assert_isomorphic(graph, again)
    assert gx.changes(graph, again).empty
    verify(again)


@pytest.mark.parametrize("seed", range(60))
def test_a_random_graph_is_read_back(seed: int) -> None:
    assert_reads_back(random_graph(seed))


@pytest.mark.full
@pytest.mark.parametrize("seed", range(60, 1000))
def test_many_random_graphs_are_read_back(seed: int) -> None:
    assert_reads_back(random_graph(seed))


def test_another_graph_is_not_isomorphic() -> None:
    x = gx.input("x", ("n",))
    for other in (gx.sin(x), gx.cumsum(x, axis=0), x):
        with pytest.raises((AssertionError, ValueError)):
            assert_isomorphic(gx.graph_of(gx.tanh(x)), gx.graph_of(other))


# -- a layer more --------------------------------------------------------------------------------------------------


def network(names: list[str], activation: str, norm: bool) -> gx.Graph:
    x, t = gx.input("x", ("batch", 8)), gx.input("t", ("batch",), dtype="int64")
    h = x
    for name in names:
        h = nn.dense(h, 8, activation=activation, name=name)
        if norm:
            h = nn.layer_norm(h, name=f"{name}_norm")
    logits = nn.dense(h, 3, name="output")
    return gx.Model(logits, nn.cross_entropy(logits, t), name="net").training_graph()


def assert_only_the_new_layer_changed(before: str, after: str) -> None:
    lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    added = [line[2:] for line in lines if line.startswith("+ ")]
    removed = [line[2:] for line in lines if line.startswith("- ")]
    assert added
    assert all("new" in line for line in added), [line for line in added if "new" not in line]
    # what is gone came back with an operand from the new layer
    ids = {line.partition(" ")[0] for line in added}
    assert all(line.partition(" ")[0] in ids for line in removed)
    assert len(removed) <= 6


@pytest.mark.parametrize("norm", [False, True], ids=["plain", "normed"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "gelu", "silu"])
def test_a_layer_more_changes_only_its_lines(activation: str, norm: bool) -> None:
    few, more = (
        network(names, activation, norm) for names in (["first", "second"], ["first", "new", "second"])
    )
    assert_only_the_new_layer_changed(str(few), str(more))
    assert_only_the_new_layer_changed(str(gx.simplify(few)), str(gx.simplify(more)))
