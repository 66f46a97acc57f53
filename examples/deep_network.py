"""Thirty relu layers, started by He's variance and by Xavier's: the same network, the same data, the same steps.

Xavier's variance fits an activation of slope 1. A relu passes half, so after 30 layers 2⁻³⁰ of the mean square is left
and no gradient to speak of; chance is a loss of log 10 = 2.303. It prints:

    he_normal      loss 2.366 in the first epoch, 1.099 in the last
    xavier_normal  loss 2.303 in the first epoch, 2.303 in the last
"""

import graphc as gx
from graphc import datasets, nn, optim

x = gx.input("x", ("batch", 64))
t = gx.input("t", ("batch",), dtype="int64")


def network(init, depth=30):
    h = x
    for i in range(depth):
        h = nn.dense(h, 64, activation="relu", init=init, name=f"hidden{i + 1}")
    logits = nn.dense(h, 10, init=init, name="output")
    return gx.Model(logits, nn.cross_entropy(logits, t), name="deep")


model = network("he_normal", depth=3)  # what `graphc draw` shows


def main():
    digits = datasets.digits().standardized()
    for init in ("he_normal", "xavier_normal"):
        deep = network(init)
        history = deep.fit(
            digits, optimizer=optim.momentum(1e-3), epochs=10, batch_size=64, seed=0, verbose=False
        )
        first, last = history["loss"][0], history["loss"][-1]
        print(f"{init:14} loss {first:.3f} in the first epoch, {last:.3f} in the last")


if __name__ == "__main__":
    main()
