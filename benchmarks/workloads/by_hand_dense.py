"""W1 to W4 and W6 by hand: dense layers, features × batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import add, divide, dot, greater, greater_equal, maximum, multiply, sqrt, subtract

from benchmarks.workloads.by_hand_parts import (
    ACTIVATIONS,
    F4,
    Array,
    Step,
    adam,
    augmented,
    pieces,
    scalar,
    softmax,
    squares,
)
from benchmarks.workloads.problems import Problem


def perceptron(problem: Problem) -> Step:
    """Dense layers."""
    sizes, batch = problem.sizes, problem.x.shape[1]
    names = [key[:-2] for key in problem.params if key.endswith(".W")]
    start = [augmented(problem, name) for name in names]
    shapes = [w.shape for w in start]
    flat = np.concatenate([w.reshape(-1) for w in start])
    grads = np.zeros_like(flat)
    weights, d_weights = pieces(flat, shapes), pieces(grads, shapes)
    ones = np.ones((*problem.x.shape[:2], 1), F4)
    inputs = np.concatenate([problem.x, ones], axis=2)
    hidden = pieces(
        np.ones(sum((n + 1) * batch for n in sizes[1:-1]), F4), [(n + 1, batch) for n in sizes[1:-1]]
    )
    sgd = problem.optimizer == "sgd"
    head = squares if problem.t.dtype.kind == "f" else softmax
    error, loss_of = head(problem, batch, sizes[-1], problem.lr if sgd else 1.0)
    update = None if sgd else adam(flat, grads, problem.lr)
    forward, backward = [], []
    below: Array = None
    d_above = error
    for w, h in zip(weights, hidden, strict=False):
        activate, slope = ACTIVATIONS[problem.activation](h[:-1])
        forward.append((w, below, h[:-1], activate, slope))
        below = h
    for i in reversed(range(len(hidden))):
        d = np.empty_like(hidden[i][:-1])
        w = weights[i + 1][:, :-1].T
        backward.append((d_above, hidden[i].T, d_weights[i + 1], w, d, forward[i][4]))
        d_above = d
    (first, _, h0, activate0, _), *rest = forward
    last_w, last_h, d_first = weights[-1], below, d_weights[0]
    count, k = problem.batches, 0

    def step() -> Any:
        nonlocal k
        j = k % count
        k += 1
        x = inputs[j]
        dot(first, x.T, h0)
        activate0()
        for w, a, z, activate, _ in rest:
            dot(w, a, z)
            activate()
        dot(last_w, last_h, error)
        loss = loss_of(j)
        for d, a, d_w, w, d_a, slope in backward:
            dot(d, a, d_w)
            dot(w, d, d_a)
            slope(d_a)
        dot(d_above, x, d_first)
        if update is None:
            subtract(flat, grads, flat)
        else:
            update()
        return loss

    return step


def normalised(problem: Problem) -> Step:
    """Dense layers with batch normalisation, relu and dropout; a mask is one random byte a value."""
    batch, units = problem.x.shape[1], 512
    p = problem.params
    names = ["hidden1.W", "hidden2.W", "norm1.gamma", "norm1.beta", "norm2.gamma", "norm2.beta"]
    start = [p[n].T for n in names] + [augmented(problem, "output")]
    shapes = [v.shape for v in start]
    flat = np.concatenate([v.reshape(-1) for v in start])
    grads = np.zeros_like(flat)
    w1, w2, gamma1, beta1, gamma2, beta2, w3 = pieces(flat, shapes)
    d_w1, d_w2, d_gamma1, d_beta1, d_gamma2, d_beta2, d_w3 = pieces(grads, shapes)
    z1, z2 = np.empty((units, batch), F4), np.empty((units, batch), F4)
    h1, h2 = np.empty((units, batch), F4), np.ones((units + 1, batch), F4)
    d1, d2 = np.empty((units, batch), F4), np.empty((units, batch), F4)
    raw = np.random.SFC64(7).random_raw
    forward1, backward1 = _normalisation(z1, h1, d1, gamma1, beta1, d_gamma1, d_beta1, raw, problem.drop)
    forward2, backward2 = _normalisation(z2, h2[:-1], d2, gamma2, beta2, d_gamma2, d_beta2, raw, problem.drop)
    error, loss_of = softmax(problem, batch, 10, 1.0)
    update = adam(flat, grads, problem.lr)
    count, k = problem.batches, 0

    def step() -> Any:
        nonlocal k
        j = k % count
        k += 1
        x = problem.x[j]
        dot(w1, x.T, z1)
        forward1()
        dot(w2, h1, z2)
        forward2()
        dot(w3, h2, error)
        loss = loss_of(j)
        dot(error, h2.T, d_w3)
        dot(w3[:, :-1].T, error, d2)
        backward2()
        dot(d2, h1.T, d_w2)
        dot(w2.T, d2, d1)
        backward1()
        dot(d1, x, d_w1)
        update()
        return loss

    return step


STRIP = 128
"""Rows that are normalised at a time, so that they stay in cache."""


def _normalisation(
    z: Array,
    h: Array,
    d: Array,
    gamma: Array,
    beta: Array,
    d_gamma: Array,
    d_beta: Array,
    raw: Any,
    drop: float,
) -> tuple[Step, Step]:
    """h = dropout(relu(γ x̂ + β)), with x̂ where z stood; and backward, in place of d."""
    units, batch = z.shape
    means, variances, overs = np.empty(units, F4), np.empty(units, F4), np.empty(units, F4)
    running_mean, running_var = np.zeros(units, F4), np.ones(units, F4)
    scratch, zeros, mask = (
        np.empty((STRIP, batch), F4),
        np.zeros((STRIP, batch), F4),
        np.empty((STRIP, batch), bool),
    )
    average, ones = np.full(batch, 1 / batch, F4), np.ones(batch, F4)
    eps, one, zero, share = scalar(1e-5), scalar(1), scalar(0), scalar(1 / batch)
    threshold, keep = np.uint8(round(256 * drop)), scalar(1 / (1 - drop))
    unbiased, new, old = scalar(0.1 * batch / (batch - 1)), scalar(0.1), scalar(0.9)
    columns = [slice(i, i + STRIP) for i in range(0, units, STRIP)]
    ahead = [
        (
            *(z[s], h[s], means[s], means[s, None], variances[s]),
            *(overs[s], overs[s, None], gamma[s, None], beta[s, None]),
        )
        for s in columns
    ]
    back = [
        (d[s], h[s], z[s], d_gamma[s], d_gamma[s, None], d_beta[s], d_beta[s, None], gamma[s], overs[s])
        for s in columns
    ]
    factor, a, b = np.empty(STRIP, F4), np.empty((STRIP, 1), F4), np.empty((STRIP, 1), F4)
    wide = factor[:, None]

    def forward() -> None:
        for z, h, mean, mean_column, var, over, over_column, gamma, beta in ahead:
            dot(z, average, mean)
            subtract(z, mean_column, z)
            multiply(z, z, scratch)
            dot(scratch, average, var)
            add(var, eps, over)
            sqrt(over, over)
            divide(one, over, over)
            multiply(z, over_column, z)
            multiply(z, gamma, h)
            add(h, beta, h)
            maximum(h, zeros, out=h)
            if drop:
                greater_equal(raw(h.size // 8).view(np.uint8).reshape(h.shape), threshold, mask)
                multiply(h, mask, h)
                multiply(h, keep, h)
        _carry(running_mean, old, means, new)
        _carry(running_var, old, variances, unbiased)

    def backward() -> None:
        for d, h, x_hat, d_gamma, d_gamma_column, d_beta, d_beta_column, gamma, over in back:
            greater(h, zero, mask)
            multiply(d, mask, d)
            if drop:
                multiply(d, keep, d)
            multiply(d, x_hat, scratch)
            dot(scratch, ones, d_gamma)
            dot(d, ones, d_beta)
            multiply(gamma, over, factor)
            multiply(d_gamma_column, share, a)
            multiply(x_hat, a, scratch)
            subtract(d, scratch, d)
            multiply(d_beta_column, share, b)
            subtract(d, b, d)
            multiply(d, wide, d)

    return forward, backward


def _carry(running: Array, old: Array, value: Array, new: Array) -> None:
    multiply(running, old, running)
    add(running, value * new, running)
