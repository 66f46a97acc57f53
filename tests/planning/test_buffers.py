"""Where values live: no two that are needed at once share memory, and little more is taken than that needs."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import graphc as gx
from graphc.ops.vectors import _buffers, _cut, _packed, _placed
from graphc.planning.buffers import make_memory

spans = st.tuples(st.integers(1, 5000), st.integers(0, 40), st.integers(0, 15))


@given(st.lists(spans, max_size=40))
def test_arrays_that_are_needed_at_once_do_not_overlap(drawn):
    specs = [((count,), np.float32, first, first + length) for count, first, length in drawn]
    arrays = _buffers(*specs)
    for i, (one, a) in enumerate(zip(arrays, specs, strict=True)):
        assert one.shape == a[0]
        assert one.ctypes.data % 64 == 0
        for other, b in zip(arrays[:i], specs, strict=False):
            if a[2] <= b[3] and b[2] <= a[3]:
                assert not np.shares_memory(one, other)


def test_memory_is_that_of_the_worst_moment_in_a_network():
    sizes = [784, 256, 128, 64, 128, 256, 784]
    specs = [((128, n), np.float32, i, 2 * len(sizes) - i) for i, n in enumerate(sizes)]
    specs += [((128, n), np.float32, 2 * len(sizes) - i - 1, 2 * len(sizes) - i) for i, n in enumerate(sizes)]
    arrays = _buffers(*specs)
    taken = max(a.ctypes.data + a.nbytes for a in arrays) - min(a.ctypes.data for a in arrays)
    needed = max(
        sum(a.nbytes for a, (_, _, first, last) in zip(arrays, specs, strict=True) if first <= at <= last)
        for at in range(2 * len(sizes) + 1)
    )
    assert taken <= 1.1 * needed


def test_pieces_of_vectors_cover_them():
    vector, buffer = np.arange(10), np.zeros(4)
    pieces = _cut(4, [vector], [buffer])
    assert [list(v) for v, _ in pieces] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert [len(b) for _, b in pieces] == [4, 4, 2]


def test_a_value_takes_the_array_of_an_operand_that_dies():
    x = gx.input("x", (3,))
    a = gx.exp(x)
    b = gx.tanh(a)
    c = b + a
    memory = make_memory([a, b, c], {a, b, c}, lambda n: True, lambda n: False, [c], {})
    assert memory.home == {a: a, b: b, c: b}  # a is read again where c is made: either may be written over
    memory = make_memory([a, b, c], {a, b, c}, lambda n: True, lambda n: False, [c, b], {})
    assert memory.home[c] is a  # b is wanted at the end
    memory = make_memory([a, b, c], {a, b, c}, lambda n: False, lambda n: False, [c], {})
    assert memory.home == {a: a, b: b, c: c}


def test_what_size_alone_packs_badly_is_packed_by_the_length_of_lives():
    specs = [((count,), np.uint8, first, last) for count, first, last in LOOP]
    starts, total = _packed(specs)
    alive = max(sum(c for c, i, j in LOOP if i <= at <= j) for _, at, _ in LOOP)
    sizes = [count for count, _, _ in LOOP]
    by_size = _placed(sizes, [(i, j) for _, i, j in LOOP], sorted(range(len(LOOP)), key=lambda i: -sizes[i]))
    assert max(map(sum, zip(by_size, sizes, strict=True))) > alive
    assert total == alive
    assert len(starts) == len(LOOP)


LOOP = [(256, 3, 7), (192, 3, 6), (320, 2, 2), (256, 0, 3)]
"""Bytes, first and last use."""
