"""The Numba target: the numbers of NumPy's program, from compiled loops."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim, stages
from graphc.codegen.scalar import element_of
from graphc.errors import ArgumentError, GraphcError, MissingDependency
from graphc.ops import CARDS
from graphc.ops import small as small_products
from graphc.runtime import compiled

RANDOM = np.random.default_rng(0)
HERE = pytest.mark.skipif(
    not compiled.has_numba(), reason='Numba is not installed: pip install "graphc[numba]"'
)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("kernels")


@pytest.fixture(autouse=True)
def own_cache(folder, monkeypatch):
    monkeypatch.setenv("GRAPHC_CACHE", str(folder))


def expression(dtype="float32"):
    x = gx.input("x", ("n",), dtype)
    return gx.sum(gx.softplus(gx.tanh(x) * gx.sigmoid(x) + x**2 * gx.exp(-(x**2)))), x


def both(outputs, *arrays, **options):
    """What NumPy's program returns, and what the other returns."""
    numpy = gx.compile(outputs, layout="planned", **options)
    numba = gx.compile(outputs, target="numba", **options)
    with np.errstate(all="ignore"):
        return numpy(*arrays), numba(*arrays), numba


@HERE
def test_a_value_and_its_gradient_are_one_kernel():
    y, x = expression()
    values = RANDOM.normal(size=10_001).astype("float32")
    one, other, program = both([y, gx.grad(y, x)], values)
    np.testing.assert_allclose(other[0], one[0], rtol=1e-6)
    np.testing.assert_allclose(other[1], one[1], rtol=2e-6, atol=1e-6)
    assert program.source.count("@kernel") == 1
    assert "_buffers(" in program.source


def network(level="default", target="numba", **options):
    x, t = gx.input("x", ("batch", 6)), gx.input("t", ("batch",), dtype="int64")
    h = nn.dense(x, 8, activation="relu", name="hidden")
    y = nn.dense(h, 5, name="output")
    return gx.Model(
        y, nn.cross_entropy(y, t), optimizer=optim.adam(0.01), level=level, target=target, **options
    )


def trained(model, batches):
    module = model.module(model.optimizer)
    values, losses = module.init(0), []
    for x, t in batches:
        *values, loss = module.train_step(*values, x, t)
        losses.append(float(loss))
    return losses, values


def batch(rows):
    return RANDOM.normal(size=(rows, 6)).astype("float32"), RANDOM.integers(0, 5, rows)


@HERE
@pytest.mark.full
def test_a_model_learns_what_it_learns_without():
    batches = [batch(rows) for rows in (16, 16, 7, 16)]
    losses, values = trained(network(), batches)
    expected, wanted = trained(network(target="numpy"), batches)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    for one, other in zip(values, wanted, strict=True):
        for key in other:
            np.testing.assert_allclose(one[key], other[key], rtol=1e-4, atol=1e-5, err_msg=key)


@HERE
def test_exact_has_the_bits_of_numpy():
    x = gx.input("x", ("n", 7))
    y = gx.relu(x * 3.0 - 1.0) / (1.0 + gx.abs(x)) - gx.sqrt(gx.abs(x))
    outputs = [y, gx.exp(x), gx.max(y, axis=1)]
    values = RANDOM.normal(size=(33, 7)).astype("float32")
    values[0, :5] = np.inf, -np.inf, np.nan, 0.0, -0.0
    one, other, program = both(outputs, values, level="exact")
    assert "@kernel" in program.source
    assert "_exp(" not in program.source
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(b, a)


def test_what_to_install_is_said(monkeypatch):
    monkeypatch.setattr(compiled.importlib.util, "find_spec", lambda name: None)
    y, _x = expression()
    for ask in (lambda: gx.compile(y, target="numba"), lambda: network()):
        with pytest.raises(MissingDependency, match=r"graphc\[numba\]"):
            ask()
    with pytest.raises(ArgumentError, match="unknown target"):
        gx.compile(y, target="fortran")


@pytest.mark.parametrize("layout", stages.LAYOUTS)
def test_numpy_alone_needs_nothing_more(monkeypatch, layout):
    monkeypatch.setattr(compiled.importlib.util, "find_spec", lambda name: None)
    y, x = expression()
    assert gx.compile([y, gx.grad(y, x)], layout=layout).function


@HERE
def test_a_program_comes_back_from_a_pickle_with_its_target():
    y, _x = expression()
    program = gx.compile(y, target="numba")
    again = pickle.loads(pickle.dumps(program))
    assert again.source == program.source
    assert "@kernel" in again.source


@HERE
def test_a_folder_that_others_may_write_keeps_nothing(tmp_path, monkeypatch):
    tmp_path.chmod(0o777)
    monkeypatch.setenv("GRAPHC_CACHE", str(tmp_path))
    x = gx.input("x", ("n",))
    with pytest.warns(UserWarning, match="compiled anew in every process"):
        program = gx.compile(2.0 * x * x + 1.25, target="numba")
    np.testing.assert_allclose(program([3.0]), [19.25])
    assert not list(tmp_path.iterdir())


SCRIPT = """
import numpy as np, graphc as gx
x = gx.input("x", ("n",))
program = gx.compile(gx.tanh(3.0 * x) + 0.5 * x, target="numba")
value = program(np.array([0.0, 1.0], "float32"))
kernels = [f for n, f in program.function.__globals__.items() if n.endswith("_kernel")]
hits = sum(sum(f.stats.cache_hits.values()) for f in kernels)
print(len(kernels), hits, np.allclose(value, [0.0, np.tanh(3.0) + 0.5]))
"""


def in_a_process(folder):
    environment = {**os.environ, "GRAPHC_CACHE": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@HERE
@pytest.mark.full
def test_a_second_process_compiles_nothing(tmp_path):
    folder = tmp_path / "kernels"
    assert in_a_process(folder) == ["1", "0", "True"]
    assert in_a_process(folder) == ["1", "1", "True"]
    (file,) = folder.glob("*.py")
    file.write_text("raise SystemExit('half a fi")  # never run: the text itself is
    assert in_a_process(folder)[2] == "True"
    assert "def " in file.read_text()


@HERE
@pytest.mark.full
@pytest.mark.parametrize(("kind", "damage"), [("nbi", "empty"), ("nbi", "junk"), ("nbc", "half")])
def test_a_kept_kernel_that_is_damaged_is_compiled_anew(tmp_path, kind, damage):
    folder = tmp_path / "kernels"
    in_a_process(folder)
    (kept,) = folder.glob(f"__pycache__/*.{kind}")
    data = kept.read_bytes()
    kept.write_bytes({"empty": b"", "half": data[: len(data) // 2], "junk": b"junk" * 20}[damage])
    assert in_a_process(folder) == ["1", "0", "True"]
    assert in_a_process(folder) == ["1", "1", "True"]


def pointwise_cards():
    """Those with an expression of one element that go from float32 to float32."""
    for op in CARDS.values():
        if op.kind == "pointwise" and op.emitted and not op.attrs and op.domain is not None:
            leaves = [gx.input(f"x{i}", ("n",)) for i in range(len(op.operands))]
            try:
                node = op(*leaves)
            except GraphcError:
                continue
            names = [str(x.name) for x in leaves]
            if node.dtype == "float32" and element_of(node, names, False):
                yield op.name, op, leaves


SPECIAL = (0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 1e38, -1e38, 88.8, -103.0, 1.0, -1.0)


@HERE
@pytest.mark.full
def test_every_card_that_a_kernel_has_is_within_four_units_of_numpy():
    found = list(pointwise_cards())
    assert {"exp", "tanh", "sigmoid", "softplus", "maximum", "divide", "sqrt"} <= {name for name, *_ in found}
    for name, op, leaves in found:
        columns = [np.linspace(lo, hi, 4001, dtype="float32") for lo, hi in op.domain]
        columns = [RANDOM.permutation(np.concatenate([c, np.tile(SPECIAL, 30)])) for c in columns]
        node = op(*leaves)
        numpy = gx.compile([node, node * 2.0], level="exact")
        numba = gx.compile([node, node * 2.0], target="numba")
        with np.errstate(all="ignore"):
            one, other = numpy(*columns)[0], numba(*columns)[0]
            unit = np.spacing(np.maximum(np.abs(one), np.float32(1.2e-38)))
            same = (one == other) | (np.isnan(one) & np.isnan(other)) | (np.abs(one - other) <= 4 * unit)
        assert same.all(), (name, [c[~same][:3] for c in columns], one[~same][:3], other[~same][:3])


# -- a very small network is one kernel ---------------------------------------------------------------------------


def small(optimizer, target="numba", dtype="float32", width=4, **options):
    x, t = gx.input("x", ("batch", 3), dtype), gx.input("t", ("batch", 1), dtype)
    activation = (
        "tanh" if dtype == "float32" else "relu"
    )  # Numba's tanh in float64 is not better than NumPy's
    y = nn.dense(nn.dense(x, width, activation=activation, name="hidden"), 1, name="output")
    return gx.Model(y, nn.mse(y, t), optimizer=optimizer, target=target, **options)


def small_batch(rows, dtype="float32"):
    return RANDOM.normal(size=(rows, 3)).astype(dtype), RANDOM.normal(size=(rows, 1)).astype(dtype)


def in_one_kernel(model):
    return "whole_step(" in model.source(layout="planned")


@HERE
@pytest.mark.parametrize(
    ("make", "dtype"),
    [(optim.adam, "float32"), pytest.param(optim.momentum, "float64", marks=pytest.mark.full)],
)
def test_one_kernel_trains_as_numpy_does_in_batches_of_any_size(make, dtype):
    batches = [small_batch(rows, dtype) for rows in (9, 9, 2, 900)]
    losses, values = trained(small(make(0.01), dtype=dtype), batches)
    expected, others = trained(small(make(0.01), "numpy", dtype), batches)
    assert in_one_kernel(small(make(0.01), dtype=dtype))
    rtol = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(losses, expected, rtol=rtol)
    for kind in (0, 2):
        for name, value in others[kind].items():
            np.testing.assert_allclose(values[kind][name], value, rtol=rtol, atol=rtol / 100)


@HERE
@pytest.mark.full
def test_a_loss_that_is_not_finite_changes_nothing_in_one_kernel():
    module = small(optim.sgd(0.01)).module(optim.sgd(0.01))
    x, t = small_batch(9)
    params, state, slots, loss = module.train_step(*module.init(0), x, t)
    assert type(loss) is np.float32
    before = {name: value.copy() for name, value in params.items()}
    x[2, 1] = np.nan
    params, state, slots, loss = module.train_step(params, state, slots, x, t)
    assert np.isnan(loss)
    for name, value in before.items():
        np.testing.assert_array_equal(params[name], value)


def test_the_kernel_of_a_whole_step_reads_like_the_step():
    text = small(optim.sgd(0.01)).source(layout="planned")
    kernel = text.partition("def whole_step(")[2].partition("PARAMS")[0]
    assert "hidden_h_kernel(hidden_h, batch)" in kernel
    assert "# hidden\n    _product_with_rows(hidden_Wb, x_1, hidden_z)  # [batch, 4]ᵀ" in kernel
    assert "if not math.isfinite(loss):\n        return loss\n" in kernel
    step = text.partition("def small_step(")[2].partition("return step")[0]
    assert "    loss = whole_step(" in step
    assert "    if batch <= 780:  # else products by BLAS are faster\n        step = small_step" in step


def test_the_update_follows_the_kernel_where_it_counts_steps():
    step = small(optim.adam(0.01)).source(layout="planned").partition("def small_step(")[2]
    assert step.index("whole_step(") < step.index("isfinite") < step.index('slots["adam.step"] =')


def test_larger_networks_exact_ones_and_others_are_no_single_kernel():
    assert not in_one_kernel(small(optim.sgd(0.01), width=300))
    assert not in_one_kernel(small(optim.sgd(0.01), level="exact"))
    x, t = gx.input("x", ("batch", 3)), gx.input("t", ("batch", 1))
    y = nn.dense(nn.dropout(nn.dense(x, 4, name="hidden"), 0.5), 1, name="output")
    assert not in_one_kernel(gx.Model(y, nn.mse(y, t), optimizer=optim.sgd(0.01), target="numba"))


@HERE
@pytest.mark.full
def test_labels_in_one_kernel():
    def classes(target):
        x, t = gx.input("x", ("batch", 6)), gx.input("t", ("batch",), dtype="int64")
        y = nn.dense(x, 5, name="output")
        return gx.Model(y, nn.cross_entropy(y, t), optimizer=optim.sgd(0.1), target=target)

    batches = [batch(rows) for rows in (7, 7, 3)]
    assert in_one_kernel(classes("numba"))
    losses, values = trained(classes("numba"), batches)
    expected, others = trained(classes("numpy"), batches)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    np.testing.assert_allclose(values[0]["output.W"], others[0]["output.W"], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("rows", [1, 7, 8, 9])
def test_small_products(rows):
    a, b = RANDOM.normal(size=(3, 6)), RANDOM.normal(size=(6, rows))
    out = np.empty((3, rows))
    small_products._product(a, b, out)
    np.testing.assert_allclose(out, a @ b, rtol=1e-12)
    small_products._product_with_rows(b.T, a, other := np.empty((rows, 3)))
    np.testing.assert_allclose(other, b.T @ a.T, rtol=1e-12)
    small_products._weighted_rows(a[0], b, total := np.empty(rows))
    np.testing.assert_allclose(total, a[0] @ b, rtol=1e-12)
