"""One step of the digits network in graphc: declared, differentiated, compiled, run."""

import numpy as np

import graphc as gx
from graphc import nn, optim

x, t = gx.input("x", ("batch", 64)), gx.input("t", ("batch",), dtype="int64")
h = nn.dense(x, 64, activation="relu", name="hidden1")
h = nn.dense(h, 32, activation="tanh", name="hidden2")
logits = nn.dense(h, 10, name="output")
model = gx.Model(logits, nn.cross_entropy(logits, t), optimizer=optim.adam(1e-3))

random = np.random.default_rng(0)
history = model.fit(random.random((64, 64)), random.integers(0, 10, 64), batch_size=64, verbose=False)
print(history.rows[-1]["loss"])
