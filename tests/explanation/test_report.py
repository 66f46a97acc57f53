"""The report of a program: passes, rules, costs, memory."""

from __future__ import annotations

import json

import numpy as np
import pytest

import graphc as gx
from graphc import nn
from graphc.errors import ArgumentError
from graphc.rewrite.pipeline import SIMPLIFY, TO_CODE
from graphc.runtime.memory import measured_peak


@pytest.fixture(scope="module")
def program():
    x, t = gx.input("x", ("batch", 64)), gx.input("t", ("batch",), dtype="int64")
    h = nn.dense(x, 32, activation="relu", name="hidden")
    loss = nn.cross_entropy(nn.dense(h, 10, name="output"), t)
    return gx.compile([loss, *gx.grad(loss, list(gx.graph_of(loss).leaves("param")))], name="step")


def test_every_pass_is_there_with_its_time(program):
    assert [p.name for p in program.report.passes] == [step.__name__ for step in (*SIMPLIFY, *TO_CODE)]
    assert all(p.seconds > 0 for p in program.report.passes)
    assert sum(p.events for p in program.report.passes) == len(program.trace.events)


def test_rules_that_fired_are_counted(program):
    assert program.report.rules == program.trace.fired()
    assert program.report.rules["probability-minus-target"] == 1


def test_products_dominate_the_operations(program):
    products = sum(2 * 128 * m * n for m, n in ((64, 32), (64, 32), (32, 10), (32, 10), (32, 10)))
    found = program.report.at(batch=128)
    assert products < found.flops < 1.2 * products
    assert found.flops == sum(c.flops for c in found.costs)
    assert program.report.size_names == ["batch"]


@pytest.mark.parametrize("batch", [64, 1024])
def test_memory_is_predicted_and_measured(program, batch):
    found = program.report.at(batch=batch)
    assert 0.85 * found.measured <= found.predicted <= 1.15 * found.measured


def test_a_program_that_draws_is_measured_too():
    x = gx.input("x", (100,))
    found = gx.compile(nn.dropout(x, 0.5), mode="train").report.at()
    assert found.measured >= 400


def test_sizes_are_all_given_or_the_report_says_which(program):
    with pytest.raises(ArgumentError, match="batch"):
        program.report.at()
    with pytest.raises(ArgumentError, match="all sizes"):
        program.report.at(batch=1, rows=2)


def test_a_report_reads_as_text_and_as_data(program):
    text = str(program.report)
    assert text.startswith("step: ")
    assert "layout fresh" in text
    assert "report.at(batch=...)" in text
    found = json.loads(json.dumps(program.report.at(batch=8).to_dict()))
    assert found["flops"] == program.report.at(batch=8).flops
    assert found["memory"]["measured"] > 0
    assert json.loads(json.dumps(program.report.to_dict()))["flops"] == str(program.report.flops)


def test_only_a_program_has_a_report():
    with pytest.raises(ArgumentError, match=r"model\.report"):
        gx.report(gx.input("x", ()))


def test_memory_that_dies_is_measured_at_its_worst():
    def call():
        a = np.ones(100_000)
        b = a + 1
        del a
        return b

    assert 1_600_000 <= measured_peak(call) < 1_700_000
