"""Nine optimizers and one of our own, on the same network from the same values; each is nothing but its equations.

It prints a row for each, among them:

    sgd          loss 0.200  θ ← θ - λ g
    momentum     loss 0.065  v ← β v + g; θ ← θ - λ v
    nesterov     loss 0.063  v ← β v + g; θ ← θ - λ (β v + g)
    adagrad      loss 0.083  v ← v + g²; θ ← θ - λ g / (√v + ε)
    rmsprop      loss 0.125  v ← α v + (1 - α) g²; θ ← θ - λ g / (√v + ε)
    lion         loss 0.420  u = sign(β₁ m + (1 - β₁) g); m ← β₂ m + (1 - β₂) g; θ ← θ - λ u
    chain        loss 0.201  g ← g (c / max(√n, c)); θ ← θ - λ g
    heavy        loss 0.065  v ← β v + g; θ ← θ - λ v
"""

import graphc as gx
from graphc import datasets, nn, optim

x = gx.input("x", ("batch", 64))
t = gx.input("t", ("batch",), dtype="int64")
h = nn.dense(x, 32, activation="relu", name="hidden")
logits = nn.dense(h, 10, name="output")
model = gx.Model(logits, nn.cross_entropy(logits, t), name="digits")

own = optim.rule("heavy", slots={"v": 0.0}, update="v = beta*v + g; theta = theta - lr*v", lr=0.05, beta=0.9)
chosen = (
    optim.sgd(0.1),
    optim.momentum(0.05),
    optim.nesterov(0.05),
    optim.adagrad(0.05),
    optim.rmsprop(2e-3),
    optim.adam(5e-3),
    optim.adamw(5e-3),
    optim.lion(5e-4),
    optim.chain(optim.clip_by_global_norm(1.0), optim.sgd(0.1)),
    own,
)


def main():
    digits = datasets.digits()
    for optimizer in chosen:
        model.reset(seed=0)
        history = model.fit(digits, optimizer=optimizer, epochs=15, batch_size=64, seed=0, verbose=False)
        name = "heavy" if optimizer is own else optimizer.name
        print(f"{name:12} loss {history['loss'][-1]:.3f}  {optimizer.equation}")


if __name__ == "__main__":
    main()
