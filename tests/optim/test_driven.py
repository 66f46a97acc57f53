"""Rates and settings that follow the step: computed in the generated update, and changed without recompiling."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim
from graphc.codegen.update import DrivenPlan
from graphc.optim import OPTIMIZERS, Optimizer, schedule, schedules
from graphc.optim.chain import chain
from graphc.optim.link import Link, lines_of
from graphc.train import programs, updates

X = np.random.default_rng(0).normal(size=(24, 3)).astype(np.float32)
T = X @ np.array([[1.0], [-2.0], [0.5]], dtype=np.float32)


def small_model(dtype="float32"):
    x, t = gx.input("x", ("batch", 3), dtype), gx.input("t", ("batch", 1), dtype)
    y = nn.dense(nn.dense(x, 4, activation="tanh", name="h"), 1, name="y")
    return gx.Model(y, nn.mse(y, t), name="small")


def trained(model, optimizer, epochs=3, **options):
    model.fit(X, T, optimizer=optimizer, epochs=epochs, batch_size=8, verbose=False, **options)
    return model.params


def every(k):
    """A transform after which the others act at every k-th step alone."""
    return Optimizer("every", None, (Link("every", lines_of("g = 2*g"), every=k),))


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@pytest.fixture
def compilations(monkeypatch):
    """How often a graph was simplified for a model's module."""
    count = []
    for module in (programs, updates):
        simplify = module.simplify
        monkeypatch.setattr(
            module, "simplify", lambda *args, _simplify=simplify: (count.append(1), _simplify(*args))[1]
        )
    return count


@pytest.mark.parametrize("name", [n for n in OPTIMIZERS if n != "rprop"])
def test_every_optimizer_takes_a_schedule(name):
    """A schedule that stays gives what the number gives, to the last bit."""
    number = trained(small_model(), OPTIMIZERS[name](lr=0.01))
    stays = trained(small_model(), OPTIMIZERS[name](lr=schedules.constant(0.01)))
    assert same(number, stays)


DRIVEN = ("beta", "beta1", "beta2", "weight_decay", "rho", "alpha", "momentum", "momentum_decay")
SETTINGS = [
    (name, key)
    for name, make in OPTIMIZERS.items()
    for key in inspect.signature(make).parameters
    if key in DRIVEN
]


@pytest.mark.parametrize(("name", "key"), SETTINGS, ids=[f"{n}-{k}" for n, k in SETTINGS])
def test_a_setting_may_be_a_schedule(name, key):
    number = trained(small_model(), OPTIMIZERS[name](**{key: 0.5}))
    stays = trained(small_model(), OPTIMIZERS[name](**{key: schedules.constant(0.5)}))
    for param, value in number.items():
        assert np.allclose(value, stays[param], rtol=1e-5, atol=1e-6), param


def test_the_rate_is_that_of_the_step():
    """Step by step with a number, and in one go with a schedule."""
    lr = schedules.warmup(schedules.exponential(0.1, 0.8), steps=3)
    by_schedule, by_number = small_model("float64"), small_model("float64")
    trained(by_schedule, optim.sgd(lr), epochs=4)
    module = by_number.module(optim.sgd(1.0))
    params, state, slots = by_number.params, {}, {}
    order = by_number.fit(X, T, optimizer=optim.sgd(0.0), epochs=0, verbose=False)
    assert len(order) == 0
    seen = []
    for batch in batches_of(by_schedule, epochs=4):
        params, state, slots, _ = module.train_step(params, state, slots, *batch, lr=lr(len(seen)))
        seen.append(1)
    assert len(seen) == 12
    for name, value in by_schedule.params.items():
        assert np.allclose(value, params[name], rtol=1e-14, atol=0), name


def batches_of(model, epochs):
    """The batches that ``fit`` makes, in order."""
    from graphc.ops.init import name_seed

    for epoch in range(epochs):
        order = np.random.Generator(np.random.PCG64([0, name_seed("shuffle"), epoch])).permutation(len(X))
        for start in range(0, len(X), 8):
            rows = order[start : start + 8]
            yield X[rows].astype(np.float64), T[rows].astype(np.float64)


def test_another_rate_compiles_nothing(compilations):
    model = small_model()
    trained(model, optim.momentum(0.1))
    first = len(compilations)
    assert first > 0
    trained(model, optim.momentum(0.001))
    assert "lr=0.5" in model.source(optim.momentum(0.5))
    assert len(compilations) == first


def test_another_schedule_of_the_same_kind_compiles_nothing(compilations):
    model = small_model()
    trained(model, optim.adam(schedules.warmup(schedules.cosine(0.1, 50), 5)))
    first = len(compilations)
    trained(model, optim.adam(schedules.warmup(schedules.cosine(0.3, 90, end=0.01), 9)))
    model.source(optim.adam(schedules.warmup(schedules.cosine(0.2, 7), 2)))
    assert len(compilations) == first
    trained(model, optim.adam(schedules.cosine(0.3, 90)))  # another equation
    assert len(compilations) > first


def test_defaults_of_a_listing_are_those_of_its_optimizer():
    model = small_model()
    text = model.source(optim.sgd(schedules.exponential(0.1, 0.9)))
    assert "def lr_schedule(t, start, factor, steps):" in text
    assert '"""exponential at step t, from 0: start * factor**(t / steps)"""' in text
    assert "lr_start=0.1, lr_factor=0.9, lr_steps=1.0" in " ".join(text.split())
    other = model.source(optim.sgd(schedules.exponential(0.7, 0.5)))
    assert "lr_start=0.7, lr_factor=0.5, lr_steps=1.0" in " ".join(other.split())
    assert model.source(optim.sgd(schedules.exponential(0.1, 0.9))) == text


def test_an_exported_module_follows_the_schedule(tmp_path):
    optimizer = optim.sgd(schedules.step(0.1, every=4, factor=0.5))
    model = small_model()
    space: dict = {}
    exec(compile(model.export(tmp_path / "m.py", optimizer).read_text(), "m", "exec"), space)
    params, state, slots = space["init"](0)
    for batch in batches_of(model, 3):
        params, state, slots, _ = space["train_step"](
            params, state, slots, *(a.astype(np.float32) for a in batch)
        )
    assert slots["schedule.step"] == 9
    assert same(params, trained(model, optimizer))


@pytest.mark.parametrize(
    "optimizer",
    [
        optim.sgd(schedules.cosine(0.1, 9)),
        optim.momentum(schedules.one_cycle(0.1, 12), beta=schedules.one_cycle_momentum(12)),
        optim.adam(0.01, beta1=schedule("0.9 - 0.1 * t / (1 + t)")),
        chain(every(2), optim.momentum(schedules.linear(0.1, 0.0, 9))),
    ],
    ids=["rate", "rate and momentum", "beta1", "accumulated"],
)
def test_the_module_agrees_with_compile_and_updates(optimizer):
    model = small_model("float64")
    module = model.module(optimizer)
    params = {str(model.graph.name_of(p)): p for p in model.graph.leaves("param")}
    gradients = dict(zip(params, gx.grad(model.loss, list(params.values())), strict=True))
    program = gx.compile(model.loss, updates=optimizer.updates(params, gradients))
    values, state, slots = module.init(0)
    whole = {**values, **slots}
    for x, t in batches_of(model, 4):
        values, state, slots, _ = module.train_step(values, state, slots, x, t)
        _, whole = program(x=x, t=t, **whole)
        for key, value in {**values, **slots}.items():
            assert np.allclose(value, whole[key], rtol=1e-12, atol=1e-15), key


def test_a_schedule_counts_the_steps_at_which_its_links_act():
    model = small_model()
    trained(model, chain(every(3), optim.sgd(schedules.linear(0.1, 0.0, 9))), epochs=4)
    assert model.values.slots["schedule.step"] == 4


def test_float32_stays_float32():
    model = small_model()
    trained(model, optim.momentum(schedules.cosine(0.1, 20), beta=schedules.one_cycle_momentum(20)))
    dtypes = {k: np.asarray(v).dtype.name for k, v in {**model.values.params, **model.values.slots}.items()}
    assert dtypes.pop("schedule.step") == "int64"
    assert set(dtypes.values()) == {"float32"}


def test_a_saved_model_goes_on_with_its_schedule(tmp_path):
    lr = schedules.warmup(schedules.cosine(0.1, 20), 4)
    whole, half = small_model(), small_model()
    trained(whole, optim.momentum(lr), epochs=4)
    trained(half, optim.momentum(lr), epochs=2)
    again = gx.load(half.save(tmp_path / "half.gx"))
    assert again.optimizer.rate == lr
    trained(again, None, epochs=2)
    assert same(again.params, whole.params)


def test_a_schedule_of_ones_own_is_saved_by_its_equation(tmp_path):
    lr = schedule(lambda t, start: start / gx.sqrt(1 + t), start=0.1)
    model = small_model()
    trained(model, optim.sgd(lr))
    again = gx.load(model.save(tmp_path / "own.gx"))
    assert same(trained(again, None), trained(model, optim.sgd(lr)))


def test_another_optimizer_after_a_schedule_and_back():
    model = small_model()
    for optimizer in (optim.sgd(0.1), optim.sgd(schedules.cosine(0.1, 9)), optim.sgd(0.1)):
        trained(model, optimizer)
    trained(model, optim.sgd(schedules.cosine(0.1, 9)))
    assert model.values.slots["schedule.step"] == 9
    trained(model, optim.sgd(schedules.cosine(0.2, 9)))  # another rate starts anew
    assert model.values.slots["schedule.step"] == 9


def test_links_of_all_kinds_follow_the_step(tmp_path):
    """Rules of one's own, clipping, decay and averages: trained, saved, and gone on with."""
    down = schedules.linear(0.1, 0.01, steps=9)
    for optimizer in (
        optim.rule(
            "mine",
            {"v": 0.0},
            "v = beta*v + lr*g; theta = theta - v",
            lr=down,
            beta=schedules.linear(0.5, 0.9, 9),
        ),
        optim.chain(optim.clip_by_global_norm(schedules.constant(1.0)), optim.adamw(down, weight_decay=down)),
        optim.chain(
            optim.accumulate(2), optim.weight_decay(down), optim.sgd(down), optim.ema(schedules.constant(0.9))
        ),
    ):
        whole, half = small_model(), small_model()
        trained(whole, optimizer, epochs=4)
        trained(half, optimizer, epochs=2)
        again = gx.load(half.save(tmp_path / "half.gx"))
        trained(again, None, epochs=2)
        assert same(again.params, whole.params)


def test_groups_follow_one_schedule():
    lr = schedules.constant(0.1)
    numbers = trained(small_model(), optim.groups(optim.sgd(0.1), {"h": {"lr": 0.05}}))
    assert same(numbers, trained(small_model(), optim.groups(optim.sgd(lr), {"h": {"lr": 0.5 * lr}})))
    for common, own in ((lr, 0.05), (0.1, lr), (lr, 0.5 * schedules.constant(0.2))):
        with pytest.raises(gx.GraphcError, match="a multiple of the common schedule"):
            optim.groups(optim.sgd(common), {"h": {"lr": own}})


def test_callbacks_see_the_rate_of_the_next_step():
    seen = []

    class See(gx.train.Callback):
        def on_batch_end(self, run, loss):
            seen.append(run.rate)

    lr = schedules.linear(0.1, 0.0, steps=6)
    trained(small_model(), optim.sgd(lr), epochs=2, callbacks=[See()])
    assert seen == [lr(t) for t in range(1, 7)]


def test_names_of_inputs_and_coefficients_do_not_meet():
    x, t = gx.input("lr_start", ("batch", 3)), gx.input("rate_factor", ("batch", 1))
    y = nn.dense(x, 1, name="lr")
    model = gx.Model(y, nn.mse(y, t), name="m")
    trained(model, optim.sgd(schedules.exponential(0.1, 0.9)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: optim.momentum(0.1, beta=schedules.linear(1.5, 0.5, 9)),
        lambda: optim.adam(eps=schedule("t - 1")),
        lambda: optim.sgd([0.1]),
        lambda: optim.rprop(schedules.constant(0.1)),
        lambda: optim.sgd(schedule("0.1 / t")),
        lambda: optim.adam(schedule("-1 - t")),
    ],
    ids=[
        "a share above 1",
        "an eps below 0",
        "a list",
        "a first step",
        "infinite at first",
        "negative at first",
    ],
)
def test_what_a_setting_cannot_be_is_refused(make):
    with pytest.raises(gx.GraphcError):
        make()


def test_an_optimizer_with_a_schedule_reads_like_its_declaration():
    made = optim.sgd(schedules.cosine(0.1, steps=9))
    assert repr(made) == "sgd(lr=cosine(start=0.1, steps=9, end=0.0, after='hold'))"
    assert made.hypers() == {"rate_factor": 1.0, "lr.start": 0.1, "lr.end": 0.0, "lr.steps": 9.0}
    assert isinstance(small_model().module(made).model.update.driven[0], DrivenPlan)
