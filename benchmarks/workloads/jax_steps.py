"""The nine workloads in JAX: a whole step is one compiled call that may reuse its arguments, batch by number inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from benchmarks.workloads.problems import HIDDEN, Problem

Step = Callable[[], Any]
Params = dict[str, Any]


def build(problem: Problem, drop: float | None = None, loop: bool = False) -> Step:
    """A function that takes one step and returns the loss.

    Args:
        problem: the workload.
        drop: in place of the problem's dropout.
        loop: W8 as a ``lax.scan`` over the cell instead of the cell written out 20 times.
    """
    if not problem.optimizer:
        return _differentiated(problem)
    drop = problem.drop if drop is None else drop
    forward = LOSSES.get(problem.name, _perceptron)
    x, t, count = jnp.asarray(problem.x), jnp.asarray(problem.t), problem.batches
    key = jax.random.PRNGKey(0)

    def loss_of(params: Params, x: Any, t: Any, key: Any) -> Any:
        return forward(problem, params, x, t, key, drop, loop)

    def whole(params: Params, slots: Any, k: Any, x: Any, t: Any) -> Any:
        j = k % count
        fresh = jax.random.fold_in(key, k) if drop else key
        loss, grads = jax.value_and_grad(loss_of)(params, x[j], t[j], fresh)
        params, slots = UPDATES[problem.optimizer](problem.lr, params, slots, grads, k)
        return params, slots, k + 1, loss

    compiled = jax.jit(whole, donate_argnums=(0, 1, 2))
    params = {name: jnp.asarray(value) for name, value in problem.params.items()}
    zeros = lambda: {name: jnp.zeros_like(value) for name, value in params.items()}  # noqa: E731
    slots: Any = (zeros(), zeros()) if problem.optimizer == "adam" else ()
    k = jnp.asarray(0, jnp.int32)

    def step() -> Any:
        nonlocal params, slots, k
        params, slots, k, loss = compiled(params, slots, k, x, t)
        return loss

    return step


def _sgd(lr: float, params: Params, slots: Any, grads: Params, k: Any) -> tuple[Params, Any]:
    return {name: params[name] - lr * grads[name] for name in params}, slots


def _adam(lr: float, params: Params, slots: Any, grads: Params, k: Any) -> tuple[Params, Any]:
    t = k + 1.0
    m = {name: 0.9 * slots[0][name] + 0.1 * g for name, g in grads.items()}
    v = {name: 0.999 * slots[1][name] + 0.001 * g * g for name, g in grads.items()}
    c1, c2 = 1 - 0.9**t, 1 - 0.999**t
    return {n: params[n] - lr * (m[n] / c1) / (jnp.sqrt(v[n] / c2) + 1e-8) for n in params}, (m, v)


UPDATES = {"sgd": _sgd, "adam": _adam}


def _differentiated(problem: Problem) -> Step:
    x = jnp.asarray(problem.x[0])
    if problem.name == "W5":

        def value(x: Any) -> Any:
            inner = jnp.tanh(x) * jax.nn.sigmoid(x) + x**2 * jnp.exp(-(x**2))
            return jnp.sum(jax.nn.softplus(inner))

        compiled = jax.jit(jax.value_and_grad(value))
        return lambda: compiled(x)
    t = jnp.asarray(problem.t[0])
    both = jax.jit(jax.value_and_grad(_cross_entropy))
    return lambda: both(x, t)


def _cross_entropy(z: Any, t: Any) -> Any:
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), t[:, None], 1))


def _gelu(x: Any) -> Any:
    return jax.nn.gelu(x, approximate=True)


ACTIVATIONS = {"tanh": jnp.tanh, "relu": jax.nn.relu, "gelu_tanh": _gelu}


def _perceptron(problem: Problem, p: Params, x: Any, t: Any, *rest: Any) -> Any:
    names = [key[:-2] for key in problem.params if key.endswith(".W")]
    for name in names[:-1]:
        x = ACTIVATIONS[problem.activation](x @ p[f"{name}.W"] + p[f"{name}.b"])
    y = x @ p[f"{names[-1]}.W"] + p[f"{names[-1]}.b"]
    return jnp.mean((y - t) ** 2) if problem.t.dtype.kind == "f" else _cross_entropy(y, t)


def _normalised(problem: Problem, p: Params, x: Any, t: Any, key: Any, drop: float, loop: bool) -> Any:
    for i in (1, 2):
        z = x @ p[f"hidden{i}.W"]
        centred = z - z.mean(0)
        x_hat = centred * lax.rsqrt(z.var(0) + 1e-5)
        x = jax.nn.relu(x_hat * p[f"norm{i}.gamma"] + p[f"norm{i}.beta"])
        if drop:
            mask = jax.random.bernoulli(jax.random.fold_in(key, i), 1 - drop, x.shape)
            x = jnp.where(mask, x / (1 - drop), 0)
    return _cross_entropy(x @ p["output.W"] + p["output.b"], t)


def _recurrent(problem: Problem, p: Params, x: Any, t: Any, key: Any, drop: float, loop: bool) -> Any:
    def cell(carry: Any, x: Any) -> Any:
        h, c = carry
        i, f, g, o = jnp.split(x @ p["lstm.Wx"] + h @ p["lstm.Wh"] + p["lstm.b"], 4, 1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    carry = (jnp.zeros((x.shape[1], HIDDEN)),) * 2
    if loop:
        carry, _ = lax.scan(cell, carry, x)
    else:
        for step in x:
            carry, _ = cell(carry, step)
    return _cross_entropy(carry[0] @ p["output.W"] + p["output.b"], t)


def _convolutional(problem: Problem, p: Params, x: Any, t: Any, *rest: Any) -> Any:
    for name in ("conv1", "conv2"):
        layout = ("NCHW", "HWIO", "NCHW")
        z = lax.conv_general_dilated(x, p[f"{name}.W"], (1, 1), "VALID", dimension_numbers=layout)
        h = jax.nn.relu(z + p[f"{name}.b"][:, None, None])
        x = lax.reduce_window(h, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    return _cross_entropy(x.reshape(x.shape[0], -1) @ p["output.W"] + p["output.b"], t)


LOSSES = {"W6": _normalised, "W8": _recurrent, "W9": _convolutional}
