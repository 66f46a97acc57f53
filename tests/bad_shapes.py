"""Shapes that do not fit, and the whole message at the line that declares them; `test_errors` runs them."""

from __future__ import annotations

from tests.bad_programs import program

SHAPES: list[str] = []
"""Their names."""


def shapes(name, text, message):
    SHAPES.append(name)
    program(name, text, message)


shapes(
    "dot product",
    """
    a, b = gx.input("a", (3,)), gx.input("b", (4,))
    y = gx.matmul(a, b)
    """,
    """
    matmul: size 3 meets size 4
      given:    a: float32[3], b: float32[4]
      expected: two vectors of one size
      declared: net.py:2: y = gx.matmul(a, b)
      fix:      give both the same size, or use gx.outer for all products
    """,
)

shapes(
    "batches of matrices",
    """
    a, b = gx.input("a", (2, 3, 4)), gx.input("b", (5, 4, 3))
    y = a @ b
    """,
    """
    matmul: batches [2] of matrices meet batches [5]
      given:    a: float32[2, 3, 4], b: float32[5, 4, 3]
      expected: axes in front of the last two that broadcast
      declared: net.py:2: y = a @ b
      fix:      make the batches equal, or of size 1
    """,
)

shapes(
    "a matrix times a scalar",
    """
    a, s = gx.input("a", (3, 3)), gx.input("s", ())
    y = a @ s
    """,
    """
    matmul takes no scalars
      given:    a: float32[3, 3], s: float32[]
      declared: net.py:2: y = a @ s
      fix:      use * instead
    """,
)

shapes(
    "join along the wrong axis",
    """
    a, b = gx.input("a", ("n", 3)), gx.input("b", ("n", 4))
    y = gx.concat([a, b], axis=0)
    """,
    """
    concat: float32[n, 3] and float32[n, 4] cannot be joined along axis 0
      given:    a: float32[n, 3], b: float32[n, 4]
      expected: one dtype, and equal sizes on the other axes
      declared: net.py:2: y = gx.concat([a, b], axis=0)
      fix:      join them along the axis on which they differ, or reshape one of them
    """,
)

shapes(
    "stack of different sizes",
    """
    a, b = gx.input("a", (3,)), gx.input("b", (4,))
    y = gx.stack([a, b])
    """,
    """
    what is stacked has one shape
      given:    a: float32[3], b: float32[4]
      declared: net.py:2: y = gx.stack([a, b])
      fix:      reshape them alike, or join them along an axis that they have with gx.concat
    """,
)

shapes(
    "reshape to another number of elements",
    """
    x = gx.input("x", (3, 4))
    y = gx.reshape(x, (5, 2))
    """,
    """
    reshape: [3, 4] has 12 elements, [5, 2] has 10
      given:    x: float32[3, 4]
      declared: net.py:2: y = gx.reshape(x, (5, 2))
      fix:      keep the number of elements; one size may be -1, which is then what is left
    """,
)

shapes(
    "an axis that is not there",
    """
    x = gx.input("x", (2, 3))
    y = gx.sum(x, axis=2)
    """,
    """
    there is no axis 2
      given:    x: float32[2, 3]
      expected: from -2 to 1
      declared: net.py:2: y = gx.sum(x, axis=2)
      fix:      count axes from 0 at the front, or from -1 at the end
    """,
)

shapes(
    "an axis named twice",
    """
    x = gx.input("x", (2, 3))
    y = gx.sum(x, axis=(0, 0))
    """,
    """
    an axis is named twice
      given:    (0, 0)
      declared: net.py:2: y = gx.sum(x, axis=(0, 0))
      fix:      name each axis once
    """,
)

shapes(
    "a condition of another size",
    """
    c, x, y = gx.input("c", (3,), dtype="bool"), gx.input("x", (4,)), gx.input("y", (3,))
    z = gx.where(c, x, y)
    """,
    """
    where: size 3 meets size 4 on the last axis
      given:    c: bool[3], x: float32[4], y: float32[3]
      declared: net.py:2: z = gx.where(c, x, y)
      fix:      make the sizes equal, or one of them 1
    """,
)

shapes(
    "letters of einsum",
    """
    a, b = gx.input("a", (2, 3)), gx.input("b", (4, 5))
    y = gx.einsum("ij,jk->ik", a, b)
    """,
    """
    einsum: j has size 3 and size 4
      given:    'ij,jk->ik' over a: float32[2, 3], b: float32[4, 5]
      declared: net.py:2: y = gx.einsum("ij,jk->ik", a, b)
      fix:      one letter stands for one size: transpose an operand, or use another letter
    """,
)

shapes(
    "too many letters",
    """
    a = gx.input("a", (2, 3))
    y = gx.einsum("ijk->i", a)
    """,
    """
    einsum: 3 letters for 2 axes
      given:    'ijk' in 'ijk->i'
      declared: net.py:2: y = gx.einsum("ijk->i", a)
      fix:      write a letter for each axis, or ... for the ones in front
    """,
)

shapes(
    "axes of tensordot",
    """
    a, b = gx.input("a", (2, 3)), gx.input("b", (4, 5))
    y = gx.tensordot(a, b, axes=1)
    """,
    """
    tensordot: the axes that meet have different sizes
      given:    a: float32[2, 3], b: float32[4, 5], axes=1
      declared: net.py:2: y = gx.tensordot(a, b, axes=1)
      fix:      name the axes that meet, as in axes=([1], [0])
    """,
)

shapes(
    "a window larger than the picture",
    """
    x = gx.input("x", ("n", 8, 8, 3))
    h = nn.conv2d(x, 4, 9, name="c1")
    """,
    """
    sliding_windows in layer c1: a window that reaches over 9 does not fit a size of 8
      given:    x: float32[n, 8, 8, 3]
      declared: net.py:2: h = nn.conv2d(x, 4, 9, name="c1")
      fix:      make the window or its dilation smaller, or pad the axis
    """,
)

shapes(
    "a picture without an axis",
    """
    x = gx.input("x", ("n", 8, 3))
    h = nn.conv2d(x, 4, 3, name="c1")
    """,
    """
    a convolution over 2 axes of space takes batch, channels and those axes
      given:    x: float32[n, 8, 3]
      expected: 4 axes, with an int for the number of channels
      declared: net.py:2: h = nn.conv2d(x, 4, 3, name="c1")
      fix:      reshape, for example to (batch, channels, size, size)
    """,
)

shapes(
    "a layer over a named size",
    """
    x = gx.input("x", ("batch", "features"))
    h = nn.dense(x, 4, name="d")
    """,
    """
    the last size must be an int, since it is a size of W in layer d
      given:    x: float32[batch, features]
      declared: net.py:2: h = nn.dense(x, 4, name="d")
      fix:      declare the input with that size, as in gx.input("x", ("batch", 64))
    """,
)

shapes(
    "soft targets of other classes",
    """
    z, t = gx.input("z", ("n", 3)), gx.input("t", ("n", 4))
    l = nn.cross_entropy(z, t)
    """,
    """
    cross_entropy: prediction and target have different shapes
      given:    z: float32[n, 3], t: float32[n, 4]
      expected: one shape
      declared: net.py:2: l = nn.cross_entropy(z, t)
      fix:      reshape or squeeze one of them; a loss never broadcasts
    """,
)

shapes(
    "targets of another width",
    """
    p, y = gx.input("p", ("n", 2)), gx.input("y", ("n", 3))
    l = nn.mse(p, y)
    """,
    """
    mse: prediction and target have different shapes
      given:    p: float32[n, 2], y: float32[n, 3]
      expected: one shape
      declared: net.py:2: l = nn.mse(p, y)
      fix:      reshape or squeeze one of them; a loss never broadcasts
    """,
)

shapes(
    "a sequence beside a carry",
    """
    x = gx.input("x", (5, 3))
    h0 = gx.const(np.zeros(4, "float32"))
    y = gx.scan(lambda h, x: (h + x, None), h0, x)
    """,
    """
    add: size 4 meets size 3 on the last axis
      given:    h: float32[4], x: float32[3]
      declared: net.py:3: y = gx.scan(lambda h, x: (h + x, None), h0, x)
      fix:      make the sizes equal, or one of them 1
    """,
)

shapes(
    "a carry that grows",
    """
    x = gx.input("x", (5, 3))
    h0 = gx.const(np.zeros((), "float32"))
    y = gx.scan(lambda h, x: (h + x, None), h0, x)
    """,
    """
    scan: the next value of the carry h has another type
      given:    float32[3]
      expected: float32[]
      declared: net.py:3: y = gx.scan(lambda h, x: (h + x, None), h0, x)
      fix:      start the carry with the shape and dtype that a step gives
    """,
)

shapes(
    "branches of two shapes",
    """
    x = gx.input("x", (5,))
    y = gx.cond(gx.sum(x) > 0, lambda: x, lambda: gx.sum(x))
    """,
    """
    cond: both branches give values of the same types
      given:    float32[5] and float32[]
      declared: net.py:2: y = gx.cond(gx.sum(x) > 0, lambda: x, lambda: gx.sum(x))
      fix:      reshape or convert one of them
    """,
)

shapes(
    "a state that changes shape",
    """
    s = gx.state("s", (3,))
    x = gx.input("x", (4,))
    y = gx.update(x, {s: x})
    """,
    """
    update: the next value of s has another type
      given:    float32[4]
      expected: float32[3]
      declared: net.py:3: y = gx.update(x, {s: x})
      fix:      declare the state with the shape and dtype that it becomes
    """,
)

shapes(
    "a starting array of another shape",
    """
    W = gx.param("W", (3, 4), init=np.zeros((4, 3)))
    """,
    """
    the starting array of W has another shape
      given:    [4, 3]
      expected: [3, 4]
      declared: net.py:1: W = gx.param("W", (3, 4), init=np.zeros((4, 3)))
      fix:      transpose or reshape the array, or declare the shape that it has
    """,
)

shapes(
    "unequal parts",
    """
    x = gx.input("x", ("n", 7))
    a, b = gx.split(x, 2, axis=1)
    """,
    """
    the parts are not equal
      given:    a size of 7 into 2 parts
      declared: net.py:2: a, b = gx.split(x, 2, axis=1)
      fix:      give the places to cut at, as in gx.split(x, [2, 4])
    """,
)

shapes(
    "the first of a named size",
    """
    x = gx.input("x", ("n", 3))
    y = x[0:1]
    """,
    """
    slice: the size n is only known at run time, and may not reach the stop of the slice at 1
      given:    x: float32[n, 3]
      expected: a stop that is below 0 or left out, or a size such as x.shape[0] - 1
      declared: net.py:2: y = x[0:1]
      fix:      declare the size as an int, or count from the other end
    """,
)

shapes(
    "an index too many",
    """
    x = gx.input("x", ("n", 3))
    y = x[:, 0, 0]
    """,
    """
    3 indices for 2 axes
      given:    x: float32[n, 3]
      declared: net.py:2: y = x[:, 0, 0]
      fix:      leave some out, or reshape first
    """,
)

shapes(
    "a right side of other rows",
    """
    A, b = gx.param("A", (3, 3)), gx.input("b", (4,))
    y = gx.solve(A, b)
    """,
    """
    solve: the matrix has 3 rows, the right side 4
      given:    A: float32[3, 3], b: float32[4, 1]
      expected: a right side with as many rows as the matrix
      declared: net.py:2: y = gx.solve(A, b)
      fix:      transpose the right side, or check how it was made
    """,
)

shapes(
    "residual connection",
    """
    x = gx.input("x", ("batch", 64))
    with gx.scope("block"):
        y = nn.dense(x, 32, name="down")
        z = x + y
    """,
    """
    add in layer block: size 64 meets size 32 on the last axis
      given:    x: float32[batch, 64], block.down.z: float32[batch, 32]
      declared: net.py:4: z = x + y
      fix:      make the sizes equal, or one of them 1
    """,
)

shapes(
    "queries and keys",
    """
    q, k = gx.input("q", ("n", 5, 8)), gx.input("k", ("n", 5, 6))
    y = nn.attention(q, k, k)
    """,
    """
    q and k share their features, k and v their places
      given:    q float32[n, 5, 8], k float32[n, 5, 6], v float32[n, 5, 6]
      declared: net.py:2: y = nn.attention(q, k, k)
      fix:      bring q and k to one number of features with nn.dense
    """,
)

shapes(
    "a matrix that is not square",
    """
    A = gx.param("A", (3, 4))
    y = gx.inv(A)
    """,
    """
    inv: only a square matrix has this
      given:    A: float32[3, 4]
      declared: net.py:2: y = gx.inv(A)
      fix:      gx.pinv and gx.svd take any matrix
    """,
)

shapes(
    "stretched to another size",
    """
    x = gx.input("x", (2, 3))
    y = gx.broadcast_to(x, (2, 4))
    """,
    """
    broadcast_to: size 3 meets size 4 on the last axis
      given:    x: float32[2, 3]
      declared: net.py:2: y = gx.broadcast_to(x, (2, 4))
      fix:      make the sizes equal, or one of them 1
    """,
)

shapes(
    "bounds of another size",
    """
    x = gx.input("x", (5, 3))
    y = gx.clip(x, gx.input("lo", (2,)), 1.0)
    """,
    """
    maximum: size 3 meets size 2 on the last axis
      given:    x: float32[5, 3], lo: float32[2]
      declared: net.py:2: y = gx.clip(x, gx.input("lo", (2,)), 1.0)
      fix:      reshape one of them so that the sizes line up from the right
    """,
)

shapes(
    "softmax over a missing axis, in a layer",
    """
    x = gx.input("x", ("batch", 8))
    with gx.scope("head"):
        z = nn.dense(x, 3, name="scores")
        p = gx.softmax(z, axis=2)
    """,
    """
    there is no axis 2 in layer head
      given:    head.scores.z: float32[batch, 3]
      expected: from -2 to 1
      declared: net.py:4: p = gx.softmax(z, axis=2)
      fix:      count axes from 0 at the front, or from -1 at the end
    """,
)

shapes(
    "a recurrent step, in a layer",
    """
    x = gx.input("x", ("batch", 8))
    h = gx.input("h", ("batch", 4))
    with gx.scope("cell"):
        W, U = gx.param("W", (8, 4)), gx.param("U", (5, 4))
        h = gx.tanh(x @ W + h @ U)
    """,
    """
    matmul in layer cell: size 4 meets size 5
      given:    h: float32[batch, 4], cell.U: float32[5, 4]
      expected: as many columns on the left as rows on the right
      declared: net.py:5: h = gx.tanh(x @ W + h @ U)
      fix:      transpose the right operand (.T)
    """,
)
