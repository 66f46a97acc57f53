"""Thirty relu layers: do they train from He's and from Xavier's starting values?

    python -m benchmarks.course.deep_relu
    python -m benchmarks.course.deep_relu adam        # Adam with a rate of 1e-4 in the place of momentum

Data: the 1,797 digits of the package, standardised. 30 layers of 64, biases from 0, momentum of 0.9 with a rate of 1e-3
(as in He et al. 2015, section 2.2), batches of 64, 30 epochs, three seeds. A relu halves the mean square of what it
passes. Xavier's variance, 2 / (n_in + n_out), lets that stand: after 30 layers 2⁻³⁰ of it is left. He's, 2 / n_in,
makes up for it.
"""

import sys

import numpy as np

import graphc as gx
from graphc import datasets, nn, optim

DEPTH, WIDTH = 30, 64
OPTIMIZERS = {"momentum": optim.momentum(1e-3, beta=0.9), "adam": optim.adam(1e-4)}


def network(init):
    x = gx.input("x", ("batch", 64))
    t = gx.input("t", ("batch",), dtype="int64")
    h, signal = x, []
    for i in range(DEPTH):
        h = nn.dense(h, WIDTH, activation="relu", init=init, name=f"hidden{i + 1}")
        signal.append(h)
    logits = nn.dense(h, 10, init=init, name="output")
    loss = nn.cross_entropy(logits, t)
    model = gx.Model(logits, loss, metrics={"accuracy": nn.accuracy(logits, t)}, name="deep")
    return model, gx.compile(signal, name="signal")


def run(init, seed, optimizer, epochs=30):
    train, test = datasets.digits().split(test=0.25, seed=0)
    train, test = train.standardized(), test.standardized(by=train)
    model, signal = network(init)
    model.reset(seed)
    params = {k: v for k, v in model.params.items() if k.startswith("hidden")}
    first, *_, last = [float(np.sqrt(np.mean(h**2))) for h in signal(x=train.x, **params)]
    history = model.fit(
        train,
        optimizer=optimizer,
        epochs=epochs,
        batch_size=64,
        seed=seed,
        verbose=False,
    )
    return first, last, history["loss"][-1], model.evaluate(test)["accuracy"]


def main(name, seeds=(0, 1, 2)):
    print(f"{'start':<16}{'seed':>5}{'rms h1':>10}{'rms h30':>12}{'loss':>10}{'test accuracy':>15}")
    for init in ("he_normal", "xavier_normal"):
        for seed in seeds:
            first, last, loss, accuracy = run(init, seed, OPTIMIZERS[name])
            print(f"{init:<16}{seed:>5}{first:>10.3f}{last:>12.3g}{loss:>10.4f}{accuracy:>15.4f}", flush=True)


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["momentum"]))
