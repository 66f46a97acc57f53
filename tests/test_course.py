"""The chapters of the course: their pictures are there. Their code is run, and what it prints compared, by Sybil."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from benchmarks.course import cases, deep_relu, mnist1d, sigmoid_batch_norm
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


# -- the longer runs ----------------------------------------------------------------------------------------------


def test_the_evidence_names_each_script_and_the_scripts_say_so():
    text = (REPO / "docs" / "evidence.md").read_text(encoding="utf-8")
    named = set(re.findall(r"python -m benchmarks\.course\.(\w+)", text))
    folder = REPO / "benchmarks" / "course"
    assert named == {p.stem for p in folder.glob("*.py")} - {"__init__", "cases"}
    for name in named:
        assert f"python -m benchmarks.course.{name}" in (folder / f"{name}.py").read_text(encoding="utf-8")


def test_absent_data_are_named(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("GRAPHC_CASES", str(tmp_path))
    mnist1d.main()
    assert "skipped: there is no mnist1d.npz" in capsys.readouterr().out


@pytest.mark.full
def test_thirty_relu_layers_train_from_he_and_not_from_xavier():
    *_, trained, _ = deep_relu.run("he_normal", 0, deep_relu.OPTIMIZERS["momentum"])
    *_, stuck, _ = deep_relu.run("xavier_normal", 0, deep_relu.OPTIMIZERS["momentum"])
    assert trained < 1.0
    assert stuck == pytest.approx(math.log(10), abs=0.01)


@pytest.mark.full
def test_sigmoids_train_at_a_small_rate_only_with_batch_normalisation():
    assert sigmoid_batch_norm.run(True, 0.1, 0) > 0.95
    assert sigmoid_batch_norm.run(False, 0.1, 0) < 0.3


@pytest.mark.full
def test_mnist1d_reaches_what_is_published():
    path = cases.found("mnist1d.npz")
    if path is None:
        pytest.skip("mnist1d.npz is not beside the repository")
    data = dict(np.load(path))
    assert mnist1d.run("linear", data, 0)[-1] == pytest.approx(0.315, abs=0.02)
    assert mnist1d.run("mlp", data, 0)[-1] > 0.63
