"""Without layers and models: declare, differentiate, compile, and write the loop by hand.

It prints:

    loss 0.000094, w [ 2.002 -0.997], b 0.500
    d²loss/db²: 2.000

The listing of ``step``, which it prints first, has the loss, both gradients and both updates in ten lines of NumPy.
"""

import numpy as np

import graphc as gx
from graphc import datasets

x = gx.input("x", ("n", 2))
y = gx.input("y", ("n",))
w = gx.param("w", (2,))
b = gx.param("b", ())
rate = gx.hyper("rate", 0.5)

error = gx.sum(x * w, axis=1) + b - y
loss = gx.mean(gx.square(error)).named("loss")
d_w, d_b = gx.grad(loss, [w, b])

step = gx.compile(loss, updates={w: w - rate * d_w, b: b - rate * d_b}, name="step")


def main():
    print(step.source)
    data = datasets.lines(rows=200, slopes=(2.0, -1.0), intercept=0.5, noise=0.01)
    params = {"w": np.zeros(2), "b": 0.0}
    for _ in range(200):
        value, params = step(x=data.x, y=data.y, **params)
    print(f"loss {value:.6f}, w {params['w'].round(3)}, b {params['b']:.3f}")

    curvature = gx.compile(gx.grad(d_b, b), name="curvature")  # gradients of gradients close by construction
    print(f"d²loss/db²: {curvature(x=data.x, y=data.y, **params):.3f}")


if __name__ == "__main__":
    main()
