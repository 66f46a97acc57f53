"""The page of activations is that of the table, and its picture shows each of them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from graphc import nn
from graphc.nn import losses, reference
from graphc.nn.plots import OF_ROWS, curve, names_of_functions, page, write

DOCS = Path(__file__).parent.parent.parent / "docs"


def titles(svg: Path) -> set[str]:
    """The words of a picture that are not numbers."""
    texts = ["".join(e.itertext()).strip() for e in ET.parse(svg).iter("{http://www.w3.org/2000/svg}text")]
    return {t for t in texts if t and not t.lstrip("−").replace(".", "").isdigit()}


def test_the_checked_in_page_is_that_of_the_cards():
    written = (DOCS / "activations.md").read_text(encoding="utf-8")
    assert written == page(), "python -m graphc.nn.plots docs writes it anew"


def test_every_activation_is_on_the_page_and_in_the_picture():
    text = (DOCS / "activations.md").read_text(encoding="utf-8")
    assert [n for n in nn.ACTIVATIONS if f"`{n}`" not in text] == []
    shown = {name for name, _ in names_of_functions()} - set(OF_ROWS)
    assert titles(DOCS / "activations.svg") == {*shown, "function", "derivative"}


def test_writing_it_gives_the_same_words(tmp_path):
    pytest.importorskip("matplotlib")
    write(tmp_path)
    assert titles(tmp_path / "activations.svg") == titles(DOCS / "activations.svg")
    assert (tmp_path / "activations.md").read_text(encoding="utf-8") == page()


def test_a_curve_is_the_function_with_its_derivative_and_breaks_where_it_jumps():
    at = np.linspace(-2, 2, 401)
    value, slope = curve("tanh", nn.ACTIVATIONS["tanh"], at)
    np.testing.assert_allclose(value, np.tanh(at), rtol=1e-14)
    np.testing.assert_allclose(slope, 1 - np.tanh(at) ** 2, rtol=1e-12)
    value, slope = curve("threshold", nn.ACTIVATIONS["threshold"], at)
    assert np.isnan(value).sum() == np.isnan(slope).sum() == 1


def test_the_checked_in_page_of_losses_is_that_of_the_functions():
    written = (DOCS / "losses.md").read_text(encoding="utf-8")
    assert written == reference.page(), "python -m graphc.nn.reference docs writes it anew"


def test_every_loss_is_on_the_page():
    text = reference.page()
    helpers = {"REDUCTIONS", "reduced"}
    assert [n for n in losses.__all__ if n not in helpers and f"| `{n}(" not in text] == []


def test_the_checked_in_page_of_layers_is_that_of_the_functions():
    written = (DOCS / "layers.md").read_text(encoding="utf-8")
    assert written == reference.layers_page(), "python -m graphc.nn.reference docs writes it anew"


def test_every_function_of_nn_is_on_a_page():
    """The losses and layers on theirs, the metrics on that of training, activations on their own."""
    pages = "".join(
        (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("layers", "losses", "training")
    )
    elsewhere = {"ACTIVATIONS", "glu", "prelu", "softmin", "softplus"}
    missing = [
        n for n in nn.__all__ if n not in elsewhere and f"| `{n}(" not in pages and f"`nn.{n}`" not in pages
    ]
    assert not missing
