"""Random sites: like leaves they are made, never interned, so two dropouts never share a mask.

A site owns a bit generator seeded from (seed, its name), so the order of operations, the layout and the target
cannot change what it draws.
"""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError, DTypeError
from graphc.ir.node import Node, fresh_leaf
from graphc.ir.op import Op
from graphc.ir.types import DEFAULT_FLOAT, Type, as_dtype, as_shape
from graphc.ops.leaves import _check_name, _named
from graphc.ops.shape import dims_text

KEEP_BITS = 16
"""That many raw bits are drawn per value: a keep probability p becomes round(p 2**16) / 2**16, at most 2**-17 away.

Raw bits cost a sixth of floats in [0, 1). The bits of a site follow each other in its generator, so how many are drawn
at a time changes no mask, and the layouts have the same. What survives dropout is divided by the rounded
probability, so its mean is that of what came in.
"""

bernoulli_op = Op(
    "bernoulli",
    "leaf",
    (),
    lambda *, name, shape, keep: Type("bool", shape),
    attrs={"name": ..., "shape": ..., "keep": ...},
    role="random",
    numpy=lambda node: (
        f"_bernoulli(rng[{{name}}], {dims_text(node.shape)}, {node.attrs['keep']}){'' if node.shape else '[()]'}"
    ),
    into=lambda operands, out, node, hoist: [
        f"_bernoulli(rng[{{name}}], {dims_text(node.shape)}, {node.attrs['keep']}, out={out})"
    ],
    helpers=("_bernoulli",),
    noun="mask",
    latex=r"\operatorname{{Bernoulli}}",
    cost=0.6,
)


def quantised(probability: float) -> int:
    """The number of the 2**16 values of 16 bits that keep a value.

    Raises:
        ArgumentError: not between 0 and 1, or so small that nothing would ever be kept.
    """
    if not 0 < probability <= 1:
        raise ArgumentError("a keep probability is above 0 and at most 1", given=repr(probability))
    return max(1, round(float(probability) * (1 << KEEP_BITS)))


def bernoulli(shape: Any, keep: float, name: str = "mask") -> Node:
    """A mask that is True with probability ``keep``, rounded to a multiple of 2**-16.

    Example:
        >>> import graphc as gx
        >>> mask = gx.compile(gx.bernoulli((4,), 0.5))(rng=0)
        >>> mask.shape, mask.dtype
        ((4,), dtype('bool'))
    """
    attrs = {"name": _check_name(name), "shape": as_shape(shape), "keep": quantised(keep)}
    return _named(fresh_leaf(bernoulli_op, attrs, bernoulli_op.infer(**attrs)))


normal_op = Op(
    "normal",
    "leaf",
    (),
    lambda *, name, shape, dtype: Type(dtype, shape),
    attrs={"name": ..., "shape": ..., "dtype": ...},
    role="random",
    numpy=lambda node: f"rng[{{name}}].standard_normal({dims_text(node.shape)}, dtype=np.{node.dtype})",
    noun="noise",
    latex=r"\mathcal{{N}}(0, 1)",
    doc="Draws from the normal distribution of mean 0 and variance 1.",
    cost=5.0,
)


def normal(shape: Any, dtype: object = DEFAULT_FLOAT, name: str = "noise") -> Node:
    """Draws from the normal distribution of mean 0 and variance 1.

    Args:
        shape: sizes; ints or names.
        dtype: float32 or float64.
        name: the name of the random site, which seeds its generator.

    Raises:
        DTypeError: a dtype that is no float.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.normal((2, 3)))(rng=0).shape
        (2, 3)
    """
    kind = as_dtype(dtype)
    if not kind.startswith("float"):
        raise DTypeError("a normal distribution is one of floats", given=kind)
    attrs = {"name": _check_name(name), "shape": as_shape(shape), "dtype": kind}
    return _named(fresh_leaf(normal_op, attrs, normal_op.infer(**attrs)))


CARDS = (bernoulli_op, normal_op)
