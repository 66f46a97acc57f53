"""ONNX: shapes, look-ups and products; networks as far as graphc goes; the rest by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.external.adapters import norms, windows
from tests.external.judging import later, layers, ops


def reshape(x: Any, a: Any) -> Any:
    """A 0 keeps the size, unless zeros are allowed."""
    sizes = x.ints(1)
    if not a.get("allowzero"):
        sizes = [x[0].shape[i] if n == 0 else n for i, n in enumerate(sizes)]
    return ops.reshape(x[0], tuple(sizes))


def flatten(x: Any, a: Any) -> Any:
    axis = a.get("axis", 1)
    axis = axis + x[0].ndim if axis < 0 else axis
    return ops.reshape(x[0], (int(np.prod(x[0].shape[:axis])), -1))


def expand(x: Any, a: Any) -> Any:
    return ops.broadcast_to(x[0], np.broadcast_shapes(tuple(x[0].shape), tuple(x.ints(1))))


def unsqueeze(x: Any, a: Any) -> Any:
    y, rank = x[0], x[0].ndim + len(x.ints(1))
    for axis in sorted(i % rank for i in x.ints(1)):
        y = ops.expand_dims(y, axis)
    return y


def sliced(x: Any, a: Any) -> Any:
    y, starts, ends = x[0], x.ints(1), x.ints(2)
    axes, steps = x.ints(3) or range(len(starts)), x.ints(4) or [1] * len(starts)
    index = [slice(None)] * y.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        index[axis] = slice(start, None if step < 0 and end < -y.shape[axis] else end, step)
    return y[tuple(index)]


def parted(x: Any, a: Any) -> Any:
    """Parts of the sizes given, or so many equal ones, the last of them smaller."""
    axis, count = a.get("axis", 0), a.get("num_outputs") or a["outputs"]
    each = -(-x[0].shape[axis] // count)
    ends = np.cumsum(x.ints(1))[:-1].tolist() if x.has(1) else list(range(each, each * count, each))
    return tuple(ops.split(x[0], ends, axis=axis))


def pad(x: Any, a: Any) -> Any:
    if a.get("mode", "constant") != "constant":
        later(f"gx.pad of mode {a['mode']}")()
    axes, pads = x.ints(3) or range(x[0].ndim), x.ints(1)
    widths = [(0, 0)] * x[0].ndim
    for i, axis in enumerate(axes):
        widths[axis] = (pads[i], pads[i + len(pads) // 2])
    cut = tuple(slice(max(-p, 0), n - max(-q, 0)) for n, (p, q) in zip(x[0].shape, widths, strict=True))
    kept = [(max(p, 0), max(q, 0)) for p, q in widths]
    return ops.pad(x[0][cut], kept, constant_values=float(x.array(2, 0.0)))


def gemm(x: Any, a: Any) -> Any:
    left, right = (
        ops.matrix_transpose(x[i]) if a.get(k) else x[i] for i, k in ((0, "transA"), (1, "transB"))
    )
    y = a.get("alpha", 1.0) * (left @ right)
    return y + a.get("beta", 1.0) * x[2] if x.has(2) else y


def one_hot(x: Any, a: Any) -> Any:
    """Off and on values; a place counts from the end where it is negative, and one out of range is nowhere on."""
    depth, (off, on) = int(np.ravel(x.array(1))[0]), x.array(2)
    places = ops.where(x[0] < 0, x[0] + depth, x[0])
    classes = np.arange(depth).reshape((1,) * x[0].ndim + (depth,)).astype(x[0].dtype)
    y = ops.where(ops.equal(ops.expand_dims(places, -1), classes), ops.const(on), ops.const(off))
    return ops.moveaxis(y, -1, a.get("axis", -1))


def eye(x: Any, a: Any) -> Any:
    return ops.eye(*x.array(0).shape, k=a.get("k", 0), dtype={11: "float64", 1: "float32"}[a["dtype"]])


def filled(x: Any, a: Any) -> Any:
    return ops.full(tuple(x.ints(0)), a["value"][0] if "value" in a else 0.0, "float32")


def shape(x: Any, a: Any) -> Any:
    sizes = [ops.size(x[0], i) for i in range(x[0].ndim)][a.get("start") : a.get("end")]
    return ops.stack(sizes, axis=0) if sizes else ops.const(np.zeros(0, "int64"))


def space_to_depth(x: Any, a: Any) -> Any:
    n, c, h, w = x[0].shape
    b = a["blocksize"]
    y = ops.reshape(x[0], (n, c, h // b, b, w // b, b))
    return ops.reshape(ops.transpose(y, (0, 3, 5, 1, 2, 4)), (n, c * b * b, h // b, w // b))


def gather_nd(x: Any, a: Any) -> Any:
    if a.get("batch_dims"):
        later("gx.gather of batches")()
    return ops.gather(x[0], [x[1][..., i] for i in range(x.array(1).shape[-1])])


def scatter_elements(x: Any, a: Any) -> Any:
    axis, how, index = a.get("axis", 0), a.get("reduction", "none"), x.array(1)
    index = np.where(index < 0, index + x[0].shape[axis], index)
    if how == "none":
        return ops.put_along_axis(x[0], ops.const(index), x[2], axis)
    numbers = np.take_along_axis(np.arange(x.array(0).size).reshape(x[0].shape), index, axis)
    flat = met(how)(ops.reshape(x[0], -1), ops.const(numbers.ravel()), ops.reshape(x[2], -1))
    return ops.reshape(flat, x[0].shape)


def met(how: str) -> Any:
    """What happens where values meet."""
    names = {"none": "set", "add": "add", "mul": "multiply", "max": "maximum", "min": "minimum"}
    return getattr(ops, f"{names[how]}_at")


def scatter_nd(x: Any, a: Any) -> Any:
    """Each row of indices is a place in the first axes."""
    places = tuple(x[1][..., i] for i in range(x.array(1).shape[-1]))
    return met(a.get("reduction", "none"))(x[0], places, x[2])


def loss(name: str) -> Any:
    """The classes are axis 1, the weights of classes the third input; the second output is the logarithms."""

    def judged(x: Any, a: Any) -> Any:
        options = {"class_weights": x[2] if x.has(2) else None, "ignore": a.get("ignore_index")}
        found = getattr(layers, name)(x[0], x[1], a.get("reduction", "mean"), 1, **options)
        return (found, ops.log_softmax(x[0], axis=1)) if a["outputs"] > 1 else found

    return judged


def dropout(x: Any, a: Any) -> Any:
    """In evaluation it is the identity, with a mask of ones."""
    rate = float(x.array(1, a.get("ratio", 0.5)))
    if x.array(2, False) and rate:
        later("the mask that NumPy draws from seed 0")()
    y = layers.dropout(x[0], rate)
    return (y, ops.ones(tuple(x[0].shape), "bool"))[: a["outputs"]]


def spatial(name: str) -> Any:
    """A reduction over all axes behind the channels."""
    return lambda x, a: getattr(ops, name)(x[0], axis=tuple(range(2, x[0].ndim)), keepdims=True)


TABLE = {
    "Concat": lambda x, a: ops.concat(x.every(), axis=a["axis"]),
    "ConstantOfShape": filled,
    "Einsum": lambda x, a: ops.einsum(a["equation"], *x.every()),
    "Expand": expand,
    "EyeLike": eye,
    "Flatten": flatten,
    "Gather": lambda x, a: ops.take(x[0], x[1], axis=a.get("axis", 0)),
    "GatherElements": lambda x, a: ops.take_along_axis(x[0], x[1], axis=a.get("axis", 0)),
    "GatherND": gather_nd,
    "Gemm": gemm,
    "Identity": lambda x, a: x[0],
    "MatMul": lambda x, a: ops.matmul(x[0], x[1]),
    "OneHot": one_hot,
    "Pad": pad,
    "Reshape": reshape,
    "ScatterElements": scatter_elements,
    "ScatterND": scatter_nd,
    "Shape": shape,
    "Size": lambda x, a: ops.size(x[0]),
    "Slice": sliced,
    "SpaceToDepth": space_to_depth,
    "Split": parted,
    "Squeeze": lambda x, a: ops.squeeze(x[0], tuple(x.ints(1)) if x.has(1) else None),
    "Tile": lambda x, a: ops.tile(x[0], tuple(x.ints(1))),
    "Transpose": lambda x, a: ops.transpose(x[0], a.get("perm")),
    "Unsqueeze": unsqueeze,
    "Det": lambda x, a: ops.det(x[0]),
    "Dropout": dropout,
    "GlobalAveragePool": spatial("mean"),
    "GlobalMaxPool": spatial("max"),
    "SoftmaxCrossEntropyLoss": loss("cross_entropy"),
    "NegativeLogLikelihoodLoss": loss("nll"),
    **{name: later(f"nn: {name}") for name in ("GRU", "LSTM", "RNN", "RotaryEmbedding")},
    **norms.ONNX,
    **windows.ONNX,
}
"""Operation to function."""
