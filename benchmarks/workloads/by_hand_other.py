"""W5, W7, W8 and W9 by hand."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy import (
    add,
    copyto,
    divide,
    dot,
    exp,
    greater,
    log,
    maximum,
    multiply,
    negative,
    square,
    subtract,
    tanh,
)

from benchmarks.workloads.by_hand_parts import BLOCK, F4, Array, Step, augmented, pieces, scalar, softmax
from benchmarks.workloads.problems import FEATURES, HIDDEN, TIME, Problem


def elementwise(problem: Problem) -> Step:
    """W5 in blocks that stay in cache: with σ by tanh, u < 1.5, so softplus needs no protection."""
    x = problem.x[0]
    gradient = np.empty_like(x)
    a, b, c, e, u = (np.empty(BLOCK, F4) for _ in range(5))
    half, one, ones = scalar(0.5), scalar(1), np.ones(BLOCK, F4)
    blocks = [(x[i : i + BLOCK], gradient[i : i + BLOCK]) for i in range(0, x.size, BLOCK)]

    def step() -> Any:
        total = 0.0
        for x, g in blocks:
            multiply(x, half, a)
            tanh(a, a)
            multiply(a, half, a)
            add(a, half, a)  # s = σ(x)
            tanh(x, b)  # t = tanh(x)
            square(x, c)
            negative(c, e)
            exp(e, e)
            multiply(c, e, c)  # q = x² exp(-x²)
            multiply(a, b, u)
            add(u, c, u)
            exp(u, u)
            subtract(e, c, e)
            multiply(e, x, e)
            add(e, e, e)  # q' = 2x (exp(-x²) - q)
            add(a, b, c)
            subtract(one, c, c)
            multiply(c, b, c)
            add(c, one, c)
            multiply(c, a, c)  # (s t)' = s (1 + t (1 - s - t))
            add(c, e, c)
            multiply(c, u, c)
            add(u, one, u)
            divide(c, u, g)
            log(u, u)
            total += float(dot(u, ones))
        return total, gradient

    return step


def cross_entropy(problem: Problem) -> Step:
    """W7, a few rows at a time."""
    z, t = problem.x[0], problem.t[0]
    rows, classes = z.shape
    gradient, strip = np.empty_like(z), 64
    sums, inverse, ones = np.empty(rows, F4), np.empty(rows, F4), np.ones(classes, F4)
    places = np.arange(rows) * classes + t
    blocks = [
        (z[s], gradient[s], sums[s], inverse[s], inverse[s, None])
        for s in (slice(i, i + strip) for i in range(0, rows, strip))
    ]
    flat_z, flat_gradient, share = z.reshape(-1), gradient.reshape(-1), scalar(1 / rows)

    def step() -> Any:
        for z, g, total, over, column in blocks:
            exp(z, g)
            dot(g, ones, total)
            divide(share, total, over)
            multiply(g, column, g)
        loss = (float(log(sums).sum()) - float(flat_z.take(places).sum())) / rows
        if not -1e30 < loss < 1e30:
            raise FloatingPointError("a step that needs the maximum taken off")
        flat_gradient[places] -= share
        return loss, gradient

    return step


def lstm(problem: Problem) -> Step:
    """W8, batch × features: gates in the order o, i, f, g, so that what passes σ is one block, and [h|x|1] is one row.

    σ(z) = (1 + tanh(z/2))/2; the halves go into the weights. The factors of the backward pass are made for all times at
    once, and the gradient of the weights is one product.
    """
    batch, wide = problem.x.shape[2], HIDDEN + FEATURES + 1
    order = np.concatenate([np.arange(3 * HIDDEN, 4 * HIDDEN), np.arange(3 * HIDDEN)])
    p = problem.params
    cell = np.concatenate([p["lstm.Wh"], p["lstm.Wx"], p["lstm.b"][None]])[:, order]
    start = [cell, augmented(problem, "output")]
    flat = np.concatenate([v.reshape(-1) for v in start])
    grads = np.zeros_like(flat)
    (w, w_out), (d_w, d_out) = (pieces(v, [s.shape for s in start]) for v in (flat, grads))
    halves = np.ones((wide, 4 * HIDDEN), F4)
    halves[:, : 3 * HIDDEN] = 0.5
    halved, back = np.empty_like(w), np.empty((4 * HIDDEN, HIDDEN), F4)
    rows = np.zeros((TIME + 1, batch, wide), F4)
    rows[:, :, -1] = 1
    inputs = rows[:TIME, :, HIDDEN:-1]
    z, factors, d_z = (np.empty((TIME, batch, 4 * HIDDEN), F4) for _ in range(3))
    c, tanh_c, from_h = (
        np.zeros((TIME + 1, batch, HIDDEN), F4),
        *(np.empty((TIME, batch, HIDDEN), F4) for _ in "ab"),
    )
    sigmoids, slopes = z[:, :, : 3 * HIDDEN], np.empty((TIME, batch, 3 * HIDDEN), F4)
    o, i, f, g = _gates(z)
    of_o, of_i, of_f, of_g = _gates(factors)
    product_, dh, dc = (np.empty((batch, HIDDEN), F4) for _ in range(3))
    last = np.ones((HIDDEN + 1, batch), F4)
    error, loss_of = softmax(problem, batch, 10, problem.lr)
    d_error = error.T
    half, one = scalar(0.5), scalar(1)
    ahead = [
        (
            rows[t],
            z[t],
            sigmoids[t],
            o[t],
            i[t],
            f[t],
            g[t],
            c[t],
            c[t + 1],
            tanh_c[t],
            rows[t + 1, :, :HIDDEN],
        )
        for t in range(TIME)
    ]
    behind = [
        (from_h[t], _three(factors[t]), of_o[t], d_z[t], _three(d_z[t]), d_z[t, :, :HIDDEN], f[t])
        for t in reversed(range(TIME))
    ]
    dc_three = dc[:, None]
    rows_flat, d_flat = rows[:TIME].reshape(-1, wide).T, d_z.reshape(-1, 4 * HIDDEN)
    w_h, w_top, count, k = w[:HIDDEN].T, w_out[:, :-1], problem.batches, 0

    def step() -> Any:
        nonlocal k
        j = k % count
        k += 1
        copyto(inputs, problem.x[j])
        multiply(w, halves, halved)
        copyto(back, w_h)
        for row, z, sigmoid, o, i, f, g, c, c_next, tanh_c, h in ahead:
            dot(row, halved, z)
            tanh(z, z)
            multiply(sigmoid, half, sigmoid)
            add(sigmoid, half, sigmoid)
            multiply(f, c, c_next)
            multiply(i, g, product_)
            add(c_next, product_, c_next)
            tanh(c_next, tanh_c)
            multiply(o, tanh_c, h)
        copyto(last[:-1], h.T)
        dot(w_out, last, error)
        loss = loss_of(j)
        dot(error, last.T, d_out)
        dot(d_error, w_top, dh)
        gate_factors()
        dc.fill(0)
        for h_to_c, three, of_o, d_z, d_three, d_o, f in behind:
            multiply(dh, h_to_c, product_)
            add(dc, product_, dc)
            multiply(dc_three, three, d_three)
            multiply(dh, of_o, d_o)
            multiply(dc, f, dc)
            dot(d_z, back, dh)
        dot(rows_flat, d_flat, d_w)
        subtract(flat, grads, flat)
        return loss

    def gate_factors() -> None:
        square(tanh_c, from_h)
        subtract(one, from_h, from_h)
        multiply(from_h, o, from_h)  # dc/dh = o (1 - tanh²c)
        subtract(one, sigmoids, slopes)
        multiply(slopes, sigmoids, slopes)
        multiply(slopes[:, :, :HIDDEN], tanh_c, of_o)
        multiply(slopes[:, :, HIDDEN : 2 * HIDDEN], g, of_i)
        multiply(slopes[:, :, 2 * HIDDEN :], c[:-1], of_f)
        square(g, of_g)
        subtract(one, of_g, of_g)
        multiply(of_g, i, of_g)

    return step


def _gates(z: Array) -> list[Array]:
    return [z[:, :, k * HIDDEN : (k + 1) * HIDDEN] for k in range(4)]


def _three(z: Array) -> Array:
    """The gates i, f, g of one time as an axis: what c passes through."""
    return z.reshape(len(z), 4, HIDDEN)[:, 1:]


PLACES = list(product(range(3), range(3)))
"""Where a kernel of 3 × 3 stands."""


def convolutional(problem: Problem) -> Step:
    """W9, channels × height × width × batch: windows and pools are long runs of memory.

    The maximum of a pool commutes with adding the bias and with relu, so these come behind it, on a quarter of the
    values; of the second convolution the last row and column, which no pool reads, are left out.
    """
    batch, p = problem.x.shape[1], problem.params
    start = [
        p["conv1.W"].reshape(9, 16).T,
        p["conv1.b"],
        p["conv2.W"].reshape(144, 32).T,
        p["conv2.b"],
        augmented(problem, "output"),
    ]
    shapes = [v.shape for v in start]
    flat = np.concatenate([v.reshape(-1) for v in start])
    grads = np.zeros_like(flat)
    w1, b1, w2, b2, w3 = pieces(flat, shapes)
    d_w1, d_b1, d_w2, d_b2, d_w3 = pieces(grads, shapes)
    x = np.empty((28, 28, batch), F4)
    first = _Stage(x[None], 26, w1, b1, d_w1, d_b1)
    second = _Stage(first.out, 10, w2, b2, d_w2, d_b2)
    top = np.ones((801, batch), F4)
    d_top = np.empty((800, batch), F4)
    error, loss_of = softmax(problem, batch, 10, problem.lr)
    images, pixels = problem.x.reshape(problem.batches, batch, 784), x.reshape(784, batch)
    features, d_features = second.out.reshape(800, batch), d_top.reshape(second.out.shape)
    d_first = np.empty_like(first.out)
    count, k = problem.batches, 0

    def step() -> Any:
        nonlocal k
        j = k % count
        k += 1
        copyto(pixels, images[j].T)
        first.forward()
        second.forward()
        copyto(top[:-1], features)
        dot(w3, top, error)
        loss = loss_of(j)
        dot(error, top.T, d_w3)
        dot(w3[:, :-1].T, error, d_top)
        second.backward(d_features, d_first)
        first.backward(d_first, None)
        subtract(flat, grads, flat)
        return loss

    return step


class _Stage:
    """A convolution of 3 × 3, a pool of 2 × 2, the bias and relu."""

    def __init__(self, x: Array, size: int, w: Array, b: Array, d_w: Array, d_b: Array) -> None:
        inputs, batch, outputs, half = x.shape[0], x.shape[-1], len(w), size // 2
        self.w, self.d_w, self.d_b, self.bias = w, d_w, d_b, b[:, None, None, None]
        self.windows = np.empty((9, inputs, size, size, batch), F4)
        self.columns = self.windows.reshape(9 * inputs, -1)
        self.reads = [
            (window, x[:, i : i + size, j : j + size])
            for window, (i, j) in zip(self.windows, PLACES, strict=True)
        ]
        self.z = np.empty((outputs, size * size * batch), F4)
        pairs = self.z.reshape(outputs, half, 2, size, batch)
        self.upper, self.lower = pairs[:, :, 0], pairs[:, :, 1]
        self.rows = np.empty((outputs, half, size, batch), F4)
        self.left, self.right = self.rows[:, :, 0::2], self.rows[:, :, 1::2]
        self.out = np.empty((outputs, half, half, batch), F4)
        self.zeros, self.zero = np.zeros_like(self.out), scalar(0)
        self.is_lower, self.is_right = np.empty(self.rows.shape, bool), np.empty(self.out.shape, bool)
        self.positive, self.ones = np.empty(self.out.shape, bool), np.ones(self.out[0].size, F4)
        self.d_columns = np.empty_like(self.columns)
        self.size = size

    def forward(self) -> None:
        for window, part in self.reads:
            copyto(window, part)
        dot(self.w, self.columns, self.z)
        greater(self.lower, self.upper, self.is_lower)
        maximum(self.upper, self.lower, out=self.rows)
        greater(self.right, self.left, self.is_right)
        maximum(self.left, self.right, out=self.out)
        add(self.out, self.bias, self.out)
        maximum(self.out, self.zeros, out=self.out)

    def backward(self, d: Array, d_x: Array | None) -> None:
        """From the gradient of the output, which is overwritten, to those of weights, bias and input."""
        greater(self.out, self.zero, self.positive)
        multiply(d, self.positive, d)
        dot(d.reshape(len(d), -1), self.ones, self.d_b)
        multiply(d, self.is_right, self.right)
        subtract(d, self.right, self.left)
        multiply(self.rows, self.is_lower, self.lower)
        subtract(self.rows, self.lower, self.upper)
        dot(self.z, self.columns.T, self.d_w)
        if d_x is not None:
            dot(self.w.T, self.z, self.d_columns)
            d_x.fill(0)
            size = self.size
            for (i, j), part in zip(PLACES, self.d_columns.reshape(self.windows.shape), strict=True):
                into = d_x[:, i : i + size, j : j + size]
                add(into, part, into)
