"""The site: it builds strictly and without a network, nothing that it shows is fetched, every public name is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import pytest
from sybil import Sybil

from docs.tools import blocks, docstrings
from graphc.ops import CARDS
from tests.support import REPO

BUILD = (sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q")
ELSEWHERE = re.compile(r"^\s*(?:[a-z]+:)?//", re.IGNORECASE)
NAMESPACES = re.compile(
    r"https?://(?:www\.w3\.org|www\.inkscape\.org|purl\.org|creativecommons\.org)/[\w./#-]*"
)
COMMENTS = re.compile(r"/\*.*?\*/|(?<![:'\"\w])//[^\n]*", re.DOTALL)
IN_STYLES = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])([^"')]+)""")
FETCHED = ("src", "srcset", "data", "poster", "action", "background", "xlink:href")

needs_sphinx = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("sphinx", "furo", "myst_parser", "latex2mathml")),
    reason="the extra `docs` is not installed",
)


class Resources(HTMLParser):
    """What a page makes a browser fetch: not the links that a reader may follow."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.inside = tag
        for name, value in attrs:
            loaded = name in FETCHED or (name == "href" and tag in ("link", "use", "image", "base"))
            if loaded and value:
                self.found += [value]
            if name == "style" and value:
                self.found += IN_STYLES.findall(value)

    def handle_data(self, data):
        if self.inside == "style":
            self.found += IN_STYLES.findall(data)
        if self.inside == "script":
            self.found += addresses(data)


def addresses(script: str) -> list[str]:
    """The addresses that a script names outside of its comments; names of XML namespaces are not fetched."""
    return re.findall(r"https?://\S+", NAMESPACES.sub("", COMMENTS.sub("", script)))


def fetched(path: Path) -> list[str]:
    """What a file of the site fetches from elsewhere."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".css":
        found = IN_STYLES.findall(text)
    elif path.suffix == ".js":
        return addresses(text)
    else:
        found = Resources(text).found
    return [value for value in found if ELSEWHERE.match(value)]


def build(source: Path, target: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*BUILD, str(source), str(target)],
        cwd=REPO,
        env={
            **os.environ,
            "PYTHONPATH": str(REPO),
            "http_proxy": "http://127.0.0.1:9",
            "https_proxy": "http://127.0.0.1:9",
        },
        capture_output=True,
        text=True,
        check=False,
    )


@needs_sphinx
@pytest.mark.full
def test_no_page_fetches_anything(site):
    files = [p for p in site.rglob("*") if p.suffix in (".html", ".css", ".js", ".svg")]
    assert len([p for p in files if p.suffix == ".html"]) > 30
    assert {str(p): found for p in files if (found := fetched(p))} == {}


@needs_sphinx
@pytest.mark.full
def test_every_public_name_has_its_place(site):
    from docs.tools.names import public_names

    anchors = set()
    for page in (site / "reference").glob("*.html"):
        anchors |= set(re.findall(r'<dt[^>]* id="(graphc[\w.]*)"', page.read_text(encoding="utf-8")))
    assert set(public_names()) <= anchors


@needs_sphinx
@pytest.mark.full
def test_formulas_are_set_by_the_browser(site):
    page = (site / "course" / "01_regression.html").read_text(encoding="utf-8")
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">' in page
    assert "\\(" not in page
    assert "MathJax" not in page


@needs_sphinx
def test_formulas_in_columns_and_commands_that_are_not_known():
    from docs.tools.mathml import ExtensionError, mathml

    formula = mathml(r"\begin{aligned} v &\leftarrow g \\ w &\leftarrow v \end{aligned}", display="block")
    assert formula.count("<mtr>") == 2
    assert "<math" in formula
    for text in (r"a & b", r"\nosuchthing x"):
        with pytest.raises(ExtensionError, match="not set as mathematics"):
            mathml(text)


@needs_sphinx
@pytest.mark.full
@pytest.mark.parametrize("text", ["[gone](nowhere.md)", "[gone](index.md#nowhere)", "```{nothing}\n```"])
def test_a_broken_link_fails_the_build(tmp_path, text):
    (tmp_path / "conf.py").write_text(
        "extensions = ['myst_parser']\nmyst_heading_anchors = 3\n", encoding="utf-8"
    )
    (tmp_path / "index.md").write_text(f"# Title\n\n{text}\n", encoding="utf-8")
    assert build(tmp_path, tmp_path / "out").returncode != 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", '<script src="https://cdn.example/x.js"></script>'),
        ("a.html", '<link rel="stylesheet" href="//fonts.example/x.css">'),
        ("a.html", '<img src="http://example.org/x.png">'),
        ("a.html", '<p style="background: url(https://example.org/x.png)">'),
        ("a.html", "<style>@import 'https://example.org/x.css';</style>"),
        ("a.html", "<script>fetch('https://example.org')</script>"),
        ("a.css", "@font-face { src: url('https://fonts.example/x.woff2') }"),
        ("a.js", "import('https://cdn.example/x.js')"),
        ("a.svg", '<svg><image href="https://example.org/x.png"/></svg>'),
    ],
)
def test_what_would_be_fetched_is_seen(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert fetched(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.html",
            '<a href="https://numpy.org">NumPy</a><img src="x.svg"><script src="_static/x.js"></script>',
        ),
        ("a.css", "a { mask: url('data:image/svg+xml,<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>') }"),
        ("a.js", "// see https://example.org\n/* https://example.org */ f('http://www.w3.org/2000/svg')"),
    ],
)
def test_a_link_and_a_name_are_not_fetched(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert fetched(tmp_path / name) == []


RUN = {"python", "pycon", "sh"}
SHOWN = {"text", "math", "{toctree}", "{names}"}
COMPARED = {"py", "text", "console"}  # chapters of the course: what the block above prints


def test_every_block_of_code_is_run():
    """By the documents' own parsers: a block in another language, or a page in another folder, would not be."""
    fence = re.compile(r"^ *```+([^\s`]+)", re.MULTILINE)
    for page in (REPO / "docs").rglob("*.md"):
        folder = page.parent.name
        allowed = {"docs": RUN | SHOWN, "howto": RUN | SHOWN, "course": {"python"} | COMPARED}.get(
            folder, SHOWN
        )
        assert set(fence.findall(page.read_text(encoding="utf-8"))) <= allowed, page


def test_blocks_of_a_page_are_files_and_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "```python\n# net.py\nx = 1\n```\n\n```sh\npython -I net.py\ngraphc --version\n```\n",
        encoding="utf-8",
    )
    evaluated(page)
    assert (tmp_path / "net.py").read_text(encoding="utf-8") == "# net.py\nx = 1\n"
    assert capsys.readouterr().out.startswith("graphc ")
    for line in ("graphc show nothing.py", "python -I nothing.py", "rm net.py"):
        page.write_text(f"```sh\n{line}\n```\n", encoding="utf-8")
        with pytest.raises((AssertionError, subprocess.CalledProcessError)):
            evaluated(page)


def evaluated(page: Path) -> None:
    for example in Sybil(parsers=blocks.parsers()).parse(page).examples():
        example.evaluate()


def test_a_page_that_the_start_page_does_not_name_stands_at_its_end():
    from docs import conf

    named = [page.stem for page in conf.HERE.glob("*.md") if page.stem not in ("index", "tour", "rules")]
    source = ["\n".join(["# Title", "```{toctree}", *named, "```", ""])]
    conf._list_the_rest(None, "index", source)
    assert source[0].endswith("\nrules\ntour\n```\n")


@needs_sphinx
def test_modules_that_no_page_names_are_found(tmp_path):
    from docs.tools.names import public_names, unnamed_modules

    (tmp_path / "a.md").write_text("```{names} graphc.ops.arith graphc.nn.layers\n```\n", encoding="utf-8")
    missing = unnamed_modules(tmp_path)
    assert set(public_names().values()) - set(missing) == {"graphc.ops.arith", "graphc.nn.layers"}


# -- what the reference writes ------------------------------------------------------------------------------------


def documented(rate, *rest):
    """A thing: θ ← θ - λ *g*, in |x|.

    More, with ``code_here`` and `more`.

    Args:
        rate: the rate
            λ.
        *rest: others.

    Example:
        >>> 1 + 1
        2

    Source: a paper.
    """


def test_a_docstring_becomes_markdown():
    assert [line for line in docstrings.docstring_lines(documented) if line] == [
        r"A thing: θ ← θ - λ \*g\*, in \|x\|.",
        "More, with `code_here` and `more`.",
        "**Args**",
        "- `rate`: the rate λ.",
        "- `*rest`: others.",
        "```pycon",
        ">>> 1 + 1",
        "2",
        "```",
        "Source: a paper.",
    ]


def test_a_card_shows_its_formula_its_derivative_and_what_it_gives():
    assert [line for line in docstrings.card_lines("graphc.square", CARDS["square"]) if line] == [
        "- Formula: `x ** 2`",
        "- Derivative: `2 * x`",
        "- NumPy: by its attributes; 0.1 ns per element",
        "```pycon",
        '>>> x = gx.input("x", ("n",))',
        ">>> gx.compile(gx.square(x))([-2.0, 0.0, 2.0])",
        "array([4., 0., 4.], dtype=float32)",
        "```",
    ]


def test_every_card_that_is_public_has_an_example():
    import graphc as gx
    from graphc.ir.op import Op

    public = {name: getattr(gx, name) for name in gx.__all__ if isinstance(getattr(gx, name), Op)}
    assert [name for name, op in public.items() if not docstrings.example(name, op)] == []
