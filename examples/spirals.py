"""Three arms of a spiral, told apart by a network with dropout; in use, nothing is dropped.

It prints:

    training loss with dropout 0.0294, without 0.0238
    test loss 0.0189, accuracy 0.9933
"""

import graphc as gx
from graphc import datasets, nn, optim

x = gx.input("x", ("batch", 2))
t = gx.input("t", ("batch",), dtype="int64")

h = nn.dense(x, 64, activation="relu", name="hidden1")
h = nn.dropout(h, 0.1, name="drop1")
h = nn.dense(h, 64, activation="relu", name="hidden2")
logits = nn.dense(h, 3, name="output")

model = gx.Model(
    logits, nn.cross_entropy(logits, t), metrics={"accuracy": nn.accuracy(logits, t)}, name="spirals"
)


def main():
    train, test = datasets.spirals(rows=600, noise=0.15).split(test=0.25, seed=0)
    history = model.fit(train, optimizer=optim.adam(5e-3), epochs=100, batch_size=64, seed=0, verbose=False)
    found = model.evaluate(test)
    print(
        f"training loss with dropout {history['loss'][-1]:.4f}, without {model.evaluate(train)['loss']:.4f}"
    )
    print(f"test loss {found['loss']:.4f}, accuracy {found['accuracy']:.4f}")


if __name__ == "__main__":
    main()
