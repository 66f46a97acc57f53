"""The chapters of the course: their pictures are there. Their code is run, and what it prints compared, by Sybil."""

from __future__ import annotations

import re

import pytest

from docs.course import make
from tests.support import REPO

CHAPTERS = make.chapters()
SHOWN = re.compile(r"!\[[^]]+\]\(([^)]+\.svg)\)")
PARTS = ("The equation", "In graphc", "The figure", "The derivation", "The listing", "A run")


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_has_its_parts_and_its_pictures(path):
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    assert [h for h in headings if h in PARTS] == list(PARTS)
    pictures = SHOWN.findall(text)
    assert len(pictures) >= 2  # the graph and a plot
    for name in pictures:
        assert f'"{name}"' in text, f"no code of the chapter writes {name}"
        svg = (path.parent / name).read_text(encoding="utf-8")
        assert svg.rstrip().endswith("</svg>")


def test_each_picture_is_shown_and_each_chapter_is_listed():
    text = "".join(path.read_text(encoding="utf-8") for path in CHAPTERS)
    assert {p.name for p in make.HERE.glob("*.svg")} == set(SHOWN.findall(text))
    index = (make.HERE / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\d\d_[^)]+)\)", index) == [p.name for p in CHAPTERS]


def test_what_a_chapter_shows_is_compared(tmp_path):
    """A wrong word, a wrong number of a run, and output that is not shown are all found."""
    chapter = tmp_path / "01_x.md"
    template = "```python\nprint('loss', {printed})\n```\n\n```{kind}\nloss {shown}\n```\n"
    for kind, printed, shown, fits in (
        ("text", "1.25", "1.25", True),
        ("text", "1.25", "1.26", False),
        ("console", "1.25", "1.26", True),
        ("console", "1.25", "1.50", False),
        ("console", "'2.6e-05'", "2.7e-05", True),
        ("console", "'2.6e-05'", "3.2e-05", False),
        ("console", "1", "2", False),
    ):
        chapter.write_text(template.format(kind=kind, printed=printed, shown=shown), encoding="utf-8")
        assert _problems(chapter) == [] if fits else _problems(chapter)
    chapter.write_text("```python\nprint(1)\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="no block in the chapter shows"):
        _problems(chapter)


def _problems(chapter):
    document = make.Sybil(parsers=make.parsers()).parse(chapter)
    return [found for example in document.examples() if (found := example.region.evaluator(example))]


def test_the_course_is_in_the_repository():
    assert make.HERE == REPO / "docs" / "course"
