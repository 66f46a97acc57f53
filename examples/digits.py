"""Handwritten digits: declare, see, train, explain, export, save. The network is the one of `graphc demo`.

It prints:

    1348 to train on, 449 to test on
    test loss 0.1672, accuracy 0.9599
    dL/d(A2): float32[64, 32], in 4 steps from the loss back
    the saved model predicts the same: True
"""

import sys
from pathlib import Path

import numpy as np

import graphc as gx
from graphc import datasets, nn, optim

x = gx.input("x", ("batch", 64))
t = gx.input("t", ("batch",), dtype="int64")

h = nn.dense(x, 64, activation="relu", name="hidden1")
A = gx.param("A2", (64, 32), init="he_normal")
b = gx.param("b2", (32,), init="zeros")
h = gx.tanh(h @ A + b)
logits = nn.dense(h, 10, name="output")
loss = nn.cross_entropy(logits, t)

model = gx.Model(logits, loss, metrics={"accuracy": nn.accuracy(logits, t)}, name="digits_mlp")


def main(folder="."):
    train, test = datasets.digits().split(test=0.25, seed=0)
    print(f"{len(train)} to train on, {len(test)} to test on")
    model.fit(train.x, train.y, optimizer=optim.adam(1e-3), epochs=20, batch_size=64, seed=0)
    found = model.evaluate(test)
    print(f"test loss {found['loss']:.4f}, accuracy {found['accuracy']:.4f}")
    print(str(model.explain("A2")).splitlines()[0])

    model.draw(Path(folder, "backprop.svg"))
    model.export(Path(folder, "digits_mlp.py"), data=test)  # python -I digits_mlp.py needs NumPy alone
    path = model.save(Path(folder, "digits.gx"))
    same = np.array_equal(gx.load(path).predict(test.x), model.predict(test.x))
    print(f"the saved model predicts the same: {same}")


if __name__ == "__main__":
    main(*sys.argv[1:])
