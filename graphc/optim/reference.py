"""The page of all optimizers and transforms, with the LaTeX that is derived from their equations.

``python -m graphc.optim.reference DIR`` writes ``optimizers.md``; a test holds the checked-in page to it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from pathlib import Path

from graphc.optim.adam import adam
from graphc.optim.descent import momentum
from graphc.optim.optimizer import Optimizer
from graphc.optim.registry import OPTIMIZERS, TRANSFORMS

HEAD = """\
# Optimizers

An optimizer is its equations. They are text, read by graphc's one formula parser, and from this text come the code of
the update in a listing and in an exported file, the figure, and the formulas on this page, which
`python -m graphc.optim.reference docs` writes. $\\theta$ is a parameter, $g$ its gradient, $t$ the number of the step
from 1, $\\lambda$ the rate; what stands left of an arrow is carried from step to step.

```python
import numpy as np
import graphc as gx
from graphc import nn, optim, train

x, y = gx.input("x", ("n", 3)), gx.input("y", ("n", 1))
out = nn.dense(nn.dense(x, 8, activation="tanh", name="hidden"), 1, name="out")
model = gx.Model(out, nn.mse(out, y))
X = np.random.default_rng(0).normal(size=(64, 3))
Y = np.sin(X[:, :1])
```

## In a chain

Each part reads what those before it left; what stands behind the optimizer sees the new parameter. Groups are by the
name of a parameter or a layer: settings that differ, another optimizer, or `None` for what stays as it is.

```python
steps = optim.chain(
    optim.clip_by_global_norm(1.0),
    optim.groups(optim.adamw(1e-2), {"out.b": {"weight_decay": 0.0}, "out": {"lr": 3e-3}}),
    optim.ema(0.99),
)
model.fit(X, Y, optimizer=steps, epochs=20, seed=0, verbose=False)
model.evaluate(X, Y), model.evaluate(X, Y, averaged=True)
```

`averaged=True`, of `evaluate`, `predict`, `export` and `weights`, takes the average in the place of the parameter.

## Your own

```python
heavy = optim.rule("heavy", slots={"v": 0.0}, update="v = beta*v + g; theta = theta - lr*v", lr=0.05, beta=0.9)
model.reset().fit(X, Y, optimizer=heavy, epochs=5, verbose=False)
print(heavy.latex())
```

Slots are arrays for each parameter, `shared` numbers are for all together, and with a `seed` the lines may read noise
`z`. It is listed, drawn, exported and saved like the others.

## What is no equation of one step

`train.lbfgs` is a driver over the compiled loss and gradient, with a line search for the strong Wolfe conditions.
`train.ReduceOnPlateau` watches a score and divides the rate.

```python
found = train.lbfgs(model, X, Y, iterations=50)
print(found.stopped, found.losses[-1])
```
"""

FORMS: Mapping[str, Optimizer] = {
    '`momentum(form="undamped")`, the default': momentum(),
    '`momentum(form="dampened", damping=τ)`: the first step is not damped': momentum(
        form="dampened", damping=0.1
    ),
    '`momentum(form="average")`': momentum(form="average"),
    '`momentum(form="rate_inside")`: differs where the rate changes': momentum(form="rate_inside"),
    '`adam(eps_on="corrected")`, the default': adam(),
    '`adam(eps_on="raw")`': adam(eps_on="raw"),
}


def page() -> str:
    """The page, as Markdown."""
    lines = [HEAD, "## The conventions of momentum, and the two places of ε", ""]
    for name, optimizer in FORMS.items():
        lines += [f"{name}:", "", *_math(optimizer)]
    lines += ["## All optimizers", ""]
    for name, make in OPTIMIZERS.items():
        lines += [f"### {name}", "", f"`{_call(name, make)}`", "", *_math(make())]
    lines += ["## All transforms", ""]
    for name, make in TRANSFORMS.items():
        needed = {"limit": 1.0, "steps": 4}
        given = {k: v for k, v in needed.items() if k in inspect.signature(make).parameters}
        lines += [f"### {name}", "", f"`{_call(name, make)}`", "", *_math(make(**given))]
    return "\n".join(lines).rstrip() + "\n"


def _call(name: str, make: object) -> str:
    parameters = inspect.signature(make).parameters.values()  # type: ignore[arg-type]
    shown = [p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in parameters]
    return f"{name}({', '.join(shown)})"


def _math(optimizer: Optimizer) -> list[str]:
    return ["$$", optimizer.latex(), "$$", ""]


if __name__ == "__main__":
    Path(sys.argv[1], "optimizers.md").write_text(page(), encoding="utf-8")
