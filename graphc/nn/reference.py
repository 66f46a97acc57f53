"""The pages of losses and of layers: each with its equation and its arguments, written from the functions.

``python -m graphc.nn.reference docs`` writes ``losses.md`` and ``layers.md``; a test holds them to the functions.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from graphc import nn
from graphc.errors import VerifyError
from graphc.nn import layers, losses, normalization, regularization, sharing, spatial
from graphc.nn.losses import binary, classes, distances, regression

GROUPS = {
    "Numbers": regression,
    "Two classes": binary,
    "Several classes": classes,
    "Vectors": distances,
}
"""Title to the module whose losses stand under it."""

LAYERS = {
    "Dense layers and dropout": layers,
    "Convolution, pooling, embedding": spatial,
    "Normalisation": normalization,
    "Penalties and noise": regularization,
    "Attention": sys.modules[nn.attention.__module__],  # the name is that of the function
    "Sharing": sharing,
}
"""Title to the module whose layers stand under it."""

_HEAD = """\
# Losses

Written from the functions by `python -m graphc.nn.reference docs`. Each takes `reduction="mean"`, `"sum"` or `"none"`
and `weights=` of examples; the mean divides by the sum of the weights. A loss never broadcasts its operands: shapes are
checked where it is declared. What the means divide by, and where others do it otherwise, stands in
[conventions](conventions.md).

A loss that is written out is as stable as the one of this page, in value and gradient:

```python
import graphc as gx
from graphc import nn

z, t = gx.input("z", ("n", 3)), gx.input("t", ("n",), dtype="int64")
p = gx.exp(z) / gx.sum(gx.exp(z), axis=1, keepdims=True)
by_hand = gx.mean(-gx.log(p[gx.arange("n"), t]))
program = gx.compile([by_hand, nn.cross_entropy(z, t), gx.grad(by_hand, z)])
loss, built_in, slope = program([[1000.0, 0.0, -1000.0]], [2])
assert loss == built_in == 2000
assert slope.tolist() == [[1, 0, -1]]
```

So are `log(1 + exp(x))`, `log(sigmoid(x))`, `log(1 - sigmoid(x))`, `log(cosh(x))`, `p * log(p / q)` of two softmaxes,
the logarithm of a density, and their kin; `explain` names the rule that was used.
"""

_LAYERS_HEAD = """\
# Layers

Written from the functions by `python -m graphc.nn.reference docs`. A layer is a function: it takes a node, makes the
parameters that it needs, and returns a node. Features come last in `dense`; channels come second in convolutions, an
image is [batch, channels, height, width]. `name=` gives a layer its box in figures and its name in listings, summaries
and files; without it layers are numbered. Convolutions take `stride=`, `padding=`, `dilation=`, `groups=`, `bias=`,
`init=` and `bias_init=` as well.

```python
import numpy as np
import graphc as gx
from graphc import nn

x = gx.input("x", ("batch", 1, 28, 28))
h = nn.conv2d(x, 8, 3, activation="relu", padding="same", name="conv")
h = nn.max_pool(h, 2, name="pool")
h = nn.batch_norm(h, name="norm")
h = nn.dropout(nn.dense(nn.flatten(h), 32, activation="gelu", name="hidden"), 0.2, name="drop")
z = nn.dense(h, 10, name="output")
model = gx.Model(z, name="images")
assert model.predict(np.zeros((2, 1, 28, 28))).shape == (2, 10)
```

A layer of your own is a function too: `with gx.scope("name"):` around `gx.param(...)` names what it makes. Recurrent
networks are loops, `gx.scan`, as the [tour](tour.md) shows. [Activations](activations.md) and
[initialisers](initialisers.md) have pages of their own; which variance, which momentum and where ε is added stands in
[conventions](conventions.md). `help(nn.dense)` says what each argument means.
"""


def members(module: Any, public: Sequence[str] = losses.__all__) -> Iterator[tuple[str, Any]]:
    """The public functions that a module holds, in the order in which they are written."""
    for name, function in vars(module).items():
        if name in public and getattr(function, "__module__", "") == module.__name__:
            yield name, function


def page() -> str:
    """The page of losses as Markdown.

    Raises:
        VerifyError: a loss without a word about itself.
    """
    return _page(_HEAD, "loss", GROUPS, losses.__all__, ("reduction", "weights"))


def layers_page() -> str:
    """The page of layers as Markdown.

    Raises:
        VerifyError: a layer without a word about itself.
    """
    return _page(_LAYERS_HEAD, "layer", LAYERS, nn.__all__, ("name",))


def _page(head: str, kind: str, groups: dict[str, Any], public: Sequence[str], common: Sequence[str]) -> str:
    lines = [head]
    for title, module in groups.items():
        lines += [f"## {title}", "", f"| {kind} | equation | further arguments |", "|---|---|---|"]
        lines += [_row(name, function, common) for name, function in members(module, public)]
        lines.append("")
    return "\n".join(lines)


def _row(name: str, function: Any, common: Sequence[str]) -> str:
    text = (inspect.getdoc(function) or "").split("\n")[0].replace("|", "\\|").replace("``", "`")
    if not text:
        raise VerifyError(f"{name} does not say what it computes", fix="give it a docstring")
    parameters = inspect.signature(function).parameters.values()
    operands = ", ".join(p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD)
    options = ", ".join(
        f"`{p.name}={p.default!r}`" for p in parameters if p.default is not p.empty and p.name not in common
    )
    return f"| `{name}({operands})` | {text} | {options} |"


if __name__ == "__main__":
    (Path(sys.argv[1]) / "losses.md").write_text(page(), encoding="utf-8")
    (Path(sys.argv[1]) / "layers.md").write_text(layers_page(), encoding="utf-8")
