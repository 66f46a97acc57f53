"""PNG and PDF of a figure: outlines as in the SVG, a size that a program can open, and what happens without Typst."""

from __future__ import annotations

import io
import re
import struct
import sys
import tempfile
from pathlib import Path

import pytest

from graphc.render import press
from graphc.render.drawing import WRITERS, draw
from graphc.render.engines import Unavailable
from graphc.render.press import density, printed
from tests.render import networks

pytest.importorskip("typst")
pytest.importorskip("pygraphviz")

SVG = '<svg width="72pt" height="36pt" viewBox="0 0 72 36" xmlns="http://www.w3.org/2000/svg">{}</svg>'
SQUARE = '<rect x="0" y="0" width="36" height="36" fill="#ff0000"/>'


def size(png: bytes) -> tuple[int, ...]:
    return struct.unpack(">II", png[16:24])


def test_a_png_is_drawn_at_144_pixels_an_inch() -> None:
    assert size(printed(SVG.format(SQUARE), "png")) == (144, 72)


def test_a_long_figure_has_fewer_pixels_an_inch() -> None:
    long = SVG.replace("72pt", "7200pt").format(SQUARE)
    assert max(size(printed(long, "png"))) == 5760
    assert density(long) < 72


def test_a_page_is_never_longer_than_readers_show() -> None:
    page = printed(SVG.replace("72pt", "72000pt").format(SQUARE), "pdf")
    (box,) = re.findall(rb"/MediaBox ?\[([\d. ]+)\]", page)
    assert max(map(float, box.split())) == pytest.approx(14_400)


def test_a_picture_that_nobody_can_read_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    WRITERS[".png"](draw(networks.mlp(6, 8), level="graph"))
    assert capsys.readouterr().err == ""
    WRITERS[".png"](draw(networks.mlp(120, 8), level="graph"))
    assert capsys.readouterr().err.endswith("boxes are too small in a .png; an .svg stays sharp\n")


def test_without_room_for_a_temporary_file_a_page_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawing = draw(networks.mlp())
    assert drawing.svg
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert drawing.save(tmp_path / "z.png") == tmp_path / "z.html"
    assert "no temporary file could be written" in capsys.readouterr().err


def test_what_is_drawn_is_there_on_white() -> None:
    imread = pytest.importorskip("matplotlib.image").imread
    pixels = imread(io.BytesIO(printed(SVG.format(SQUARE), "png")))
    assert pixels[36, 36, :3].tolist() == [1, 0, 0]
    assert pixels[36, 108, :3].tolist() == [1, 1, 1]


def test_formulas_are_outlines_and_names_are_text() -> None:
    """Without its outlines a figure is a much smaller file."""
    drawing = draw(networks.mlp())
    plain = re.sub(r"<use [^>]*/>", "", drawing.plain_svg)
    assert plain != drawing.plain_svg
    assert WRITERS[".png"](drawing) != printed(plain, "png")
    assert WRITERS[".pdf"](drawing)[:5] == b"%PDF-"


def test_the_same_figure_is_the_same_file() -> None:
    for extension in (".png", ".pdf"):
        assert WRITERS[extension](draw(networks.mlp())) == WRITERS[extension](draw(networks.mlp()))


def test_titles_are_values_and_never_markup() -> None:
    hostile = '") #read("/etc/passwd") #image("https://example.org/x.png") $x$ \\ */ //'
    assert printed(SVG.format(SQUARE), "pdf", hostile, hostile).startswith(b"%PDF")


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(Unavailable):
        printed("<svg", "png")


@pytest.mark.parametrize("extension", [".png", ".pdf"])
def test_without_typst_graphviz_writes_it(extension: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    asked = []
    monkeypatch.setattr(
        "graphc.render.drawing.render", lambda dot, format, nodes=0: asked.append((dot, format)) or b"x"
    )
    assert WRITERS[extension](draw(networks.mlp())) == b"x"
    assert asked[-1][1] == extension[1:]
    assert ('size="40,40"' in asked[-1][0]) == (extension == ".png")


def test_without_typst_a_png_is_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    data = WRITERS[".png"](draw(networks.mlp(40, 8), level="graph"))
    assert max(size(data)) <= press.LONGEST + 100
