"""What an import loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("sympy", "networkx", "graphviz", "pygraphviz", "matplotlib", "tqdm")


def loaded(code: str) -> list[str]:
    """The heavy modules that a fresh interpreter holds after some code."""
    script = f"import sys\n{code}\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return eval(run.stdout.strip().split("\n")[-1])


def test_importing_the_package_loads_none_of_the_heavy_libraries():
    assert loaded("import graphc") == []


def test_compiling_and_training_loads_none_of_the_heavy_libraries():
    code = """
import numpy as np, graphc as gx
x, t = gx.input("x", ("n", 3)), gx.input("t", ("n",), dtype="int64")
logits = gx.nn.dense(gx.nn.dense(x, 4, activation="gelu"), 2)
model = gx.Model(logits, gx.nn.cross_entropy(logits, t))
model.fit(np.ones((8, 3)), np.zeros(8, dtype=int), optimizer=gx.optim.adam(), verbose=False)
"""
    assert loaded(code) == []


def test_a_derivative_of_ones_own_loads_sympy():
    code = 'import graphc as gx\nx = gx.input("x", ())\ngx.grad(gx.scalar_function("f", "x**2*sin(x)")(x), x)'
    assert loaded(code) == ["sympy"]


def test_every_public_name_is_there():
    import graphc as gx

    for name in gx.__all__:
        assert getattr(gx, name) is not None, name


def test_unknown_names_are_attribute_errors():
    import graphc as gx

    with pytest.raises(AttributeError, match="no attribute 'gard'"):
        gx.gard  # noqa: B018


def test_submodules_do_not_hide_functions():
    script = "import graphc as gx, graphc.planning.order, graphc.explanation.steps, graphc.stages\n"
    script += "print(callable(gx.plan), callable(gx.explain))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", "True"]


def test_the_stub_names_what_the_package_names():
    import ast
    from pathlib import Path

    import graphc as gx

    tree = ast.parse(Path(gx.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    stub = {a.name: n.module for n in tree.body if isinstance(n, ast.ImportFrom) for a in n.names}
    assert stub == gx._WHERE | dict.fromkeys(gx._MODULES, "graphc")
