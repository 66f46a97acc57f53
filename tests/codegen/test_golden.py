"""Generated modules kept as real files: the text is stable, and they agree with the model to the last bit."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.golden.models import MODELS

GOLDEN = Path(__file__).parent.parent / "golden"


def golden_module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"golden_{name}", GOLDEN / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def example(model, rows=7):
    """Random data for every input of a model."""
    rng = np.random.default_rng(5)
    arrays = []
    for leaf in model.graph.leaves("input"):
        shape = tuple(d if isinstance(d, int) else rows for d in leaf.shape)
        whole = leaf.dtype.startswith("int")
        arrays.append(rng.integers(0, 10, shape) if whole else rng.random(shape).astype(leaf.dtype))
    return arrays


@pytest.mark.parametrize("name", MODELS)
def test_text_is_what_is_generated(name):
    model, optimizer = MODELS[name]()
    golden = (GOLDEN / f"{name}.py").read_text(encoding="utf-8")
    assert model.source(optimizer) == golden, (
        "python -m tests.golden writes the files anew; read the difference"
    )


@pytest.mark.parametrize("name", MODELS)
def test_generation_is_deterministic(name):
    first, second = MODELS[name](), MODELS[name]()
    assert first[0].source(first[1]) == second[0].source(second[1])


@pytest.mark.parametrize("name", MODELS)
def test_golden_file_trains_like_the_model(name):
    model, optimizer = MODELS[name]()
    module, golden = model.module(optimizer), golden_module(name)
    inputs = example(model)
    ours, theirs = module.init(3), golden.init(3)
    rngs = [{"rng": m.make_rng(0)} if "make_rng" in vars(golden) else {} for m in (module, golden)]
    for _ in range(3):
        *ours, our_loss = module.train_step(*ours, *inputs, **rngs[0])
        *theirs, their_loss = golden.train_step(*theirs, *inputs, **rngs[1])
        assert our_loss.tobytes() == their_loss.tobytes()
    for a, b in zip(ours, theirs, strict=True):
        assert a.keys() == b.keys()
        assert all(np.asarray(a[k]).tobytes() == np.asarray(b[k]).tobytes() for k in a)


@pytest.mark.parametrize("name", MODELS)
def test_init_draws_what_the_model_draws(name):
    model, optimizer = MODELS[name]()
    params, state, _ = model.module(optimizer).init(11)
    model.reset(11)
    for mine, drawn in ((model.params, params), (model.state, state)):
        assert mine.keys() == drawn.keys()
        assert all(np.array_equal(mine[k], drawn[k]) and mine[k].dtype == drawn[k].dtype for k in mine)


@pytest.mark.parametrize("name", MODELS)
def test_lines_fit_the_page(name):
    lines = (GOLDEN / f"{name}.py").read_text(encoding="utf-8").split("\n")
    assert max(map(len, lines)) <= 100
    assert not [line for line in lines if line != line.rstrip()]


def functions(text: str) -> dict[str, str]:
    return {
        n.name: ast.get_source_segment(text, n) or ""
        for n in ast.parse(text).body
        if isinstance(n, ast.FunctionDef)
    }


def test_two_layer_network_is_short_and_computes_nothing_twice():
    text = (GOLDEN / "two_layers.py").read_text(encoding="utf-8")
    parts = functions(text)
    body = parts["forward"] + "\n" + parts["backward"]
    assert len([line for line in body.split("\n") if line.strip()]) <= 45
    assert parts["forward"].count(" @ ") == 2
    assert parts["backward"].count(" @ ") == 3  # the gradient of the input itself is not computed
    expressions = re.findall(r"^    \w+ = (.*?)(?:  #.*)?$", body, re.MULTILINE)
    assert len(expressions) == len(set(expressions))
    assert len(re.findall(r"np\.exp\(", body)) == 1


def test_two_layer_network_names_each_use_of_the_chain_rule():
    text = functions((GOLDEN / "two_layers.py").read_text(encoding="utf-8"))["backward"]
    for rule in ("log_softmax", "matmul", "relu"):
        assert f"chain rule of {rule}" in text
    for name in ("hidden.W", "hidden.b", "output.W", "output.b"):
        assert f"dL/d({name})" in text


@pytest.mark.parametrize("name", MODELS)
def test_golden_file_needs_numpy_alone(name):
    tree = ast.parse((GOLDEN / f"{name}.py").read_text(encoding="utf-8"))
    imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert imported <= {"numpy", "math", "hashlib", "base64"}
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
