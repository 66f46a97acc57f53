"""What holds of every optimizer and every transform, in all their forms."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import graphc as gx
from graphc import optim
from graphc.optim import OPTIMIZERS, TRANSFORMS
from graphc.optim.saved import optimizer_data, optimizer_from
from tests.optim.support import linear_model, run, small_model, stepped

FORMS = {
    "momentum, dampened": optim.momentum(form="dampened", damping=0.3),
    "momentum, average": optim.momentum(form="average"),
    "momentum, rate inside": optim.momentum(form="rate_inside"),
    "nesterov, average": optim.nesterov(form="average"),
    "nesterov, rate inside": optim.nesterov(form="rate_inside"),
    "rmsprop, centred": optim.rmsprop(centred=True, momentum=0.5, eps_on="inside"),
    "adagrad, decayed": optim.adagrad(lr_decay=0.1, start=0.1),
    "adam, raw": optim.adam(eps_on="raw"),
    "adam, amsgrad": optim.adam(amsgrad=True),
    "adam, amsgrad, raw": optim.adam(amsgrad=True, eps_on="raw"),
    "adam, uncorrected": optim.adam(bias_correction=False),
    "nadam, decayed": optim.nadam(weight_decay=0.1),
    "lion, decayed": optim.lion(weight_decay=0.1),
    "lamb, decayed": optim.lamb(weight_decay=0.1),
}
MADE = {
    "clip_by_value": optim.clip_by_value(0.5),
    "clip_by_norm": optim.clip_by_norm(0.5),
    "clip_by_global_norm": optim.clip_by_global_norm(0.5),
    "ascend": optim.ascend(),
    "weight_decay": optim.weight_decay(0.1),
    "decoupled_weight_decay": optim.decoupled_weight_decay(0.1),
    "gradient_noise": optim.gradient_noise(0.1, seed=3),
    "max_norm": optim.max_norm(0.8),
    "accumulate": optim.accumulate(3),
    "ema": optim.ema(0.9),
    "polyak": optim.polyak(2),
}
BEHIND = ("ema", "polyak", "max_norm")
"""Those that stand behind an optimizer."""

OWN = optim.rule("own", {"v": 0.0}, "v = beta*v + g; theta = theta - lr*v*k", shared={}, beta=0.9, k=0.5)
GROUPS = optim.groups(optim.adam(), {"h": {"lr": 1e-2, "eps": 1e-6}, "y.b": None})
EVERY = {
    **{name: make() for name, make in OPTIMIZERS.items()},
    **FORMS,
    **{name: optim.chain(t, optim.nadam()) for name, t in MADE.items() if name not in BEHIND},
    **{name: optim.chain(optim.nadam(), MADE[name]) for name in BEHIND},
    "chain": optim.chain(
        *(MADE[n] for n in ("accumulate", "clip_by_global_norm", "weight_decay")), optim.adam(), MADE["ema"]
    ),
    "groups": GROUPS,
    "rule": OWN,
}
RATES = {"adagrad": 0.3, "adadelta": 3.0, "lamb": 0.02, "adagrad, decayed": 0.3}
SWEEP = pytest.mark.parametrize("name", EVERY)


def test_every_transform_is_swept():
    assert set(TRANSFORMS) == set(MADE)


@pytest.mark.parametrize("name", [*OPTIMIZERS, *FORMS, "rule"])
def test_a_quadratic_is_lowered(name):
    """½ Σ k θ² falls to less than a hundredth; climbing instead of descending does not."""
    optimizer = replace(EVERY[name], rate=RATES.get(name, 0.02))
    assert _end_of_quadratic(optimizer) < 0.01 < 1.0 < _end_of_quadratic(_wrong_sign(optimizer))


def _wrong_sign(optimizer):
    links = [
        replace(
            x, lines=tuple((a, b.replace("theta - ", "theta + ") if a == "theta" else b) for a, b in x.lines)
        )
        for x in optimizer.links
    ]
    assert links != list(optimizer.links)
    return replace(optimizer, links=tuple(links))


def _end_of_quadratic(optimizer, steps=600):
    k = np.array([0.5, 1.0, 2.0])
    p = gx.param("p", (3,), init=np.array([1.0, -1.0, 1.0]), dtype="float64")
    model = gx.Model(p, 0.5 * gx.sum(gx.const(k) * gx.square(p)))
    module = model.module(optimizer)
    params, state, slots = module.init(0)
    first = module.evaluate(params, state)["loss"]
    with np.errstate(all="ignore"):
        for _ in range(steps):
            params, state, slots, loss = module.train_step(params, state, slots)
    return np.nan_to_num(float(loss) / float(first), nan=np.inf)


@pytest.mark.parametrize("name", [name for name in EVERY if name not in ("groups", "gradient_noise")])
def test_module_and_graph_of_all_updates_agree(name):
    ours, theirs = stepped(EVERY[name]), list(run(EVERY[name]))
    assert np.allclose(ours, theirs, rtol=1e-11, atol=1e-13)


CODE = """
import importlib, sys, warnings
import numpy as np
warnings.simplefilter("error")
sys.path.insert(0, ".")
x, t = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3), np.ones((4, 2), np.float32)
for name in sys.argv[1:]:
    net = importlib.import_module(name)
    params, state, slots = net.init(4)
    for _ in range(7):
        params, state, slots, loss = net.train_step(params, state, slots, x, t)
    print(*(np.asarray(v).tobytes().hex() for v in [*params.values(), *slots.values()]))
"""


@pytest.fixture(scope="module")
def exported_steps(tmp_path_factory):
    """Bytes of all values after seven steps of every exported file, in one isolated process of NumPy alone."""
    folder = tmp_path_factory.mktemp("exported")
    files = {name: f"net{i}" for i, name in enumerate(EVERY)}
    for name, file in files.items():
        small_model().export(folder / f"{file}.py", optimizer=EVERY[name])
    found = subprocess.run(
        [sys.executable, "-I", "-c", CODE, *files.values()],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(files, found.stdout.splitlines(), strict=True))


@SWEEP
def test_exported_module_is_the_live_one(name, exported_steps):
    module = small_model().module(EVERY[name])
    params, state, slots = module.init(4)
    x, t = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3), np.ones((4, 2), np.float32)
    for _ in range(7):
        params, state, slots, _ = module.train_step(params, state, slots, x, t)
    words = [np.asarray(v).tobytes().hex() for v in [*params.values(), *slots.values()]]
    assert exported_steps[name].split() == words


@pytest.mark.parametrize("name", [name for name in EVERY if name != "groups"])
def test_dtypes_and_ranks_stay(name):
    """Scalars, vectors and arrays, in both precisions, under one optimizer."""
    starts = {
        f"{dtype}_{len(shape)}": np.ones(shape, dtype)
        for dtype in ("float32", "float64")
        for shape in ((), (3,), (2, 2), (1, 2, 3))
    }
    module = linear_model(**starts).module(EVERY[name])
    params, state, slots = module.init(0)
    for _ in range(4):
        params, state, slots, _ = module.train_step(params, state, slots, *starts.values())
    shared = EVERY[name].shared_start()
    for key, value in {**params, **slots}.items():
        if key not in shared:
            wanted = starts[key.rpartition("/")[2]]
            assert (np.shape(value), value.dtype) == (wanted.shape, wanted.dtype), key


@SWEEP
def test_latex_and_equations_are_derived(name):
    optimizer = EVERY[name]
    latex = optimizer.latex()
    rows = [row for link in optimizer.links for row in link.latex]
    assert len(rows) == sum(len(x.lines) + len(x.totals) + (x.only is not None) for x in optimizer.links)
    assert all(row in latex and "&" in row for row in rows)
    assert latex.count("{") == latex.count("}")
    assert not re.search(r"(?<!\\)_[^{]|\*|theta(?<!\\theta)", latex)
    assert "θ ← " in optimizer.equation


@SWEEP
def test_latex_is_accepted_by_a_typesetter(name):
    mathtext = pytest.importorskip("matplotlib.mathtext")
    parser = mathtext.MathTextParser("agg")
    for link in EVERY[name].links:
        for row in link.latex:
            text = row.replace("&", "")
            if "cases" not in text:
                parser.parse(f"${text.replace(chr(92) + 'text', chr(92) + 'mathrm')}$")


@SWEEP
def test_training_goes_on_from_a_saved_model_to_the_last_bit(name, tmp_path):
    x, t = np.linspace(-1, 1, 24).reshape(8, 3), np.ones((8, 2))
    options = {"batch_size": 4, "epochs": 3, "verbose": False, "seed": 5}
    whole, halved = small_model(), small_model()
    for _ in range(2):
        whole.fit(x, t, optimizer=EVERY[name], **options)
    halved.fit(x, t, optimizer=EVERY[name], **options)
    halved.save(tmp_path / "net.gx")
    again = gx.load(tmp_path / "net.gx")
    assert again.optimizer == EVERY[name]
    again.fit(x, t, **options)
    for kind in ("params", "slots"):
        for key, value in getattr(whole.values, kind).items():
            assert np.array_equal(value, getattr(again.values, kind)[key]), key


@SWEEP
def test_data_makes_the_same_optimizer_again(name):
    data = json.loads(json.dumps(optimizer_data(EVERY[name])))
    assert optimizer_from(data) == EVERY[name]


@SWEEP
def test_what_a_step_returns_is_new(name):
    """Neither parameters nor slots of before are changed by a step."""
    module = linear_model(h=np.ones(3), y=np.full((2, 2), 2.0)).module(
        EVERY[name] if name != "groups" else optim.adam()
    )
    params, _, slots = module.init(0)
    before = {k: np.copy(v) for k, v in {**params, **slots}.items()}
    grads = {"h": np.ones(3), "y": np.ones((2, 2))}
    new_params, new_slots = module.update(params, slots, grads, lr=0.1)
    for key, value in {**new_params, **new_slots}.items():
        if np.ndim(value) and value is not {**params, **slots}[key]:  # what did not change is handed on
            value += 1.0
    assert all(np.array_equal(value, {**params, **slots}[k]) for k, value in before.items())
    assert np.array_equal(grads["h"], np.ones(3))
