"""Rates that follow the step: how close stochastic gradient descent comes to the least squares solution.

A rate that stays lets the noise of the batches go on; one that falls ends closer. It prints the mean squared error
above the least one, which is 2859.7:

    constant      306.24
    step          4.94
    inverse time  9.77
    cosine        2.69
    one cycle     2.58
"""

import numpy as np

import graphc as gx
from graphc import datasets, nn, optim
from graphc.optim import schedules

x = gx.input("x", ("batch", 10), dtype="float64")
y = gx.input("y", ("batch",), dtype="float64")
f = gx.squeeze(nn.dense(x, 1, name="line"), axis=1)
model = gx.Model(f, nn.mse(f, y), name="regression")

EPOCHS, BATCH = 40, 16


def main():
    data = datasets.diabetes().standardized()
    columns = np.column_stack([data.x, np.ones(len(data))])
    least = np.mean((columns @ np.linalg.lstsq(columns, data.y)[0] - data.y) ** 2)
    steps = EPOCHS * -(-len(data) // BATCH)
    rates = {
        "constant": 0.1,
        "step": schedules.step(0.1, every=steps // 4, factor=0.3),
        "inverse time": schedules.inverse_time(0.1, decay=0.01),
        "cosine": schedules.warmup(schedules.cosine(0.1, steps - 50), steps=50),
        "one cycle": schedules.one_cycle(0.1, steps),
    }
    for name, rate in rates.items():
        model.reset(seed=0)
        model.fit(data, optimizer=optim.sgd(rate), epochs=EPOCHS, batch_size=BATCH, seed=0, verbose=False)
        print(f"{name:13} {model.evaluate(data)['loss'] - least:.2f}")


if __name__ == "__main__":
    main()
