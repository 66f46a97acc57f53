"""Parts of the steps as a person writes them in NumPy who counts every call: what generated code can be held against.

Values stand features × batch: the weights of a layer are one matrix ``[Wᵀ|b]``, activations have a last row of ones, so
the bias and its gradient are part of the products. Parameters are views of one vector, gradients views of another. For
SGD the rate is part of the seed of the backward pass. Everything is written into arrays that are made once. Softmax is
computed without its maximum, and a step whose sum overflows raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import add, divide, dot, exp, greater, log, maximum, multiply, sqrt, square, subtract, tanh, vdot

from benchmarks.workloads.problems import Problem

Array = Any
Step = Callable[[], Any]

F4 = np.float32
BLOCK = 1 << 16


def scalar(value: float) -> Array:
    """A number as a 0-d array, the cheapest operand of a ufunc."""
    return np.array(value, F4)


def pieces(vector: Array, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    """Views of a vector, one after the other."""
    views, at = [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        views.append(vector[at : at + size].reshape(shape))
        at += size
    return views


def one_hot(t: Array, classes: int = 10) -> Array:
    """float32[batches, classes, batch]."""
    return np.ascontiguousarray((t[..., None] == np.arange(classes)).astype(F4).swapaxes(1, 2))


def augmented(problem: Problem, name: str) -> Array:
    """``[Wᵀ|b]``."""
    return np.concatenate([problem.params[f"{name}.W"].T, problem.params[f"{name}.b"][:, None]], axis=1)


def adam(flat: Array, grads: Array, lr: float, b1: float = 0.9, b2: float = 0.999) -> Callable[[], None]:
    """m is kept divided by 1 - β₁ and v by 1 - β₂; ε and the rate are scaled to match."""
    m, v, w = np.zeros_like(flat), np.zeros_like(flat), np.empty_like(flat)
    blocks = [slice(i, i + BLOCK) for i in range(0, flat.size, BLOCK)]
    views = [(flat[s], grads[s], m[s], v[s], w[s]) for s in blocks]
    beta1, beta2, eps, rate = scalar(b1), scalar(b2), scalar(0), scalar(0)
    k = 0

    def update() -> None:
        nonlocal k
        k += 1
        root = ((1 - b2**k) / (1 - b2)) ** 0.5
        eps[()] = 1e-8 * root
        rate[()] = lr * root * (1 - b1) / (1 - b1**k)
        for p, g, m, v, w in views:
            multiply(m, beta1, m)
            add(m, g, m)
            square(g, w)
            multiply(v, beta2, v)
            add(v, w, v)
            sqrt(v, w)
            add(w, eps, w)
            divide(m, w, w)
            multiply(w, rate, w)
            subtract(p, w, p)

    return update


def _tanh(h: Array) -> tuple[Step, Callable[[Array], Any]]:
    one, s = scalar(1), np.empty_like(h)

    def slope(d: Array) -> None:
        square(h, s)
        subtract(one, s, s)
        multiply(d, s, d)

    return lambda: tanh(h, h), slope


def _relu(h: Array) -> tuple[Step, Callable[[Array], Any]]:
    zero, zeros, mask = scalar(0), np.zeros_like(h), np.empty(h.shape, bool)

    def slope(d: Array) -> None:
        greater(h, zero, mask)
        multiply(d, mask, d)

    return lambda: maximum(h, zeros, out=h), slope


def _gelu(h: Array) -> tuple[Step, Callable[[Array], Any]]:
    """With t = tanh(c x + c' x³): h = x/2 (1 + t), and h' = (1 + t)/2 + x/2 (1 - t²)(c + 3 c' x²), made on the way."""
    c = (2 / np.pi) ** 0.5
    half, one, c1, c3, c33 = (scalar(v) for v in (0.5, 1, c, 0.044715 * c, 3 * 0.044715 * c))
    whole, kept = h.reshape(-1), np.empty(h.size, F4)
    a, b = np.empty(min(BLOCK, h.size), F4), np.empty(min(BLOCK, h.size), F4)
    blocks = [
        (z, s, a[: z.size], b[: z.size])
        for z, s in ((whole[i : i + BLOCK], kept[i : i + BLOCK]) for i in range(0, h.size, BLOCK))
    ]
    slopes = kept.reshape(h.shape)

    def activate() -> None:
        for z, s, a, b in blocks:
            square(z, a)
            multiply(a, c3, b)
            add(b, c1, b)
            multiply(b, z, b)
            tanh(b, b)
            multiply(a, c33, a)
            add(a, c1, a)
            multiply(z, half, z)
            square(b, s)
            subtract(one, s, s)
            multiply(s, a, s)
            multiply(s, z, s)
            add(b, one, b)
            multiply(z, b, z)
            multiply(b, half, b)
            add(s, b, s)

    return activate, lambda d: multiply(d, slopes, d)


ACTIVATIONS: dict[str, Any] = {"tanh": _tanh, "relu": _relu, "gelu_tanh": _gelu}


def squares(problem: Problem, batch: int, units: int, rate: float) -> tuple[Array, Callable[[int], float]]:
    """The mean square, and its gradient where the output stood."""
    y, targets = np.empty((units, batch), F4), np.ascontiguousarray(problem.t.swapaxes(1, 2))
    seed, count = scalar(2 * rate / (batch * units)), batch * units

    def loss_of(j: int) -> float:
        subtract(y, targets[j], y)
        loss = float(vdot(y, y)) / count
        multiply(y, seed, y)
        return loss

    return y, loss_of


def softmax(problem: Problem, batch: int, units: int, rate: float) -> tuple[Array, Callable[[int], float]]:
    """Cross-entropy, and ``(softmax - onehot) rate / batch`` where the logits stood."""
    z, e = np.empty((units, batch), F4), np.empty((units, batch), F4)
    hot = one_hot(problem.t, units)
    scaled = hot * F4(rate / batch)
    sums, logs, ones, rows = np.empty(batch, F4), np.empty(batch, F4), np.ones(units, F4), np.ones(batch, F4)
    seed = scalar(rate / batch)

    def loss_of(j: int) -> float:
        exp(z, e)
        dot(ones, e, sums)
        log(sums, logs)
        loss = float(dot(logs, rows) - vdot(z, hot[j])) / batch
        if not -1e30 < loss < 1e30:
            raise FloatingPointError("a step that needs the maximum taken off")
        divide(seed, sums, sums)
        multiply(e, sums, e)
        subtract(e, scaled[j], z)
        return loss

    return z, loss_of
