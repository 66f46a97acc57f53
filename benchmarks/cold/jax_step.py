"""One step of the digits network in JAX, compiled."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np

random = np.random.default_rng(0)
sizes = [64, 64, 32, 10]
params = [
    (jnp.asarray(random.normal(0, a**-0.5, (a, b)), jnp.float32), jnp.zeros(b)) for a, b in pairwise(sizes)
]


def loss_of(params, x, t):
    (W1, b1), (W2, b2), (W3, b3) = params
    h = jnp.tanh(jax.nn.relu(x @ W1 + b1) @ W2 + b2)
    logits = jax.nn.log_softmax(h @ W3 + b3)
    return -jnp.mean(jnp.take_along_axis(logits, t[:, None], 1))


@jax.jit
def step(params, m, v, k, x, t):
    loss, grads = jax.value_and_grad(loss_of)(params, x, t)
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, grads)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, grads)
    c1, c2 = 1 - 0.9**k, 1 - 0.999**k
    new = jax.tree.map(lambda p, m, v: p - 1e-3 * (m / c1) / (jnp.sqrt(v / c2) + 1e-8), params, m, v)
    return new, m, v, loss


zeros = jax.tree.map(jnp.zeros_like, params)
x, t = jnp.asarray(random.random((64, 64)), jnp.float32), jnp.asarray(random.integers(0, 10, 64))
print(float(step(params, zeros, zeros, 1.0, x, t)[3]))
