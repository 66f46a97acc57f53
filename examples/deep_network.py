"""Thirty relu layers, started by He's variance and by Xavier's: the same network, the same data, the same steps.

Xavier's variance fits an activation of slope 1. A relu passes half, so after 30 layers 2⁻³⁰ of the mean square is left
and no gradient to speak of; chance is a loss of log 10 = 2.303. How far He's has come after ten epochs hangs on
rounding (a rate that is 0.01 % larger gives 0.8 to 1.3). It prints:

    he_normal      loss 2.37 in the first epoch, then it falls
    xavier_normal  loss 2.30 in the first epoch, then it stays
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
        print(
            f"{init:14} loss {first:.2f} in the first epoch, then it {'falls' if last < 0.8 * first else 'stays'}"
        )


if __name__ == "__main__":
    main()
