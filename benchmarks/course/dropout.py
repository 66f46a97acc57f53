"""Dropout against none, where a network can learn its training data by heart.

    python -m benchmarks.course.dropout

Two layers of 256 relus, Adam with a rate of 1e-3, three seeds. Digits: 200 rows to train on, 1,597 to test on, batches
of 20, 100 epochs. MNIST-1D (where it is there): 4,000 rows to train on, 1,000 to test on, batches of 100, 60 epochs.
"""

import numpy as np

import graphc as gx
from benchmarks.course.cases import found
from graphc import datasets, nn, optim


def network(rate, features):
    x = gx.input("x", ("batch", features))
    t = gx.input("t", ("batch",), dtype="int64")
    h = x
    for i in (1, 2):
        h = nn.dense(h, 256, activation="relu", name=f"hidden{i}")
        h = nn.dropout(h, rate, name=f"drop{i}")
    logits = nn.dense(h, 10, name="output")
    loss = nn.cross_entropy(logits, t)
    return gx.Model(logits, loss, metrics={"accuracy": nn.accuracy(logits, t)}, name="classifier")


def sets():
    """Name, training data, test data, batch size, epochs."""
    train, test = datasets.digits().split(test=1597, seed=0)
    yield "digits", train, test, 20, 100
    path = found("mnist1d.npz")
    if path:
        data = np.load(path)
        train = datasets.Dataset(data["x"], data["y"].astype("int64"))
        yield "mnist1d", train, datasets.Dataset(data["x_test"], data["y_test"].astype("int64")), 100, 60


def main(seeds=range(3)):
    print(
        f"{'set':<9}{'rate':>5}{'training loss':>15}{'test loss':>11}{'test accuracy':>20}   mean ± sd over seeds"
    )
    for name, train, test, batch_size, epochs in sets():
        for rate in (0.0, 0.25, 0.5):
            rows = []
            for seed in seeds:
                model = network(rate, train.x.shape[1])
                options = {"epochs": epochs, "batch_size": batch_size, "seed": seed, "verbose": False}
                model.fit(train, optimizer=optim.adam(1e-3), **options)
                held = model.evaluate(test)
                rows.append((model.evaluate(train)["loss"], held["loss"], held["accuracy"]))
            training, loss, accuracy = np.mean(rows, axis=0)
            spread = np.std([row[2] for row in rows], ddof=1)
            print(
                f"{name:<9}{rate:>5}{training:>15.5f}{loss:>11.4f}{accuracy:>11.4f} ± {spread:.4f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
