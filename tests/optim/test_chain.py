"""Transforms, chains, groups, averages, and rules of the user's own."""

from __future__ import annotations

import runpy

import numpy as np
import pytest

import graphc as gx
from graphc import optim, train
from graphc.errors import GraphcError
from tests.optim.support import GRADIENTS, START, linear_model, small_model, stepped

X, T = np.linspace(-1, 1, 24).reshape(8, 3), np.ones((8, 2))
QUIET = {"verbose": False, "shuffle": False, "batch_size": 8}


def first_step(transform, **gradients):
    """What a transform makes of gradients of parameters that are all ones: sgd with a rate of 1 takes it off."""
    model = linear_model(**{n: np.ones_like(g) for n, g in gradients.items()})
    module = model.module(optim.chain(transform, optim.sgd(1.0)))
    params, _, slots = module.init(0)
    after, _ = module.update(params, slots, gradients, lr=1.0)
    return {n: 1.0 - v for n, v in after.items()}


def test_clip_by_value_is_per_element():
    found = first_step(optim.clip_by_value(0.5), a=np.array([-2.0, 0.25, 0.75]))
    assert np.array_equal(found["a"], [-0.5, 0.25, 0.5])


def test_clip_by_norm_is_per_parameter():
    found = first_step(optim.clip_by_norm(5.0), a=np.array([30.0, 40.0]), b=np.array([3.0, 0.0]))
    assert np.allclose(found["a"], [3.0, 4.0], rtol=1e-14)
    assert np.allclose(found["b"], [3.0, 0.0])


@pytest.mark.parametrize(("order", "norm"), [(2.0, 13.0), (1.0, 19.0), (float("inf"), 12.0)])
def test_clip_by_global_norm_is_over_all_parameters(order, norm):
    gradients = {"a": np.array([3.0, 0.0]), "b": np.array([[4.0], [-12.0]]), "c": np.array(0.0)}
    for limit in (1.0, 100.0):
        found = first_step(optim.clip_by_global_norm(limit, order), **gradients)
        for name, g in gradients.items():
            assert np.allclose(found[name], g * min(1.0, limit / norm), rtol=1e-13, atol=1e-15), (name, limit)


def test_clipping_of_no_gradient_at_all_is_quiet():
    for clip in (
        optim.clip_by_norm(1.0),
        optim.clip_by_global_norm(1.0),
        optim.clip_by_global_norm(1.0, eps=1e-6),
    ):
        assert np.array_equal(first_step(clip, a=np.zeros(2), b=np.zeros(3))["b"], np.zeros(3))


def test_noise_is_normal_and_fades():
    """Of 40,000 draws the standard deviation is within 5 of its standard errors, at each of 16 steps."""
    zeros = {"a": np.zeros((200, 200)), "b": np.zeros((200, 200))}
    model = linear_model(**zeros)
    module = model.module(optim.chain(optim.gradient_noise(0.04, gamma=0.5), optim.sgd(1.0)))
    _, _, slots = module.init(0)
    seen = []
    for t in range(1, 17):
        after, slots = module.update(zeros, slots, zeros, lr=1.0)
        seen.append(after)
        std = 0.2 / t**0.25
        assert abs(after["a"].std() / std - 1) < 5 / np.sqrt(2 * 40_000)
        assert abs(after["a"].mean()) < 5 * std / 200
    pairs = [(seen[0]["a"], seen[0]["b"]), (seen[0]["a"], seen[1]["a"])]
    assert all(abs(np.corrcoef(x.ravel(), y.ravel())[0, 1]) < 5 / 200 for x, y in pairs)


def test_noise_depends_on_seed_step_and_name_alone():
    noise = optim.gradient_noise(seed=4)
    both = first_step(noise, a=np.zeros(3), b=np.zeros(2), c=np.zeros(()))
    alone = first_step(noise, b=np.zeros(2))
    other = first_step(optim.gradient_noise(seed=5), b=np.zeros(2))
    assert np.array_equal(both["b"], alone["b"])
    assert not np.array_equal(both["b"], other["b"])


def test_noise_over_actual_gradients_is_a_random_site():
    p, g = gx.param("p", (3,)), gx.input("g", (3,))
    updates = optim.chain(optim.gradient_noise(1.0), optim.sgd(1.0)).updates({"p": p}, {"p": g})
    program = gx.compile(gx.sum(p * g), updates=updates)
    zeros = np.zeros(3, np.float32)
    _, after = program(g=zeros, p=zeros, rng=0, **{"gradient_noise.step": 0})
    assert np.all(after["p"] != 0)


def test_a_rule_may_be_random():
    """Langevin dynamics on ½ θ²: the samples have a variance near 1."""
    langevin = optim.rule("langevin", {}, "theta = theta - lr/2*g + sqrt(lr)*z", lr=0.1, seed=1)
    p = gx.param("p", (400,), "zeros", "float64")
    module = gx.Model(p, 0.5 * gx.sum(gx.square(p))).module(langevin)
    params, state, slots = module.init(0)
    for _ in range(200):
        params, state, slots, _ = module.train_step(params, state, slots)
    assert 0.7 < params["p"].var() < 1.3
    with pytest.raises(gx.GraphcError, match="unknown name, 'z'"):
        optim.rule("langevin", {}, "theta = theta - lr*g + z")


def test_coupled_and_decoupled_decay_differ_behind_adam():
    coupled, decoupled = (
        stepped(optim.chain(decay, optim.adam(0.01)))[-1]
        for decay in (optim.weight_decay(0.1), optim.decoupled_weight_decay(0.1))
    )
    assert np.abs(coupled - decoupled).max() > 1e-3
    assert np.allclose(decoupled, stepped(optim.adamw(0.01, weight_decay=0.1))[-1], rtol=1e-13)


def test_accumulation_is_the_step_of_the_mean():
    """Of k gradients one step; and where it ends in between, nothing has moved."""
    for inner in (
        optim.sgd(0.1),
        optim.adam(0.01),
        optim.chain(optim.clip_by_global_norm(1.0), optim.nadam(0.1)),
    ):
        ours = stepped(optim.chain(optim.accumulate(5), inner))
        theirs = stepped(inner, GRADIENTS.reshape(10, 5, 4).mean(axis=1))
        assert np.allclose(ours[4::5], theirs, rtol=1e-12)
        assert all(np.array_equal(ours[i], ours[i - i % 5 - 1]) for i in range(5, 50) if i % 5 != 4)


def test_averages_of_the_parameter():
    path = np.array([START, *stepped(optim.sgd(0.1))])
    for transform, wanted in (
        (optim.polyak(), path[1:].mean(axis=0)),
        (optim.polyak(start=30), path[31:].mean(axis=0)),
        (optim.ema(0.9), sum((0.1 * 0.9 ** (50 - k) * path[k] for k in range(1, 51)), 0.9**50 * path[0])),
    ):
        model = linear_model(p=START)
        module = model.module(optim.chain(optim.sgd(0.1), transform))
        params, state, slots = module.init(0)
        for g in GRADIENTS:
            params, state, slots, _ = module.train_step(params, state, slots, g)
        assert np.array_equal(params["p"], path[-1])
        assert np.allclose(slots[f"{transform.name}.average/p"], wanted, rtol=1e-12)


def test_averages_are_used_where_they_are_asked_for(tmp_path):
    model = small_model()
    model.fit(X, T, optimizer=optim.chain(optim.sgd(0.2), optim.ema(0.8)), epochs=5, **QUIET)
    averages = {name: model.values.slots[f"ema.average/{name}"] for name in model.params}
    other = small_model().set_params(averages)
    assert not np.array_equal(model.predict(X), model.predict(X, averaged=True))
    assert np.array_equal(model.predict(X, averaged=True), other.predict(X))
    assert model.evaluate(X, T, averaged=True) == other.evaluate(X, T) != model.evaluate(X, T)
    file = model.export(tmp_path / "net.py", averaged=True)
    exported = runpy.run_path(str(file))
    assert all(np.array_equal(exported["TRAINED"][name], value) for name, value in averages.items())
    assert all(np.array_equal(value, model.values.params[name]) for name, value in model.params.items())


def test_no_averages_to_use():
    model = small_model()
    with pytest.raises(gx.GraphcError, match="no averages"):
        model.predict(X, averaged=True)
    model.fit(X, T, optimizer=optim.sgd(), **QUIET)
    with pytest.raises(gx.GraphcError, match="no averages"):
        model.evaluate(X, T, averaged=True)


def test_groups_are_optimizers_of_their_own():
    model = small_model()
    start = model.params
    model.fit(
        X,
        T,
        optimizer=optim.groups(
            optim.sgd(0.1), {"h.b": optim.sign_sgd(0.01), "h": {"lr": 0.025}, "y.b": None}
        ),
        epochs=1,
        **QUIET,
    )
    moved = {name: model.params[name] - start[name] for name in start}
    plain = small_model()
    plain.fit(X, T, optimizer=optim.sgd(0.1), epochs=1, **QUIET)
    steps = {name: plain.params[name] - start[name] for name in start}
    assert np.allclose(moved["y.W"], steps["y.W"], rtol=1e-6)
    assert np.allclose(moved["h.W"], steps["h.W"] / 4, rtol=1e-5, atol=1e-7)
    assert np.allclose(np.abs(moved["h.b"]), 0.01, rtol=1e-5)
    assert np.array_equal(moved["y.b"], [0.0, 0.0])
    assert not any(name.endswith("/y.b") for name in model.values.slots)


def test_a_group_reads_the_rate_of_a_run():
    """A group multiplies the rate, so what drives the rate drives all groups."""
    model = linear_model(a=np.ones(2), b=np.ones(2))
    module = model.module(optim.groups(optim.sgd(0.1), {"b": {"lr": 0.4}}))
    params, _, slots = module.init(0)
    after, _ = module.update(params, slots, {"a": np.ones(2), "b": np.ones(2)}, lr=0.01)
    assert np.allclose(1 - after["a"], 0.01)
    assert np.allclose(1 - after["b"], 0.04)


def test_groups_may_cover_everything():
    """Nothing is left for the optimizer of the rest, nor for its clipping."""
    rest = optim.chain(optim.clip_by_global_norm(1.0), optim.adam(0.1))
    model = small_model()
    model.fit(X, T, optimizer=optim.groups(rest, {"h": optim.sgd(0.1), "y": optim.sgd(0.1)}), **QUIET)
    plain = small_model()
    plain.fit(X, T, optimizer=optim.sgd(0.1), **QUIET)
    assert all(np.array_equal(model.params[name], value) for name, value in plain.params.items())
    assert "clip_by_global_norm_n" not in model.source()
    model.draw(optimizer=model.optimizer)


def test_a_group_clips_by_its_own_norm():
    clipped = optim.chain(optim.clip_by_global_norm(1.0), optim.sgd(1.0))
    model = linear_model(a=np.zeros(2), b=np.zeros(2), c=np.zeros(2))
    module = model.module(optim.groups(optim.sgd(1.0), {"b": clipped}))
    params, _, slots = module.init(0)
    after, _ = module.update(params, slots, {k: np.array([3.0, 4.0]) for k in params}, lr=1.0)
    assert np.allclose(after["a"], [-3.0, -4.0])
    assert np.allclose(after["b"], [-0.6, -0.8])


def test_two_of_a_kind_have_slots_of_their_own():
    optimizer = optim.chain(optim.ema(0.9), optim.sgd(), optim.ema(0.5))
    assert optimizer.slot_names == ("ema.average", "ema_2.average")


def test_a_rule_is_the_optimizer_that_it_says():
    own = optim.rule(
        "own",
        slots={"m": 0.0, "v": 0.0},
        update="""
            m = beta1*m + (1 - beta1)*g
            v = beta2*v + (1 - beta2)*g**2
            theta = theta - lr*(m/(1 - beta1**t))/(sqrt(v/(1 - beta2**t)) + 1e-8)
        """,
        lr=0.001,
        beta1=0.9,
        beta2=0.999,
    )
    assert np.allclose(stepped(own), stepped(optim.adam()), rtol=1e-13)
    assert "def own(theta, g, m, v, t, lr):" in small_model().source(own)


def test_a_rule_may_share_numbers_and_read_the_whole_parameter():
    """A mean of the step counter that all share, and a gradient of length one."""
    own = optim.rule(
        "own", shared={"s": 1.0}, update="s = s*decay; theta = theta - lr*s*g/norm(g)", lr=0.5, decay=0.5
    )
    moved = np.diff([START, *stepped(own)[:3]], axis=0)
    assert np.allclose(np.linalg.norm(moved, axis=1), [0.25, 0.125, 0.0625], rtol=1e-12)


RULE = {"name": "own", "slots": {"v": 0.0}, "update": "v = beta*v + g; theta = theta - lr*v", "beta": 0.9}
BAD = {
    "an unknown name": ({"update": "v = gamma*v + g; theta = theta - lr*v"}, "unknown name, 'gamma'"),
    "a slot that nothing changes": ({"slots": {"v": 0.0, "w": 0.0}}, "no line of own changes its slot w"),
    "an unknown slot": ({"slots": {}}, "unknown name, 'v'"),
    "an unknown function": ({"update": "v = eval(g); theta = theta - lr*v"}, "no function 'eval'"),
    "text that is no equation": ({"update": "theta - lr*g"}, "gives a value to one name"),
    "a comparison": ({"update": "theta == g"}, "gives a value to one name"),
    "code": ({"update": "v = g; theta = __import__('os').system('ls')"}, "cannot contain"),
    "an attribute": ({"update": "v = g; theta = g.T"}, "cannot contain"),
    "nothing that changes": ({"slots": {}, "update": "u = g"}, "changes neither theta nor g"),
    "no equations": ({"slots": {}, "update": ""}, "changes neither theta nor g"),
    "a changed rate": ({"update": "v = g; lr = 2; theta = theta - lr*v"}, "changes lr"),
    "a name of the module": ({"name": "update"}, "calls something else"),
    "a name that is none": ({"name": "my rule"}, "small letters"),
    "a keyword": ({"name": "lambda"}, "small letters"),
    "a slot called t": ({"slots": {"t": 0.0}}, "a name that is taken"),
    "a slot that is no name": ({"slots": {"v w": 0.0}}, "a name that is taken"),
    "a slot and a setting of one name": ({"beta": 0.9, "slots": {"beta": 0.0}}, "a name that is taken"),
    "a slot from nan": ({"slots": {"v": float("nan")}}, "finite"),
    "a slot from text": ({"slots": {"v": "zeros"}}, "finite"),
    "slots without what they start from": ({"slots": ["v"]}, "are a dict: what each starts from"),
    "a rate of text": ({"lr": "fast"}, "a number, or a schedule"),
    "a setting of text": ({"beta": "0.9"}, "finite"),
    "a negative rate": ({"lr": -1.0}, "learning rate"),
    "a setting called theta": ({"theta": 0.9}, "taken"),
    "a shared number that reads a parameter": (
        {"slots": {}, "shared": {"s": 0.0}, "update": "s = s + mean(g); theta = theta - lr*s"},
        "unknown name, 'g'",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_rules_are_refused(what):
    change, said = BAD[what]
    with pytest.raises(gx.GraphcError) as caught:
        optim.rule(**{**RULE, **change})
    assert said in str(caught.value)


REFUSED = {
    "a limit of zero": lambda: optim.clip_by_value(0.0),
    "an order of three": lambda: optim.clip_by_global_norm(1.0, order=3),
    "half a step": lambda: optim.accumulate(2.5),
    "a seed below zero": lambda: optim.gradient_noise(seed=-1),
    "noise below zero": lambda: optim.gradient_noise(eta=-0.1),
    "no step": lambda: optim.accumulate(0),
    "a decay of one": lambda: optim.ema(1.0),
    "two rates": lambda: optim.chain(optim.sgd(), optim.adam()),
    "clipping behind the optimizer": lambda: optim.chain(optim.adam(), optim.clip_by_norm(1.0)),
    "weight decay behind the optimizer": lambda: optim.chain(optim.sgd(), optim.ema(), optim.weight_decay()),
    "text for the rate of adam": lambda: optim.adam(lr="fast"),
    "a schedule that was not called": lambda: optim.adam(optim.schedules.step),
    "a chain of text": lambda: optim.chain("adam"),
    "a group with a setting that is not there": lambda: optim.groups(optim.sgd(), {"h": {"beta": 0.5}}),
    "a group with a bad setting": lambda: optim.groups(optim.momentum(), {"h": {"beta": 1.5}}),
    "a group that is text": lambda: optim.groups(optim.sgd(), {"h": "adam"}),
    "groups of a transform": lambda: optim.groups(optim.ema(), {"h": None}),
    "a group that multiplies nothing": lambda: optim.groups(optim.sgd(0.0), {"h": {"lr": 0.1}}),
    "a pause in a group": lambda: optim.groups(
        optim.sgd(), {"h": optim.chain(optim.accumulate(2), optim.sgd())}
    ),
    "a pause in the rest": lambda: optim.groups(optim.chain(optim.accumulate(2), optim.sgd()), {"h": None}),
    "a group that is not there": lambda: small_model().source(optim.groups(optim.sgd(), {"z": {"lr": 0.1}})),
    "a frozen group that is not there": lambda: small_model().source(optim.groups(optim.sgd(), {"z": None})),
    "a transform alone": lambda: small_model().fit(X, T, optimizer=optim.ema(), **QUIET),
}


@pytest.mark.parametrize("what", REFUSED)
def test_bad_chains_are_refused(what):
    with pytest.raises(gx.GraphcError):
        REFUSED[what]()


def test_a_figure_shows_an_average_beside_its_parameter():
    """In the box of the parameter, not among what all share; the counter and the global norm are shared."""
    model = small_model()
    chained = optim.chain(optim.clip_by_global_norm(1.0), optim.adam(), optim.ema(0.9))
    figure = str(model.draw(level="graph", optimizer=chained).dot)
    shared = figure[figure.index('tooltip="updates"') :]
    assert "average ← 0.9 average + 0.1 W₁" in figure
    assert "average" not in shared
    assert "step ← step + 1" in shared


class StopAt(train.Callback):
    """Ctrl-C after a step."""

    def __init__(self, step):
        self.at = step

    def on_batch_end(self, run, loss):
        if run.step == self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("step", [1, 5, 6, 11])
def test_a_run_goes_on_from_its_checkpoint_to_the_last_bit(tmp_path, step):
    """Between two steps that count, with noise, averages, groups, and a rate that follows the step."""
    rate = optim.schedules.cosine(0.05, steps=6)
    noisy = optim.chain(
        optim.gradient_noise(1e-3, seed=2), optim.accumulate(2), optim.clip_by_global_norm(0.5)
    )
    inner = optim.groups(optim.nadam(rate), {"h": {"beta1": 0.5}, "y.b": None})
    options = {"optimizer": optim.chain(noisy, inner, optim.ema(0.9)), "batch_size": 2, "verbose": False}
    whole, first = small_model(), small_model()
    whole.fit(X, T, epochs=3, **options)
    path = tmp_path / "run.gx"
    first.fit(X, T, epochs=3, callbacks=[train.Checkpoint(path), StopAt(step)], **options)
    assert first.values.step == step
    second = small_model()
    second.fit(X, T, epochs=3, resume=path, **options)
    for kind in ("params", "slots"):
        ours, theirs = getattr(second.values, kind), getattr(whole.values, kind)
        assert ours.keys() == theirs.keys()
        assert all(np.array_equal(ours[key], theirs[key]) for key in ours)
    assert second.evaluate(X, T, averaged=True) == whole.evaluate(X, T, averaged=True)


@pytest.mark.parametrize("rate", [0.1, optim.schedules.exponential(0.1, 0.9)])
def test_a_float64_parameter_beside_a_float32_one_gets_the_exact_rate(rate):
    starts = {"a": np.ones(2, np.float32), "b": np.float64(3.0)}
    params = {n: gx.param(n, v.shape, init=v, dtype=v.dtype.name) for n, v in starts.items()}
    gradients = {n: gx.input(f"g_{n}", v.shape, v.dtype.name) for n, v in starts.items()}
    loss = gx.astype(gx.sum(params["a"] * gradients["a"]), "float64") + params["b"] * gradients["b"]
    chosen = optim.sgd(rate)
    program = gx.compile(loss, updates=chosen.updates(params, gradients))
    _, after = program(**starts, g_a=starts["a"], g_b=1 / 3, **chosen.starting_slots(starts))
    assert after["b"] == 3.0 - 0.1 * (1 / 3)
    assert after["a"].dtype == np.float32


ODD_RULES = {
    "no text": lambda: optim.rule("own", update=3),
    "no array": lambda: optim.rule("own", update="theta = lr"),
    "groups in a list": lambda: optim.groups(optim.adam(), ["head"]),
    "a choice in words": lambda: optim.adam(amsgrad="yes"),
}


@pytest.mark.parametrize("case", ODD_RULES)
def test_what_is_no_rule_no_group_and_no_choice_is_said(case):
    with pytest.raises(GraphcError):
        ODD_RULES[case]()


def test_a_line_may_replace_what_no_line_reads():
    sign = optim.rule("flat", update="theta = sum(g)")
    (after,) = stepped(sign, gradients=[np.ones(4)])
    assert np.array_equal(after, np.full(4, 4.0))


def test_slots_start_anew_where_their_equations_change_and_stay_where_only_numbers_do():
    model = small_model()
    model.fit(X, T, optimizer=optim.momentum(0.1), **QUIET)
    before = dict(model.values.slots)
    model.fit(X, T, optimizer=optim.momentum(0.2, beta=0.5), epochs=0, **QUIET)
    assert all(np.array_equal(before[k], v) for k, v in model.values.slots.items())
    model.fit(X, T, optimizer=optim.momentum(0.1, form="rate_inside"), epochs=0, **QUIET)
    assert all(not np.any(v) for v in model.values.slots.values())
