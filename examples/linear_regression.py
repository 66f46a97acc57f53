"""Linear regression by gradient descent: how a disease progresses with the body-mass index, for 442 patients.

It reaches what solving the normal equations reaches, and what scikit-learn documents for this split:

    slope 938.238, intercept 152.919, mean squared error on the last 20 patients 2548.072
"""

import graphc as gx
from graphc import datasets, nn, optim

x = gx.input("x", ("patients", 1), dtype="float64")
y = gx.input("y", ("patients",), dtype="float64")

slope = gx.param("slope", (1, 1), init="zeros", dtype="float64")
intercept = gx.param("intercept", (), init="zeros", dtype="float64")
prediction = gx.squeeze(x @ slope, axis=1) + intercept

model = gx.Model(prediction, nn.mse(prediction, y), name="line")


def main():
    train, test = datasets.diabetes().select("bmi").split(test=20, seed=None)
    model.fit(
        train, optimizer=optim.sgd(0.9), epochs=5000, batch_size=len(train), shuffle=False, verbose=False
    )
    found = model.params
    print(
        f"slope {found['slope'].item():.3f}, intercept {found['intercept']:.3f}, "
        f"mean squared error on the last 20 patients {model.evaluate(test)['loss']:.3f}"
    )


if __name__ == "__main__":
    main()
