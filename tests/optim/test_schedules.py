"""Schedules: equations of the step. Curves of other libraries are held to in tests/external."""

from __future__ import annotations

import json
import math
import sys

import numpy as np
import pytest

import graphc as gx
from graphc import optim
from graphc.errors import ArgumentError
from graphc.optim import SCHEDULES, Schedule, schedule, schedules
from graphc.optim.stored import as_data, from_data

MADE = {
    "constant": schedules.constant(0.1),
    "step": schedules.step(0.1, every=3),
    "multi_step": schedules.multi_step(0.1, at=[2, 5], factor=0.5),
    "exponential": schedules.exponential(0.1, 0.9, steps=2, staircase=True),
    "polynomial": schedules.polynomial(0.1, 0.01, steps=10, power=2),
    "linear": schedules.linear(0.1, 0.0, steps=10),
    "inverse_time": schedules.inverse_time(0.1, decay=0.5, steps=2),
    "inverse_scaling": schedules.inverse_scaling(0.1, power=0.3, scale=4),
    "cosine": schedules.cosine(0.1, steps=7, end=0.01, after="climb"),
    "cosine_restarts": schedules.cosine_restarts(0.1, steps=3, growth=2),
    "one_cycle": schedules.one_cycle(0.1, steps=12, three_phase=True),
    "one_cycle_momentum": schedules.one_cycle_momentum(steps=12, shape="linear"),
    "cyclic": schedules.cyclic(0.1, 0.3, up=2, down=3, shape="exp_range", factor=0.9),
    "piecewise": schedules.piecewise([2, 4], [0.3, 0.2, 0.1]),
    "interpolated": schedules.interpolated([2, 4, 8], [0.3, 0.2, 0.6]),
    "warmup": schedules.warmup(schedules.cosine(0.1, steps=9), steps=3),
    "sequential": schedules.sequential([0.1, schedules.linear(0.1, 0.3, steps=3)], at=[4]),
    "product": 0.5 * schedules.step(0.1, every=3) * schedules.linear(1.0, 0.0, steps=9),
    "in_epochs": schedules.exponential(0.1, 0.5).in_epochs(3, smooth=True),
    "formula": schedule("start / sqrt(1 + t)", start=0.1),
    "function": schedule(lambda t, start: start * gx.exp(-t / 10), start=0.1),
}


def test_every_schedule_is_here():
    assert set(SCHEDULES) <= set(MADE)


@pytest.mark.parametrize("name", MADE)
def test_the_value_is_that_of_the_compiled_equation(name):
    """On the host and in a generated program, with the coefficients as arguments, a schedule is the same."""
    made = MADE[name]
    program = gx.compile(made.graph())
    for t in range(25):
        [value] = program(float(t), *made.coefficients.values())
        assert value.dtype == np.float64
        assert float(value) == pytest.approx(made(t), rel=1e-14, abs=1e-300)
    assert np.array_equal(made(np.arange(25)), [made(t) for t in range(25)])


@pytest.mark.parametrize("name", MADE)
def test_a_schedule_is_made_again_from_plain_data(name):
    made = MADE[name]
    again = from_data(json.loads(json.dumps(as_data(made))))
    assert np.array_equal(again(np.arange(25)), made(np.arange(25)))
    assert again == made


@pytest.mark.parametrize("name", MADE)
def test_a_schedule_has_latex_of_balanced_braces(name):
    text = MADE[name].latex()
    assert text.count("{") == text.count("}")
    assert "where" not in text
    assert "greater" not in text


def test_the_equation_is_of_the_step_that_is_given():
    t = gx.input("count", (), "int64")
    node = MADE["exponential"].equation(t - 1)
    assert node.dtype == "float64"
    assert float(gx.compile(node)(5)) == MADE["exponential"](4)


def test_the_key_is_the_equation_without_its_numbers():
    assert schedules.cosine(0.1, 9).key == schedules.cosine(0.7, 200).key
    assert schedules.cosine(0.1, 9).key != schedules.cosine(0.1, 9, after="climb").key
    assert schedules.piecewise([1], [0.1, 0.2]).key != schedules.piecewise([1, 2], [0.1, 0.2, 0.3]).key
    assert schedules.cosine(0.1, 9) != schedules.cosine(0.7, 9)


def test_restarts_are_at_the_restarts():
    """A logarithm that comes out just below a whole number would put the end of a wave where the next begins."""
    for growth in (2, 3, 1.5, 10):
        made = schedules.cosine_restarts(1.0, steps=10, growth=growth)
        start, wave = 0.0, 10.0
        for _ in range(12):
            assert made(start) == pytest.approx(1.0, abs=1e-6), (growth, start)
            start, wave = start + wave, wave * growth
            if float(start).is_integer() and start < 1e6:
                assert made(start - 1) < 0.1, (growth, start)


def test_epochs_are_steps_times_their_number():
    by_step, by_epoch = schedules.step(0.1, every=20), schedules.step(0.1, every=4).in_epochs(5)
    assert np.array_equal(by_step(np.arange(90)), by_epoch(np.arange(90)))
    smooth = schedules.linear(0.0, 1.0, steps=2).in_epochs(5, smooth=True)
    assert smooth(5) == 0.5
    assert smooth(1) == pytest.approx(0.1)


def test_parts_that_are_not_chosen_do_not_overflow():
    grown = schedules.sequential([schedules.exponential(1e-7, 10.0), 0.1], at=[6])
    assert grown(10_000) == 0.1
    with np.errstate(all="raise"):
        gx.compile(grown.graph())(10_000.0, *grown.coefficients.values())


def test_a_number_is_a_schedule_that_stays():
    assert schedule(0.25)(99) == 0.25
    assert schedule(MADE["step"]) is MADE["step"]


def test_a_schedule_reads_like_its_declaration():
    assert repr(schedules.cosine(0.1, steps=9)) == "cosine(start=0.1, steps=9, end=0.0, after='hold')"
    assert MADE["constant"].latex() == r"\mathrm{value}"
    rows = r"\mathrm{value}_{2} & t \geq \mathrm{at}_{1} \\ \mathrm{value}_{1} & \text{otherwise}"
    assert schedules.piecewise([3], [0.2, 0.1]).latex() == rf"\begin{{cases}} {rows} \end{{cases}}"


def test_a_plot_shows_the_values():
    axes = MADE["step"].plot(steps=10)
    [line] = axes.get_lines()
    assert np.array_equal(line.get_ydata(), MADE["step"](np.arange(10)))
    assert axes.get_xlabel() == "step"
    assert MADE["linear"].plot(5, ax=axes) is axes
    assert len(axes.get_lines()) == 2


def test_without_matplotlib_a_plot_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(gx.GraphcError, match="plots need matplotlib"):
        MADE["step"].plot()


BAD = {
    "a negative length": (lambda: schedules.cosine(0.1, steps=-5), "steps is a number of steps above 0"),
    "no length": (lambda: schedules.step(0.1, every=0), "every is a number of steps above 0"),
    "a negative rate": (lambda: schedules.exponential(-0.1, 0.9), "start is at least 0"),
    "a rate that is nan": (lambda: schedules.linear(math.nan, 0, 3), "start is a finite number"),
    "a rate that is text": (lambda: schedules.linear("0.1", 0, 3), "start is a finite number"),
    "a rate that is a bool": (lambda: schedules.constant(True), "value is a finite number"),
    "a factor of 0": (lambda: schedules.step(0.1, 3, factor=0), "factor is a number above 0"),
    "a growth below 1": (lambda: schedules.cosine_restarts(0.1, 3, growth=0.5), "growth is at least 1"),
    "steps that fall": (lambda: schedules.multi_step(0.1, at=[5, 2]), "at are steps in rising order"),
    "no steps": (lambda: schedules.multi_step(0.1, at=[]), "at are steps in rising order"),
    "a value too few": (lambda: schedules.piecewise([1, 2], [0.1, 0.2]), "one value more"),
    "a value too many": (lambda: schedules.interpolated([1], [0.1, 0.2]), "one value for each step"),
    "a part too many": (lambda: schedules.sequential([0.1, 0.2, 0.3], at=[4]), "one step less"),
    "no part": (lambda: schedules.product([]), "at least one schedule"),
    "an unknown shape": (lambda: schedules.cyclic(0.1, 0.2, 3, shape="square"), "shape is unknown"),
    "an unknown after": (lambda: schedules.cosine(0.1, 3, after="stop"), "after is unknown"),
    "a cycle without a way up": (lambda: schedules.one_cycle(0.1, steps=3), "each phase"),
    "a cycle without a way down": (lambda: schedules.one_cycle(0.1, steps=30, warmup=1.0), "each phase"),
    "a momentum of 1": (lambda: schedules.one_cycle_momentum(30, high=1.0), "high is at least 0 and less"),
    "a flag that is none": (lambda: schedules.exponential(0.1, 0.9, staircase=2), "True or False"),
    "epochs of no step": (lambda: schedules.step(0.1, 3).in_epochs(0), "steps_per_epoch is a number"),
    "a step below 0": (lambda: schedules.step(0.1, 3)(-1), "steps count from 0"),
    "a formula of an unknown name": (lambda: schedule("start / t0", start=1.0), "unknown name"),
    "a formula that is none": (lambda: schedule("__import__('os')"), "cannot contain|no function"),
    "an unused coefficient": (lambda: schedule("0.1 / (1 + t)", start=1.0), "does not use start"),
    "a coefficient called t": (lambda: schedule("t", t=1.0), "cannot be the name"),
    "a function of another shape": (lambda: schedule(lambda t: gx.sum(t)), "one number at each step"),
    "one step in place of a list": (lambda: schedules.multi_step(0.1, at=5), "at is a list"),
    "one value in place of a list": (lambda: schedules.piecewise([1], 0.5), "values is a list"),
    "one part in place of a list": (lambda: schedules.product(schedules.constant(1)), "parts is a list"),
    "a list in a list": (lambda: schedules.multi_step(0.1, at=[1, [2, 3]]), "at is a finite number"),
    "one step of two parts": (lambda: schedules.sequential([0.1, 0.2], at=3), "at is a list"),
    "something else": (lambda: schedule(None), "finite number"),
    "a plot of no step": (lambda: schedules.step(0.1, 3).plot(steps=0), "number of steps"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_settings_are_refused(what):
    make, message = BAD[what]
    with pytest.raises(gx.GraphcError, match=message):
        make()


def test_a_schedule_times_something_else_is_no_schedule():
    with pytest.raises(TypeError):
        schedules.step(0.1, 3) * "2"
    with pytest.raises(TypeError):
        "2" * schedules.step(0.1, 3)


def test_names_are_public():
    assert isinstance(optim.schedules.step(0.1, 3), Schedule)


@pytest.mark.parametrize("step", ["a", None, [[1], [1, 2]]])
def test_a_step_is_a_number(step):
    with pytest.raises(ArgumentError, match=r"a step is a number|count from 0"):
        schedules.step(0.1, 10)(step)
