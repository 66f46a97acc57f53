# mypy: ignore-errors
# ruff: noqa: B905
# The text of what stands here is copied into generated listings, so it carries no annotations.
"""What the planned form of a listing keeps: vectors whose pieces have names, and a workspace."""

import numpy as np


class _Pieces(dict):
    """Arrays by name, pieces of a vector for each kind; what is assigned is copied there."""

    vectors, whole, grads, slots, steps, owner = None, None, None, None, None, None

    def __setitem__(self, name, value):
        piece = self.get(name)
        if not isinstance(piece, np.ndarray):
            super().__setitem__(name, value)
        elif np.shape(value) != piece.shape:
            raise ValueError(f"{name} has shape {piece.shape}, not {np.shape(value)}")
        else:
            piece[...] = value

    def update(self, *args, **kwargs):
        for name, value in dict(*args, **kwargs).items():
            self[name] = value

    def __ior__(self, other):
        self.update(other)
        return self

    def _keep(self, *_):
        raise TypeError("steps read these arrays: assign to a name, or take a copy")

    __delitem__ = pop = popitem = clear = _keep

    def __reduce__(self):  # a copy is a plain dict
        return dict, ({name: np.array(value)[()] for name, value in self.items()},)


def _vector(arrays):
    """One vector of the elements of arrays (bytes, where dtypes differ), and the pieces of it."""
    alike = len({a.dtype for a in arrays}) == 1
    units = [a.size if alike else -(-a.nbytes // 8) * 8 for a in arrays]
    vector = np.empty(sum(units), arrays[0].dtype if alike else np.uint8)
    pieces, start = [], 0
    for a, units_of_a in zip(arrays, units):
        piece = vector[start : start + (a.size if alike else a.nbytes)].view(a.dtype)
        pieces.append(piece.reshape(a.shape))
        pieces[-1][...] = a
        start += units_of_a
    return vector, pieces


def _named(arrays, trained):
    """One vector of arrays by name, what lies in it by name, and the arrays as views of that.

    Of a weight and a bias that are a pair in trained, [Wᵀ|b] lies there, by the name of the weight.
    """
    pairs = [pair for pair in trained if isinstance(pair, tuple) and arrays.keys() >= {*pair}]
    whole = {name: np.asarray(a) for name, a in arrays.items()}
    for w, b in pairs:
        whole[w] = np.concatenate([whole[w].T, whole.pop(b)[:, None]], axis=1)
    vector, pieces = _vector(list(whole.values()))
    whole = dict(zip(whole, pieces))
    views = {name: whole.get(name) for name in arrays}
    for w, b in pairs:
        views[w], views[b] = whole[w][:, :-1].T, whole[w][:, -1]
    return vector, whole, views


def _in_vectors(params, slots, trained, owner):
    """Copies; what is trained, its gradients and each kind of slot are pieces of vectors."""
    names = [n for t in trained for n in (t if isinstance(t, tuple) else (t,))]
    kinds = {key.rpartition("/")[0] for key in slots if "/" in key}
    kept = {kind: [n for n in names if f"{kind}/{n}" in slots] for kind in kinds}
    groups = {kind: {n: slots[f"{kind}/{n}"] for n in kept[kind]} for kind in kinds}
    groups["theta"] = {n: params[n] for n in names}
    groups["g"] = {n: np.zeros_like(params[n]) for n in names}
    pieces = {kind: _named(arrays, trained) for kind, arrays in groups.items()}
    params = _Pieces({name: np.array(value) for name, value in params.items()})
    dict.update(params, pieces["theta"][2])
    slots = _Pieces({name: np.array(value)[()] for name, value in slots.items()})
    for kind in kinds:
        dict.update(slots, {f"{kind}/{name}": view for name, view in pieces[kind][2].items()})
    params.vectors = {kind: vector for kind, (vector, _, _) in pieces.items()}
    params.whole = {kind: whole for kind, (_, whole, _) in pieces.items()}
    params.owner = owner
    params.grads, params.slots, params.steps = pieces["g"][2], slots, {}
    return params, slots


class _Prepared(dict):
    """Data by name, as the steps of the module whose prepare made it read them."""

    maker = None


def _rows(order, count):
    """Rows of the data to take, as integers."""
    order = np.arange(count)[order] if isinstance(order, slice) else np.asarray(order)
    if order.ndim != 1:
        raise ValueError(f"order has shape {order.shape}, expected (rows,)")
    if order.size and order.dtype.kind not in "iu":
        raise TypeError(f"order holds {order.dtype}, expected the numbers of rows")
    if order.size and (order.min() < 0 or order.max() >= count):
        found = f"{order.min()} to {order.max()}"
        raise IndexError(f"order holds rows {found}, expected 0 to {count - 1}")
    return order


def _placed(sizes, spans, order):
    """Where arrays start: in this order, each in the first gap between those needed with it."""
    starts, placed = [0] * len(sizes), []
    for i in order:
        (first, last), start = spans[i], 0
        for other in placed:  # in order of their starts
            if spans[other][0] <= last and first <= spans[other][1]:
                if starts[other] - start >= sizes[i]:
                    break
                start = max(start, starts[other] + sizes[other])
        starts[i] = start
        placed.append(i)
        placed.sort(key=starts.__getitem__)
    return starts


def _packed(specs):
    """Where arrays for (shape, dtype, first, last) start, and the bytes of all.

    Large ones come first; if that wastes memory, those needed longest may waste less, or others.
    """
    sizes = [int(np.prod(shape)) * np.dtype(dtype).itemsize for shape, dtype, _, _ in specs]
    sizes = [-(-size // 64) * 64 for size in sizes]
    spans = [(first, last) for _, _, first, last in specs]
    alive = [sum(n for n, (i, j) in zip(sizes, spans) if i <= at <= j) for at, _ in spans]
    best, total = [], None
    for key in (
        lambda i: -sizes[i],
        lambda i: (spans[i][0] - spans[i][1], -sizes[i]),
        lambda i: (-spans[i][1], -sizes[i]),
        lambda i: (spans[i][0], -sizes[i]),
    ):
        starts = _placed(sizes, spans, sorted(range(len(specs)), key=key))
        end = max((start + size for start, size in zip(starts, sizes)), default=0)
        if total is None or end < total:
            best, total = starts, end
        if total == max(alive, default=0):
            break
    return best, total


def _number(value, dtype):
    """A Python number as an array of rank 0, which costs a call least."""
    return np.array(value, dtype) if type(value) in (int, float) else value


def _buffers(*specs):
    """Arrays for (shape, dtype, first, last), in one; those that no computation needs both share.

    First and last count the computations of a step, from 0, to the last that reads the array.
    """
    starts, total = _packed(specs)
    work = np.empty(total + 64, np.uint8)
    work = work[-work.ctypes.data % 64 :]
    arrays = []
    for (shape, dtype, _, _), start in zip(specs, starts):
        count = int(np.prod(shape)) * np.dtype(dtype).itemsize
        arrays.append(work[start : start + count].view(dtype).reshape(shape))
    return arrays


def _exponentials(x, e, total, largest, axis, ones=None):
    """exp(x - largest) into e and its sums into total, where largest is 0 unless it is needed.

    A sum from 1e-9 to 1e25 is of normal numbers: what underflows beside it is 1e-29 of it at most.
    """
    with np.errstate(over="ignore"):
        np.exp(x, out=e)
        _sums(e, total, axis, ones)
    if total.size and total.min() > 1e-9 and total.max() < 1e25:
        largest.fill(0.0)
        return
    # a row that overflows, vanishes or holds a nan: all again, less the largest of each row
    np.maximum.reduce(x, axis=axis, keepdims=True, out=largest)
    np.subtract(x, largest, out=e)
    np.exp(e, out=e)
    _sums(e, total, axis, ones)


def _sums(e, total, axis, ones):
    """Sums along an axis, of a matrix as a product with ones."""
    if ones is None:
        np.add.reduce(e, axis=axis, keepdims=True, out=total)
    elif axis:
        np.dot(e, ones, out=total)
    else:
        np.dot(ones, e, out=total)


def _cut(length, vectors, buffers):
    """Vectors in pieces of this length, the last may be shorter, each with buffers for it."""
    starts = range(0, len(vectors[0]), length)
    counts = [len(vectors[0][i : i + length]) for i in starts]
    cut = zip(starts, counts)
    return [(*(v[i : i + n] for v in vectors), *(b[:n] for b in buffers)) for i, n in cut]


def _strips(length, rows, arrays, buffers):
    """Strips of rows, the last may be shorter: where it starts and ends, arrays, buffers."""
    strips = []
    for i in range(0, length, max(rows, 1)):
        j = min(i + rows, length)
        strips.append((i, j, *(a[i:j] for a in arrays), *(b[: j - i] for b in buffers)))
    return strips
