"""Dropout against none, where data are few: 200 digits to train on, 1,597 to test on.

    python -m benchmarks.course.dropout

Two layers of 256 relus, Adam with a rate of 1e-3, batches of 20, 200 epochs, five seeds. The split is the same for all.
"""

import numpy as np

import graphc as gx
from graphc import datasets, nn, optim


def network(rate):
    x = gx.input("x", ("batch", 64))
    t = gx.input("t", ("batch",), dtype="int64")
    h = x
    for i in (1, 2):
        h = nn.dense(h, 256, activation="relu", name=f"hidden{i}")
        h = nn.dropout(h, rate, name=f"drop{i}")
    logits = nn.dense(h, 10, name="output")
    return gx.Model(
        logits, nn.cross_entropy(logits, t), metrics={"accuracy": nn.accuracy(logits, t)}, name="digits"
    )


def run(rate, seed, epochs=200):
    train, test = datasets.digits().split(test=1597, seed=0)
    model = network(rate)
    model.fit(train, optimizer=optim.adam(1e-3), epochs=epochs, batch_size=20, seed=seed, verbose=False)
    return model.evaluate(train)["loss"], model.evaluate(test)


def main(seeds=range(5)):
    print(f"{'rate':>5}{'training loss':>15}{'test loss':>11}{'test accuracy (mean ± sd over seeds)':>38}")
    for rate in (0.0, 0.25, 0.5):
        found = [run(rate, seed) for seed in seeds]
        accuracy = np.array([test["accuracy"] for _, test in found])
        training, held = np.mean([loss for loss, _ in found]), np.mean([test["loss"] for _, test in found])
        print(
            f"{rate:>5}{training:>15.5f}{held:>11.4f}{accuracy.mean():>27.4f} ± {accuracy.std(ddof=1):.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
