"""``draw`` and its files: every extension, every engine or none, and errors that say what to do."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import numpy as np
import pytest

import graphc as gx
from graphc import nn
from graphc.errors import ArgumentError, MissingDependency
from graphc.render import draw, engines
from tests.render import networks

MAGIC = {
    ".svg": b"<?xml",
    ".png": b"\x89PNG\r\n\x1a\n",
    ".pdf": b"%PDF",
    ".dot": b"digraph",
    ".html": b"<!DOCTYPE html>",
}


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(dot: str, format: str) -> bytes:
        raise engines.Unavailable("not installed")

    names = ("pygraphviz", "graphviz-pure", "dot")
    monkeypatch.setattr(engines, "ENGINES", MappingProxyType(dict.fromkeys(names, absent)))


@pytest.mark.parametrize("extension", MAGIC)
def test_every_extension_is_written(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"figure{extension}"
    drawing = draw(networks.mlp(), path)
    assert drawing.path == path
    assert path.read_bytes().startswith(MAGIC[extension])
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_svg_is_xml_that_asks_nothing_of_the_network() -> None:
    svg = draw(networks.mlp()).svg
    ET.fromstring(svg)
    assert "DOCTYPE" not in svg
    assert "xlink:href" not in svg
    assert "∂h₁ ⊙ [h₁ &gt; 0]" in svg


def test_html_is_one_file_without_scripts_or_links() -> None:
    html = draw(networks.mlp()).html
    assert "<svg" in html
    assert "<script" not in html
    assert all(target.startswith("#g") for target in re.findall('href="([^"]*)"', html))


@pytest.mark.parametrize("extension", [".svg", ".png", ".pdf"])
def test_without_an_engine_html_is_written_and_one_line_says_so(
    extension: str, tmp_path: Path, no_engine: None, capsys: pytest.CaptureFixture[str]
) -> None:
    drawing = draw(networks.mlp(), tmp_path / f"figure{extension}")
    assert drawing.path == tmp_path / "figure.html"
    assert [p.name for p in tmp_path.iterdir()] == ["figure.html"]
    line = capsys.readouterr().err
    assert line == (
        f"graphc: wrote {tmp_path / 'figure.html'} instead of figure{extension}: "
        f'nothing here can lay out a picture as {extension[1:]}; pip install "graphc[render]"\n'
    )
    html = drawing.path.read_text()
    assert "∂h₁ ⊙ [h₁ &gt; 0]" in html
    assert "hidden2" in html


@pytest.mark.parametrize("name", ["a\\", "</title><script>", "<b>", "digits-mlp", "a&b", "#x", '"', "für 数"])
def test_any_name_of_a_graph_can_be_drawn(name: str) -> None:
    pytest.importorskip("pygraphviz")
    w = gx.param("w", (3,))
    svg = draw(gx.graph_of({"y": gx.sum(w)}, name=name)).svg
    tree = ET.fromstring(svg)
    titles = [e.text for e in tree.iter("{http://www.w3.org/2000/svg}title")]
    assert titles[0] is not None
    assert titles[0].startswith(f"{name}: ")
    assert "<script" not in svg


def test_without_an_engine_svg_says_what_to_install(no_engine: None) -> None:
    with pytest.raises(MissingDependency) as caught:
        _ = draw(networks.regression()).svg
    assert str(caught.value) == (
        "nothing here can lay out a picture as svg\n"
        "  given:    pygraphviz: not installed; graphviz-pure: not installed; dot: not installed\n"
        '  fix:      pip install "graphc[render]"'
    )


def test_a_notebook_shows_svg_or_without_an_engine_html(no_engine: None) -> None:
    bundle = draw(networks.regression())._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}


def test_the_same_figure_is_the_same_svg_whenever_it_is_drawn() -> None:
    first = draw(networks.mlp()).svg
    draw(networks.regression()).svg  # noqa: B018 - a picture in between
    assert draw(networks.mlp()).svg == first


def test_a_notebook_shows_svg() -> None:
    bundle = draw(networks.regression())._repr_mimebundle_(include=None, exclude=None)
    assert set(bundle) == {"text/plain", "image/svg+xml"}
    assert bundle["text/plain"] == "<drawing of f: 10 boxes, level graph>"


def test_a_notebook_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = draw(networks.regression())
    monkeypatch.setattr("graphc.render.drawing.dot_with_marks", lambda *_: 1 / 0)
    monkeypatch.setattr("graphc.render.drawing.page_of", lambda *_: 1 / 0)
    assert set(drawing._repr_mimebundle_()) == {"text/plain"}


def test_the_wheel_is_tried_first_then_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def engine(name: str, works: bool):
        def run(dot: str, format: str) -> bytes:
            tried.append(name)
            if not works:
                raise engines.Unavailable("broken")
            return b"<svg/>"

        return run

    table = {
        "pygraphviz": engine("pygraphviz", False),
        "graphviz-pure": engine("pure", False),
        "dot": engine("dot", True),
    }
    monkeypatch.setattr(engines, "ENGINES", MappingProxyType(table))
    assert engines.render("digraph {}", "svg") == b"<svg/>"
    assert tried == ["pygraphviz", "pure", "dot"]


def test_graphviz_pure_gets_text_that_its_font_has(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = []
    monkeypatch.setattr(engines.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(engines, "_program", lambda command, dot: fed.append((command[1:], dot)) or b"x")
    dot = draw(networks.mlp()).dot
    engines.pure(dot, "png")
    engines.pure(dot, "svg")
    assert [command for command, _ in fed] == [["-Kdot", "-Tpng"], ["-Kdot", "-Tsvg"]]
    assert "∂h₁ * [h₁" in fed[0][1]
    assert "∂h₁ ⊙ [h₁" in fed[1][1]
    with pytest.raises(engines.Unavailable):
        engines.pure(dot, "pdf")


def test_the_order_of_engines() -> None:
    assert list(engines.ENGINES) == ["pygraphviz", "graphviz-pure", "dot"]


def test_a_missing_wheel_is_not_an_error_but_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(engines.Unavailable):
        engines.wheel("digraph {}", "svg")


def test_an_old_dot_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engines.shutil, "which", lambda name: "/usr/bin/dot")
    monkeypatch.setattr(engines, "dot_version", lambda program: (2, 26))
    with pytest.raises(engines.Unavailable, match="older than"):
        engines.executable("digraph {}", "svg")


def test_the_version_of_dot_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    said = SimpleNamespace(stderr=b"dot - graphviz version 12.2.1 (20241206.2353)\n", stdout=b"")
    monkeypatch.setattr(engines.subprocess, "run", lambda *a, **k: said)
    assert engines.dot_version("dot") == (12, 2)


def test_a_layout_that_takes_too_long_becomes_html(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def slow(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("dot", 60)

    monkeypatch.setattr(engines.subprocess, "run", slow)
    monkeypatch.setattr(engines, "IN_PROCESS_LIMIT", 0)
    drawing = draw(networks.regression(), tmp_path / "a.svg")
    assert drawing.path == tmp_path / "a.html"
    assert "the layout took more than 60 seconds; draw fewer nodes" in capsys.readouterr().err


def test_a_large_layout_runs_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pygraphviz")
    monkeypatch.setattr(engines, "IN_PROCESS_LIMIT", 0)
    assert "<svg" in draw(networks.regression()).svg


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"path": "figure.bmp"},
            "unknown extension\n  given:    figure.bmp\n  expected: .svg, .png, .pdf, .dot, .html",
        ),
        ({"level": "all"}, "unknown level\n  given:    'all'\n  expected: model, graph, lowered, plan"),
        ({"mode": "test"}, "mode is train or eval\n  given:    'test'"),
        ({"path": 3}, "a path is text or a Path\n  given:    3"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        draw(networks.regression(), **arguments)
    assert str(caught.value) == message


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="the folder is not there"):
        draw(networks.regression(), tmp_path / "nowhere" / "figure.svg")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("graphc.runtime.files.os.replace", full)
    with pytest.raises(ArgumentError, match="No space left on device"):
        draw(networks.regression(), tmp_path / "figure.svg")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["\0.svg", "n" * 300 + ".svg", "n" * 250 + ".svg", "half\ud800.svg"])
def test_a_name_that_no_file_can_have(name: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"no file can have this name|too long"):
        draw(networks.regression(), tmp_path / name)
    with pytest.raises(ArgumentError, match=r"no file can have this name|too long"):
        draw(networks.regression()).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", [3, None, "x", gx.Model, np.ones(3), {1, 2}])
def test_what_cannot_be_drawn(what: object) -> None:
    with pytest.raises(ArgumentError, match="this cannot be drawn"):
        draw(what)


@pytest.mark.parametrize("name", [3, ["w"], b"w"])
def test_a_highlight_that_is_no_name(name: object) -> None:
    with pytest.raises(ArgumentError, match="highlight is the name of one parameter"):
        draw(networks.regression(), highlight=name)


@pytest.mark.parametrize("what", [[], {}, gx.zeros((3,))])
def test_a_picture_of_nothing_says_so(what: object) -> None:
    assert "nothing to draw" in draw(what).svg


NAMES = [
    "a<b>c&d\"e'f", "<script>alert(1)</script>", "🎉 party", r"\alpha_{x}^{2} $x$ %#~ \\", "שלום مرحبا", "&amp;&lt;",
    "{a|b}<port>", "ends\\", "n" * 200, "  ", "Z͑ͫ̓ͪ̂ͫ̽͏",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("level", ["model", "graph"])
def test_any_name_stays_text(name: str, level: str) -> None:
    x, w = gx.input("x", ("n", 4)), gx.param(name, (4, 4))
    h = nn.dense(gx.tanh(x @ w), 3, name=name)
    drawing = draw(gx.Model(h, gx.mean(gx.square(h)), name=name), level=level)
    tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(drawing.svg).iter()}
    assert not tags & {"script", "alert", "foreignObject", "image"}
    page = drawing.html
    assert "<script" not in page
    assert "<port>" not in page


@pytest.mark.parametrize("level", ["model", "graph"])
def test_long_names_do_not_make_wide_figures(level: str) -> None:
    def width(name: str) -> float:
        x = gx.input("x", ("n", 4))
        h = nn.dense(nn.dense(x, 4, activation="tanh", name=name), 3, name="output")
        root = ET.fromstring(draw(gx.Model(h, gx.mean(gx.square(h))), level=level).svg)
        return float(root.attrib["viewBox"].split()[2])

    assert width("n" * 500) == width("n" * 50)


def test_an_operation_of_many_operands_is_cut_short() -> None:
    params = [gx.param(f"p{i}", (4,)) for i in range(60)]
    joined = gx.concat(params).named("joined")
    boxes = draw(joined).figure.boxes
    lines = next(box.lines for box in boxes if box.title == "joined")
    assert lines == ("[p₀, p₁, p₂, p₃, p₄, p₅, p₆, p₇, …, p₅₆, p₅₇, p₅₈, p₅₉]",)
    assert len(boxes) == 61


def test_the_legend_keeps_its_width_beside_a_note() -> None:
    h = gx.input("x", (4,))
    for _ in range(301):
        h = gx.tanh(gx.tanh(h).named("h"))
    drawing = draw(h)
    assert "shown by layer" in drawing.figure.note
    before = drawing.plain_svg.partition(">forward</text>")[0]
    outline = before[before.rindex("<path") :]
    across = [float(x) for x in re.findall(r"(-?[\d.]+),-?[\d.]+", outline)]
    assert max(across) - min(across) < 80


def test_programs_and_models_can_be_drawn() -> None:
    x, w = gx.input("x", ("n", 3)), gx.param("w", (3,))
    loss = gx.mean(gx.square(x @ w)).named("loss")
    program = gx.compile({"loss": loss, "g": gx.grad(loss, w)})
    assert "∂w" in draw(program, level="plan").dot
    model = SimpleNamespace(drawing_graph=lambda optimizer=None: networks.regression(), optimizer=None)
    assert "∂prediction" in draw(model).dot
    with pytest.raises(ArgumentError, match="no optimizer"):
        draw(model, updates=True)


def test_graphviz_is_imported_only_to_write_dot() -> None:
    code = (
        "import sys, graphc as gx; d = gx.draw(gx.exp(gx.input('x', (3,))));"
        "assert 'graphviz' not in sys.modules and 'pygraphviz' not in sys.modules; d.dot;"
        "assert 'pygraphviz' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_plan_says_in_which_slots_values_lie() -> None:
    feet = {box.title: box.foot for box in draw(networks.mlp(), level="plan").figure.boxes}
    numbered = {title: foot.partition("slot ")[2] for title, foot in feet.items() if "slot " in foot}
    assert numbered["z₂"] == numbered["h₂"]  # written over the value that died
    assert "W₁" not in numbered
    assert "slot" not in " ".join(box.foot for box in draw(networks.mlp(), level="lowered").figure.boxes)
