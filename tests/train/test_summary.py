"""The table of a model."""

from __future__ import annotations

import graphc as gx
from graphc import nn


def test_layers_stand_in_the_order_in_which_data_flow_through_them() -> None:
    """Scales of images are put on other axes before anything else is computed."""
    x, t = gx.input("x", ("batch", 1, 8, 8)), gx.input("t", ("batch",), dtype="int64")
    h = nn.batch_norm(nn.conv2d(x, 4, 3, name="conv1"), name="bn1")
    h = nn.batch_norm(nn.conv2d(gx.relu(h), 4, 3, name="conv2"), name="bn2")
    z = nn.dense(nn.flatten(h), 3, name="out")
    model = gx.Model(z, nn.cross_entropy(z, t))
    names = [layer.name for layer in model.summary().layers]
    assert [n for n in names if n in ("conv1", "bn1", "conv2", "bn2", "out")] == [
        "conv1",
        "bn1",
        "conv2",
        "bn2",
        "out",
    ]
