"""Buffers and who shares them, read off a listing."""

from __future__ import annotations

from graphc.explanation.slots import pieces_of, sized, slots_of

TEXT = """
def plan_step(batch, params):
    [
        h,
        mask,
    ] = _buffers(
        ((batch, 3), np.float32, 0, 9),  # until z
        ((batch, 3), np.bool_, 4, 5),
    )
    h_2 = h
    strip = min(batch, 5)
    other = params
    pieces = _cut(32768, [theta, g], [product])

    def step(x):
        [z] = _buffers(((2,), np.float64, 1, 2))
        return z

    return step
"""


def test_slots_are_read_with_what_shares_them():
    first, second, third = slots_of(TEXT)
    assert (first.name, first.shape, first.dtype, first.shared) == ("h", "(batch, 3)", "float32", ("h_2",))
    assert (second.dtype, second.first, second.last) == ("bool", 4, 5)
    assert str(first) == "h: float32(batch, 3), then h_2; computations 0 to 9 (z)"
    assert third.shape == "(2,)"


def test_pieces_are_read():
    assert pieces_of(TEXT) == (32768,)


def test_a_listing_without_buffers_has_none():
    assert slots_of("def f(x):\n    return x\n") == ()
    assert pieces_of("def f(x):\n    return x\n") == ()


def test_sizes_make_bytes_and_a_workspace():
    slots, workspace = sized(slots_of(TEXT), TEXT, {"batch": 100})
    assert [s.bytes for s in slots] == [1200, 300, 16]
    assert workspace == 1216 + 320  # each begins at a multiple of 64; the last lies where the second does
    assert "1,200 bytes" in str(slots[0])


def test_a_strip_is_no_longer_than_the_rows():
    text = TEXT.replace("((batch, 3), np.bool_", "((strip, 3), np.bool_")
    assert [sized(slots_of(text), text, {"batch": n})[0][1].bytes for n in (3, 100)] == [9, 15]
