"""Programs that people write at first, and the whole message that each gets; `test_errors` runs them."""

from __future__ import annotations

import textwrap

NET = """
    x = gx.input("x", ("batch", 4))
    t = gx.input("t", ("batch",), dtype="int64")
    z = nn.dense(x, 3, name="hidden1")
    model = gx.Model(z, nn.cross_entropy(z, t))"""

PROGRAMS: dict[str, tuple[str, str]] = {}
"""Name to program and message."""


def program(name, text, message):
    PROGRAMS[name] = (textwrap.dedent(text).strip(), textwrap.dedent(message).strip())


program(
    "shapes in a layer",
    """
    x = gx.input("x", ("batch", 64))
    with gx.scope("hidden1"):
        W = gx.param("W", (32, 10))
        h = x @ W
    """,
    """
    matmul in layer hidden1: size 64 meets size 32
      given:    x: float32[batch, 64], hidden1.W: float32[32, 10]
      expected: as many columns on the left as rows on the right
      declared: net.py:4: h = x @ W
      fix:      give the right operand 64 rows, or the left 32 columns
    """,
)

program(
    "shapes of two layers",
    """
    x = gx.input("x", ("batch", 64))
    h = nn.dense(x, 32, activation="relu", name="hidden1")
    A = gx.param("A2", (64, 32))
    h = gx.tanh(h @ A)
    """,
    """
    matmul: size 32 meets size 64
      given:    hidden1.h: float32[batch, 32], A2: float32[64, 32]
      expected: as many columns on the left as rows on the right
      declared: net.py:4: h = gx.tanh(h @ A)
      fix:      transpose the right operand (.T)
    """,
)

program(
    "bias of another size",
    """
    x = gx.input("x", ("batch", 4))
    b = gx.param("b", (3,))
    h = x + b
    """,
    """
    add: size 4 meets size 3 on the last axis
      given:    x: float32[batch, 4], b: float32[3]
      declared: net.py:3: h = x + b
      fix:      reshape one of them so that the sizes line up from the right
    """,
)

program(
    "integers into a layer",
    """
    x = gx.input("x", ("batch", 4), dtype="int64")
    h = nn.dense(x, 3, name="hidden1")
    """,
    """
    a layer is applied to floats
      given:    x: int64[batch, 4]
      declared: net.py:2: h = nn.dense(x, 3, name="hidden1")
      fix:      convert with gx.astype(x, 'float32'), or declare the input as a float
    """,
)

program(
    "integers into a call",
    """
    x = gx.input("x", ("batch", 4))
    f = gx.compile(gx.sum(x))
    f(np.zeros((2, 4), dtype="int64"))
    """,
    """
    x must be float32
      given:    int64[2, 4]
      expected: float values
      declared: net.py:1: x = gx.input("x", ("batch", 4))
      fix:      convert it first, for example np.asarray(x, dtype=np.float32)
    """,
)

program(
    "unknown name",
    NET
    + """
    model.set_params({"hidden.W": np.zeros((4, 3))})
    """,
    """
    there is no parameter named 'hidden.W'
      expected: hidden1.W, hidden1.b
      fix:      did you mean 'hidden1.W'?
    """,
)

program(
    "unknown argument",
    """
    x, W = gx.input("x", ("batch", 4)), gx.param("W", (4, 3))
    f = gx.compile(x @ W, name="layer")
    f(x=np.zeros((2, 4)), w=np.zeros((4, 3)))
    """,
    """
    there is no argument named 'w'
      expected: x, W
      fix:      did you mean 'W'?
    """,
)

program(
    "missing input",
    """
    x = gx.input("x", ("batch", 4))
    W = gx.param("W", (4, 3))
    layer = gx.compile(x @ W, name="layer")
    layer(np.zeros((2, 4)))
    """,
    """
    layer is missing W
      given:    x: float32[batch, 4]
      expected: x: float32[batch, 4], W: float32[4, 3]
      declared: net.py:2: W = gx.param("W", (4, 3))
      fix:      pass every argument, in this order or by name
    """,
)

program(
    "missing targets",
    NET
    + """
    model.fit(np.zeros((5, 4)))
    """,
    """
    the data hold no values for t
      given:    x
      expected: x: float32[batch, 4], t: int64[batch]
      declared: net.py:2: t = gx.input("t", ("batch",), dtype="int64")
      fix:      pass inputs as x and targets as y, or all of them in one dict by name
    """,
)

program(
    "shape at a call",
    NET
    + """
    model.predict(np.zeros((5, 3)))
    """,
    """
    axis 1 of x has size 3, but 4 was declared
      given:    float64[5, 3]
      expected: [batch, 4]
      declared: net.py:1: x = gx.input("x", ("batch", 4))
      fix:      pass x in the declared shape, or declare it in this one
    """,
)

program(
    "one example instead of a batch",
    NET
    + """
    model.predict(np.zeros(4))
    """,
    """
    x has 1 axis, but 2 axes were declared
      given:    float64[4]
      expected: [batch, 4]
      declared: net.py:1: x = gx.input("x", ("batch", 4))
      fix:      for a single example, pass x[None]
    """,
)

program(
    "labels as a column",
    NET
    + """
    model.fit(np.zeros((2, 4)), np.zeros((2, 1), dtype=int))
    """,
    """
    t has 2 axes, but 1 axis was declared
      given:    int64[2, 1]
      expected: [batch]
      declared: net.py:2: t = gx.input("t", ("batch",), dtype="int64")
      fix:      pass t[..., 0]
    """,
)

program(
    "one-hot rows instead of labels",
    NET
    + """
    model.fit(np.zeros((2, 4)), np.eye(2))
    """,
    """
    t must be int64
      given:    float64[2, 2]
      expected: int values
      declared: net.py:2: t = gx.input("t", ("batch",), dtype="int64")
      fix:      pass labels; of one-hot rows, t.argmax(axis=-1)
    """,
)

program(
    "targets as a row",
    """
    x, y = gx.input("x", ("batch", 2)), gx.input("y", ("batch", 1))
    p = nn.dense(x, 1, name="line")
    gx.Model(p, nn.mse(p, y)).fit(np.zeros((5, 2)), np.zeros(5))
    """,
    """
    y has 1 axis, but 2 axes were declared
      given:    float64[5]
      expected: [batch, 1]
      declared: net.py:1: x, y = gx.input("x", ("batch", 2)), gx.input("y", ("batch", 1))
      fix:      pass y[..., None]
    """,
)

program(
    "sizes that disagree",
    NET
    + """
    model.fit(np.zeros((5, 4)), np.zeros(4, dtype="int64"))
    """,
    """
    axis 0 of t has size 4, but batch is 5 in x
      given:    int64[4]
      expected: [batch]
      declared: net.py:2: t = gx.input("t", ("batch",), dtype="int64")
      fix:      a name is one number per call: x and t must agree on batch
    """,
)

program(
    "two leaves of one name",
    """
    x = gx.input("x", ("batch", 4))
    first = gx.param("W", (4, 4))
    second = gx.param("W", (4, 4))
    gx.compile(x @ first @ second)
    """,
    """
    two leaves of one graph are named 'W'
      declared: net.py:2: first = gx.param("W", (4, 4)) and net.py:3: second = gx.param("W", (4, 4))
      fix:      give one of them another name, or use the same leaf twice to share it
    """,
)

program(
    "labels declared as floats",
    """
    z, t = gx.input("z", ("batch", 3)), gx.input("t", ("batch",))
    nn.cross_entropy(z, t)
    """,
    """
    cross_entropy: labels are integers
      given:    z: float32[batch, 3], t: float32[batch]
      declared: net.py:2: nn.cross_entropy(z, t)
      fix:      declare the labels with dtype="int64"
    """,
)

program(
    "label out of range",
    NET
    + """
    model.fit(np.zeros((5, 4)), [0, 1, 2, 3, 0])
    """,
    """
    t holds a label out of range
      given:    3 at position 3
      expected: 0 to 2
      declared: net.py:2: t = gx.input("t", ("batch",), dtype="int64")
      fix:      give the last layer as many units as there are classes, or relabel from 0
    """,
)

program(
    "negative label",
    NET
    + """
    model.evaluate(np.zeros((2, 4)), [1, -1])
    """,
    """
    t holds a label out of range
      given:    -1 at position 1
      expected: 0 to 2
      declared: net.py:2: t = gx.input("t", ("batch",), dtype="int64")
      fix:      give the last layer as many units as there are classes, or relabel from 0
    """,
)

program(
    "label out of range beside ignored ones",
    """
    z, t = gx.input("z", ("batch", 3)), gx.input("t", ("batch", 1), dtype="int64")
    labels = gx.reshape(t, ("batch",))
    model = gx.Model(z, nn.cross_entropy(z, labels, ignore=-1))
    model.evaluate(np.zeros((3, 3)), [[-1], [2], [4]])
    """,
    """
    t holds a label out of range
      given:    4 at position 2
      expected: 0 to 2 or -1
      declared: net.py:1: z, t = gx.input("z", ("batch", 3)), gx.input("t", ("batch", 1), dtype="int64")
      fix:      give the last layer as many units as there are classes, or relabel from 0
    """,
)

program(
    "empty data",
    NET
    + """
    model.fit(np.zeros((0, 4)), np.zeros(0, dtype="int64"))
    """,
    """
    x is empty
      given:    float32[0, 4]
      expected: at least one example
      declared: net.py:1: x = gx.input("x", ("batch", 4))
      fix:      check how the data were read or filtered
    """,
)

program(
    "nan in the data",
    NET
    + """
    model.predict([[1.0, 2.0, float("nan"), 4.0]])
    """,
    """
    x holds nan
      given:    the first at index [0, 2]
      expected: finite numbers
      declared: net.py:1: x = gx.input("x", ("batch", 4))
      fix:      drop or fill such values first
    """,
)

program(
    "loss not finite",
    """
    x, y = gx.input("x", ("batch", 1)), gx.input("y", ("batch", 1))
    p = nn.dense(x, 1, init="ones", name="line")
    e = p - y
    model = gx.Model(p, gx.mean(gx.square(e)))
    x, y = np.arange(8.0)[:, None], np.ones((8, 1))
    model.fit(x, y, optimizer=optim.sgd(100.0), epochs=50, verbose=False)
    """,
    """
    the loss became inf in epoch 7
      given:    it began at square(e), where 8 of 8 values are not finite, at [0, 0] with e = 3.929e+21
      declared: net.py:4: model = gx.Model(p, gx.mean(gx.square(e)))
      fix:      lower the learning rate, scale the inputs, or check the data; the model keeps its last finite values
    """,
)

program(
    "equality in where",
    """
    x = gx.input("x", ("n",))
    y = gx.where(x == 0, 1.0, x)
    """,
    """
    == asks whether two nodes are one and the same, and 0 is not a node
      declared: net.py:2: y = gx.where(x == 0, 1.0, x)
      fix:      write gx.equal(x, 0) to compare each element
    """,
)

program(
    "a Python bool in where",
    """
    x, y = gx.input("x", ("n",)), gx.input("y", ("n",))
    z = gx.where(x == y, 1.0, x)
    """,
    """
    where needs a condition per element
      given:    a Python bool, False
      expected: a bool node
      declared: net.py:2: z = gx.where(x == y, 1.0, x)
      fix:      compare with gx.equal(a, b): between nodes, a == b is a Python bool
    """,
)

program(
    "bool of a node",
    """
    x = gx.input("x", ("n",))
    if x > 0:
        y = x
    """,
    """
    a node has no truth value: it stands for values that come later
      given:    greater: bool[n]
      declared: net.py:2: if x > 0:
      fix:      choose per element with gx.where(condition, a, b), or by mode with gx.by_mode(train=..., eval=...)
    """,
)

program(
    "unknown activation",
    """
    x = gx.input("x", ("n", 3))
    h = nn.dense(x, 3, activation="rleu")
    """,
    """
    there is no activation named 'rleu'
      expected: a function, or one of the 28 names of nn.ACTIVATIONS, such as relu, gelu, tanh
      declared: net.py:2: h = nn.dense(x, 3, activation="rleu")
      fix:      did you mean 'relu'?
    """,
)

program(
    "names that may differ",
    """
    a, b = gx.input("a", ("n", 3)), gx.input("b", ("m", 3))
    c = a + b
    """,
    """
    add: size n meets size m on axis -2, counted from the end
      given:    a: float32[n, 3], b: float32[m, 3]
      declared: net.py:2: c = a + b
      fix:      use one name for sizes that are always equal
    """,
)

program(
    "a column minus a row",
    """
    p, y = gx.input("p", ("N", 1)), gx.input("y", ("N",))
    loss = gx.mean(gx.square(p - y))
    """,
    """
    subtract: [N, 1] and [N] would both be stretched, to [N, N]
      given:    p: float32[N, 1], y: float32[N]
      declared: net.py:2: loss = gx.mean(gx.square(p - y))
      fix:      expand_dims(..., axis=1) turns [N] into [N, 1]; if all pairs are meant, say so with expand_dims
    """,
)

program(
    "a loss of two shapes",
    """
    p, y = gx.input("p", ("N", 1)), gx.input("y", ("N",))
    loss = nn.mse(p, y)
    """,
    """
    mse: prediction and target have different shapes
      given:    p: float32[N, 1], y: float32[N]
      expected: one shape
      declared: net.py:2: loss = nn.mse(p, y)
      fix:      reshape or squeeze one of them; a loss never broadcasts
    """,
)

program(
    "gradient of a vector",
    """
    x = gx.input("x", ("n",))
    g = gx.grad(x * x, x)
    """,
    """
    only a scalar has a gradient
      given:    float32[n]
      fix:      reduce it with gx.sum or gx.mean, or use gx.vjp
    """,
)

program(
    "unknown parameter to explain",
    NET
    + """
    model.explain("hidden1.w")
    """,
    """
    there is no trained parameter named 'hidden1.w'
      expected: hidden1.W, hidden1.b
      fix:      did you mean 'hidden1.W'?
    """,
)

program(
    "optimizer as text",
    NET
    + """
    model.fit(np.zeros((5, 4)), [0] * 5, optimizer="Adam")
    """,
    """
    no optimizer is called 'Adam'
      fix:      did you mean 'adam'?
    """,
)
