"""The DOT text: deterministic, escaped, partners on one rank, and the layout's traps avoided."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

import graphc as gx
from graphc.ir.graph import graph_of
from graphc.render import draw
from graphc.render.page import page_of
from tests.render import networks

HOSTILE = '<b>&"\\{}|]</TABLE>-->%n\\N'


def test_a_small_figure_is_exactly_this() -> None:
    x = gx.input("x", ("n",))
    dot = draw(gx.tanh(x).named("y"), legend=False).dot
    label = (
        '<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="1" CELLSPACING="0">'
        '<TR><TD><B><FONT POINT-SIZE="13" COLOR="#1D2939">y</FONT></B></TD></TR>'
        '<TR><TD><FONT POINT-SIZE="12" COLOR="#1D2939">tanh(x)</FONT></TD></TR>'
        '<TR><TD><FONT POINT-SIZE="9.5" COLOR="#5B6472">n</FONT></TD></TR></TABLE>'
    )
    assert f'n1 [id=box1 label=<{label}> fillcolor="#E5F0F9" color="#0064A4" group=forward tooltip="' in dot
    assert (
        'n0 -> n1 [color="#5B6472" penwidth="1.2" weight="4" tooltip="x → y   n" class="data from0 to1"]'
        in dot
    )


def test_the_text_is_the_same_in_another_process() -> None:
    code = (
        "from tests.render import networks; from graphc.render import draw; import sys;"
        "sys.stdout.buffer.write(draw(networks.residual()).dot.encode())"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1
    assert texts.pop().startswith(b"digraph f {")


def test_partners_are_on_one_rank_in_order() -> None:
    drawing = draw(networks.mlp())
    key = {box.title: box.key for box in drawing.figure.boxes}
    chains = re.findall(r"\{rank=same; (.*?) \[style=invis\]\}", drawing.dot)
    assert f"sources1 -> n{key['z₁']} -> n{key['∂z₁']} -> gradients1" in chains
    assert f"n{key['h₁']} -> n{key['∂h₁']}" in chains
    assert len(chains) == 6


def test_one_frame_for_each_layer_holds_forward_and_backward() -> None:
    dot = draw(networks.mlp()).dot
    assert re.findall(r"subgraph (cluster_\d+)", dot) == ["cluster_1", "cluster_2", "cluster_3", "cluster_4"]


def test_backward_edges_are_written_downwards_and_pairs_do_not_constrain() -> None:
    drawing = draw(networks.mlp())
    key = {box.title: box.key for box in drawing.figure.boxes}
    lines = drawing.dot.splitlines()
    back = next(line for line in lines if f"n{key['∂h₁']} -> n{key['∂z₂']}" in line)
    assert 'dir="back"' in back
    tie = next(line for line in lines if f"n{key['h₁']}:e -> n{key['∂h₁']}:w" in line)
    assert 'dir="none"' in tie
    assert 'constraint="false"' in tie


def test_every_edge_leads_down_or_to_the_right() -> None:
    for make in (networks.mlp, networks.residual, networks.shared):
        drawing = draw(make())
        row = {box.key: r for r, line in enumerate(drawing.figure.rows) for box in line.boxes}
        for tail, head in re.findall(r"^\tn(\d+)(?::\w)? -> n(\d+)(?::\w)? \[", drawing.dot, flags=re.M):
            assert row[int(tail)] <= row[int(head)]


def test_skips_run_down_lanes() -> None:
    dot = draw(networks.residual()).dot
    assert len(re.findall(r"^\s*left\d+_\d+ \[shape=box", dot, flags=re.M)) == 6
    assert len(re.findall(r"^\s*right\d+_\d+ \[shape=box", dot, flags=re.M)) == 4


def test_hostile_names_are_shown_not_read() -> None:
    with gx.scope(HOSTILE):
        x = gx.input(HOSTILE, ("n",))
        drawing = draw(gx.exp(x).named(HOSTILE + "!"))
    shown = HOSTILE.replace("\\", "∖")
    outside_strings = re.sub(r'"(?:[^"\\]|\\.)*"', "", drawing.dot)
    assert "<b>" not in outside_strings
    assert "</TABLE>--" not in outside_strings
    texts = [t.text for t in ET.fromstring(drawing.svg).iter("{http://www.w3.org/2000/svg}text")]
    assert shown in texts
    assert f"{shown}!" in texts
    said = [g.get("aria-label") for g in ET.fromstring(drawing.svg).iter("{http://www.w3.org/2000/svg}g")]
    assert f"exp({shown})" in texts or any(label and label.startswith("exp(<b>") for label in said)
    assert HOSTILE not in page_of(drawing.figure, None)


@pytest.mark.parametrize("make", [networks.mlp, networks.residual, networks.shared, networks.regression])
@pytest.mark.parametrize("level", ["model", "graph", "lowered", "plan"])
def test_the_engine_has_nothing_to_complain_about(make, level: str, capfd) -> None:
    svg = draw(make(), level=level).svg
    complaints = [
        line for line in capfd.readouterr().err.splitlines() if "Fontconfig" not in line and line.strip()
    ]
    assert complaints == []
    assert "<svg" in svg


@pytest.mark.parametrize("make", [networks.mlp, networks.residual, networks.shared, lambda: networks.mlp(9)])
def test_columns_keep_their_order_when_laid_out(make) -> None:
    """Parameters, forward, backward, gradients: from left to right in every row of the finished layout."""
    pygraphviz = pytest.importorskip("pygraphviz")
    dot = draw(make()).dot
    plain = pygraphviz.AGraph(string=dot).draw(format="plain", prog="dot").decode()
    places = {
        line.split()[1]: float(line.split()[2]) for line in plain.splitlines() if line.startswith("node")
    }
    for chain in re.findall(r"\{rank=same; (.*?) \[style=invis\]\}", dot):
        xs = [places[name] for name in chain.split(" -> ")]
        assert xs == sorted(xs)


def test_an_empty_figure_is_still_a_digraph() -> None:
    dot = draw(graph_of([])).dot
    assert dot.startswith("digraph f {")
    assert "<TR></TR>" not in dot
