"""The page of losses: each with its equation and its arguments, written from the functions.

``python -m graphc.nn.reference docs`` writes ``losses.md``; a test holds the page to the functions as they are.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graphc.errors import VerifyError
from graphc.nn import losses
from graphc.nn.losses import binary, classes, distances, regression

GROUPS = {
    "Numbers": regression,
    "Two classes": binary,
    "Several classes": classes,
    "Vectors": distances,
}
"""Title to the module whose losses stand under it."""

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


def members(module: Any) -> Iterator[tuple[str, Any]]:
    """The losses that a module holds, in the order in which they are written."""
    for name, function in vars(module).items():
        if name in losses.__all__ and getattr(function, "__module__", "") == module.__name__:
            yield name, function


def page() -> str:
    """The page as Markdown.

    Raises:
        VerifyError: a loss without a word about itself.
    """
    lines = [_HEAD]
    for title, module in GROUPS.items():
        lines += [f"## {title}", "", "| loss | equation | further arguments |", "|---|---|---|"]
        lines += [_row(name, function) for name, function in members(module)]
        lines.append("")
    return "\n".join(lines)


def _row(name: str, function: Any) -> str:
    text = (inspect.getdoc(function) or "").split("\n")[0].replace("|", "\\|")
    if not text:
        raise VerifyError(f"the loss {name} does not say what it computes", fix="give it a docstring")
    parameters = inspect.signature(function).parameters.values()
    operands = ", ".join(p.name for p in parameters if p.default is p.empty)
    options = ", ".join(
        f"`{p.name}={p.default!r}`"
        for p in parameters
        if p.default is not p.empty and p.name not in ("reduction", "weights")
    )
    return f"| `{name}({operands})` | {text} | {options} |"


if __name__ == "__main__":
    (Path(sys.argv[1]) / "losses.md").write_text(page(), encoding="utf-8")
