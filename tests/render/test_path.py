"""The path of one parameter stands out, and the rest is faint."""

from __future__ import annotations

import pytest

from graphc.errors import UnknownNameError
from graphc.render import draw
from tests.render.networks import mlp, shared


def lit(drawing):
    return {box.title for box in drawing.figure.boxes if not box.faint}


@pytest.mark.parametrize("name", ["hidden2.W", "W2", "W₂"])
def test_the_path_leads_from_the_parameter_to_the_loss_and_back_to_its_gradient(name):
    titles = lit(draw(mlp(), highlight=name))
    assert titles >= {"W₂", "z₂", "h₂", "z₃", "L", "∂L", "∂z₃", "∂h₂", "∂z₂", "∂W₂"}
    assert titles >= {"h₁"}  # saved for the gradient
    assert titles.isdisjoint({"x", "W₁", "z₁", "∂z₁", "∂h₁", "∂W₁", "∂b₂", "W₃", "b₂"})


def test_edges_off_the_path_are_faint():
    figure = draw(mlp(), highlight="W2").figure
    titles = {box.key: box.title for box in figure.boxes}
    clear = {(titles[e.tail], titles[e.head]) for e in figure.edges if not e.faint}
    assert {("W₂", "z₂"), ("∂z₂", "∂W₂"), ("h₁", "∂W₂")} <= clear
    assert ("h₁", "z₂") not in clear
    assert ("∂z₂", "∂h₁") not in clear


def test_a_shared_parameter_lights_every_use():
    assert lit(draw(shared(), highlight="b")) >= {"v₁", "v₂", "v₃", "∂v₁", "∂v₂", "∂v₃", "∂b"}


def test_every_level_can_be_highlighted():
    for level in ("lowered", "plan"):
        assert "∂b₂" in lit(draw(mlp(), level=level, highlight="b2"))
    assert lit(draw(mlp(), level="model", highlight="b2")) >= {"hidden2", "output", "∂ hidden2", "∂ output"}
    assert "hidden1" not in lit(draw(mlp(), level="model", highlight="b2"))


def test_without_a_highlight_nothing_is_faint():
    assert not any(box.faint for box in draw(mlp()).figure.boxes)


def test_an_unknown_name_lists_the_parameters():
    with pytest.raises(UnknownNameError, match="W9") as caught:
        draw(mlp(), highlight="W9")
    assert "hidden1.W" in str(caught.value)
