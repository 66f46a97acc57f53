"""A sigmoid network with and without batch normalisation: test accuracy after 1,000 steps.

    python -m benchmarks.course.sigmoid_batch_norm

Data: the digits of the package, 1,348 to train on and 449 to test on. Three layers of 100 sigmoids (the network of
Ioffe and Szegedy 2015, section 4.1, on smaller digits), weights from N(0, 0.1²), gradient descent on batches of 60,
1,000 steps, three seeds, three rates.
"""

import graphc as gx
from graphc import datasets, nn, optim

STEPS, BATCH = 1000, 60


def network(normalised):
    x = gx.input("x", ("batch", 64))
    t = gx.input("t", ("batch",), dtype="int64")
    h = x
    for i in range(1, 4):
        h = nn.dense(h, 100, init=gx.init("normal", std=0.1), bias=not normalised, name=f"layer{i}")
        if normalised:
            h = nn.batch_norm(h, axis=-1, name=f"norm{i}")
        h = gx.sigmoid(h)
    logits = nn.dense(h, 10, init=gx.init("normal", std=0.1), name="output")
    return gx.Model(
        logits, nn.cross_entropy(logits, t), metrics={"accuracy": nn.accuracy(logits, t)}, name="sigmoids"
    )


def batches(data, seed):
    """1,000 batches, drawn without replacement within an epoch."""
    import numpy as np

    rng = np.random.default_rng(seed)
    per_epoch = len(data) // BATCH
    for step in range(STEPS):
        if step % per_epoch == 0:
            order = rng.permutation(len(data))
        rows = order[step % per_epoch * BATCH :][:BATCH]
        yield {"x": data.x[rows], "t": data.y[rows]}


def run(normalised, rate, seed):
    train, test = datasets.digits().split(test=0.25, seed=0)
    model = network(normalised)
    model.fit(batches(train, seed), optimizer=optim.sgd(rate), seed=seed, verbose=False)
    return model.evaluate(test)["accuracy"]


def main(seeds=(0, 1, 2)):
    print(f"{'network':<24}{'rate':>6}  test accuracy after {STEPS} steps, by seed")
    for normalised in (False, True):
        for rate in (0.1, 0.5, 2.0):
            found = "  ".join(f"{run(normalised, rate, seed):.4f}" for seed in seeds)
            print(f"{'with batch norm' if normalised else 'without':<24}{rate:>6}  {found}", flush=True)


if __name__ == "__main__":
    main()
