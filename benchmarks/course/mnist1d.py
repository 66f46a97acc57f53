"""MNIST-1D: a linear classifier and an MLP; published test accuracies are 31.5 % and 65.1 %.

    python -m benchmarks.course.mnist1d

The set-up is that of the set's authors (Greydanus 2020): 4,000 rows of 40 to train on and 1,000 to test on, Adam with
a rate of 1e-2, batches of 100 in the order of the file, 8,000 steps. The MLP has two layers of 256 relus, the second
with a residual connection. Weights and biases start uniform in ±1/√(n_in). Three seeds.
"""

import numpy as np

import graphc as gx
from benchmarks.course.cases import found
from graphc import nn, optim


def dense(x, units, name):
    bound = gx.init("uniform", bound=1 / np.sqrt(x.shape[-1]))
    return nn.dense(x, units, init=bound, bias_init=bound, name=name)


def network(kind):
    x = gx.input("x", ("batch", 40))
    t = gx.input("t", ("batch",), dtype="int64")
    h = x
    if kind == "mlp":
        h = gx.relu(dense(h, 256, "hidden1"))
        h = h + gx.relu(dense(h, 256, "hidden2"))
    logits = dense(h, 10, "output")
    return gx.Model(
        logits, nn.cross_entropy(logits, t), metrics={"accuracy": nn.accuracy(logits, t)}, name=kind
    )


def run(kind, data, seed, epochs=200):
    model = network(kind)
    history = model.fit(
        data["x"],
        data["y"].astype("int64"),
        optimizer=optim.adam(1e-2),
        epochs=epochs,
        batch_size=100,
        shuffle=False,
        validation_data=(data["x_test"], data["y_test"].astype("int64")),
        seed=seed,
        verbose=False,
    )
    return history["val_accuracy"]


def main(seeds=(0, 1, 2)):
    path = found("mnist1d.npz")
    if path is None:
        return
    data = dict(np.load(path))
    print(f"{'network':<8}{'published':>10}  test accuracy after 8,000 steps, by seed; best epoch of each")
    for kind, published in (("linear", 31.5), ("mlp", 65.1)):
        curves = [run(kind, data, seed) for seed in seeds]
        last = "  ".join(f"{100 * c[-1]:.1f}" for c in curves)
        best = "  ".join(f"{100 * max(c):.1f}" for c in curves)
        print(f"{kind:<8}{published:>10}  {last};  {best}", flush=True)


if __name__ == "__main__":
    main()
