"""Two of the UCI regression sets, on the first five of the published splits, against the published errors.

    python -m benchmarks.course.uci

One hidden layer of 50 relus, dropout of 0.005 before each layer, inputs and target standardised by the training rows,
Adam with a rate of 1e-3, batches of 128, 4,000 epochs; the root mean squared error on the test rows of each split.

The published numbers (Gal and Ghahramani 2016, from the results in the authors' repository) choose the rate of dropout
by a search on a fifth of the training rows, which they do not train on. They draw masks in use as well: ``plain`` is
one such prediction, ``MC`` the mean of 10,000. Here nothing is dropped in use, which comes near to MC.
"""

import sys

import numpy as np

import graphc as gx
from benchmarks.course.cases import found
from graphc import nn, optim

HIDDEN, RATE, EPOCHS, SPLITS = 50, 0.005, 4000, 5


def network(features):
    x = gx.input("x", ("batch", features))
    y = gx.input("y", ("batch", 1))
    h = nn.dropout(x, RATE, name="drop1")
    h = nn.dense(h, HIDDEN, activation="relu", init="xavier_uniform", name="hidden")
    h = nn.dropout(h, RATE, name="drop2")
    out = nn.dense(h, 1, name="output")
    return gx.Model(out, nn.mse(out, y), name="uci")


def error(model, x, y, test, seed):
    """Train on the rows that are not of the test; the root mean squared error on those that are, in units of y."""
    train = np.setdiff1d(np.arange(len(x)), test)
    centre, scale = x[train].mean(axis=0), x[train].std(axis=0)
    x = (x - centre) / np.where(scale == 0, 1, scale)
    middle, spread = y[train].mean(), y[train].std()
    target = ((y[train] - middle) / spread)[:, None]
    model.reset(seed)
    model.fit(
        x[train], target, optimizer=optim.adam(1e-3), epochs=EPOCHS, batch_size=128, seed=seed, verbose=False
    )
    predicted = model.predict(x[test])[:, 0] * spread + middle
    return float(np.sqrt(np.mean((predicted - y[test]) ** 2)))


def main(names):
    print(
        f"{'set':<10}{'here':>16}{'published MC':>18}{'published plain':>18}   ± standard error, {SPLITS} splits"
    )
    for name in names:
        path = found(f"uci/{name}.npz")
        if path is None:
            continue
        data = dict(np.load(path))
        model = network(data["X"].shape[1])
        errors = [
            error(model, data["X"], data["y"], test, i) for i, test in enumerate(data["test_index"][:SPLITS])
        ]
        published = (data["published_test_MC_rmse"][:SPLITS], data["published_test_rmse"][:SPLITS])
        columns = (errors, *published)
        texts = [f"{np.mean(c):.3f} ± {np.std(c, ddof=1) / np.sqrt(len(c)):.3f}" for c in columns]
        print(f"{name:<10}{texts[0]:>16}{texts[1]:>18}{texts[2]:>18}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or ["energy", "yacht"])
