"""Handwritten digits, 8×8 pixels: one layer from the shelf, one written by hand, one more from the shelf."""

import graphc as gx
from graphc import nn

x = gx.input("x", ("batch", 64))
t = gx.input("t", ("batch",), dtype="int64")

h = nn.dense(x, 64, activation="relu", name="hidden1")
A = gx.param("A2", (64, 32), init="he_normal")
b = gx.param("b2", (32,), init="zeros")
h = gx.tanh(h @ A + b)
logits = nn.dense(h, 10, name="output")
loss = nn.cross_entropy(logits, t)

model = gx.Model(logits, loss, metrics={"accuracy": nn.accuracy(logits, t)}, name="digits_mlp")
