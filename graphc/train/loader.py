"""Batches made ahead of time by a background thread, and batches of arrays that need not fit in memory."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DataError
from graphc.ops.init import name_seed
from graphc.train.run import check_count
from graphc.train.sources import epoch_of

_WAIT = 0.05
"""Seconds after which a thread that waits looks whether it is still wanted."""


class Prefetch:
    """A stream of batches for ``fit``, made by a thread that stays a few batches ahead.

    The queue is bounded; what goes wrong in the thread is raised where the batch would have come; the thread ends with
    the epoch, however that ends.

    Args:
        stream: an iterable, a function that returns one, or an object with ``epoch_batches(epoch)``. An iterator is
            refused: what the thread has taken ahead would be lost at the end of an epoch.
        ahead: how many batches wait at most.

    Raises:
        ArgumentError: an iterator, or something else.

    Example:
        >>> list(Prefetch(range(3)))
        [0, 1, 2]
    """

    def __init__(self, stream: Any, ahead: int = 2) -> None:
        check_count("ahead", ahead, 1)
        if isinstance(stream, Iterator):
            raise ArgumentError(
                "an iterator cannot be taken from ahead of time",
                given=type(stream).__name__,
                fix="pass the function that makes it",
            )
        if not (callable(stream) or hasattr(stream, "__iter__") or hasattr(stream, "epoch_batches")):
            raise ArgumentError(
                "a stream is an iterable or a function that returns one", given=f"{stream!r:.60}"
            )
        self.stream, self.ahead = stream, ahead

    def epoch_batches(self, epoch: int) -> Iterator[Any]:
        """The batches of an epoch."""
        return _fetched(lambda: iter(epoch_of(self.stream, epoch)), self.ahead)

    def __iter__(self) -> Iterator[Any]:
        return self.epoch_batches(0)


def _fetched(make: Callable[[], Iterator[Any]], ahead: int) -> Iterator[Any]:
    """What ``make()`` yields, taken by a thread of its own."""
    done = threading.Event()
    waiting: queue.Queue[tuple[str, Any]] = queue.Queue(ahead)
    thread = threading.Thread(target=_fetch, args=(make, waiting, done), name="graphc batches", daemon=True)
    thread.start()
    try:
        while True:
            kind, thing = waiting.get()
            if kind == "error":
                raise thing
            if kind == "end":
                return
            yield thing
    finally:
        done.set()
        thread.join(
            timeout=5.0
        )  # a source that never answers does not hold up the program: the thread is a daemon


def _fetch(
    make: Callable[[], Iterator[Any]], waiting: queue.Queue[tuple[str, Any]], done: threading.Event
) -> None:
    last: tuple[str, Any] = ("end", None)
    source: Any = None
    try:
        source = make()
        for thing in source:
            if not _put(waiting, ("batch", thing), done):
                break
    except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits for a batch
        last = ("error", error)
    finally:
        if hasattr(source, "close"):
            source.close()
    _put(waiting, last, done)


def _put(waiting: queue.Queue[tuple[str, Any]], thing: tuple[str, Any], done: threading.Event) -> bool:
    """Whether it could be handed over before it was no longer wanted."""
    while not done.is_set():
        try:
            waiting.put(thing, timeout=_WAIT)
        except queue.Full:
            continue
        return True
    return False


class Loader:
    """Batches of arrays, such as memory-mapped files larger than memory: only the rows of a batch are read.

    Each epoch has an order of its own, drawn from the seed and the number of the epoch, so that a run that goes on from
    a checkpoint sees the same batches.

    Args:
        x: an array or several by input name; all have the same number of rows.
        y: an array for the target, where ``x`` is one array.
        batch_size: rows per batch; the last may be smaller.
        shuffle: whether the rows are drawn in another order for each epoch.
        seed: of that order.
        transform: what is done to each batch ``(x, y)`` (or dict), in the thread that makes it.
        ahead: how many batches a background thread makes ahead of time; 0 for none.
        drop_last: leave out a last batch that is smaller.

    Raises:
        DataError: arrays of different length, or fewer rows than a batch.

    Example:
        >>> import numpy as np
        >>> loader = Loader(np.arange(5.0)[:, None], np.arange(5), batch_size=2, shuffle=False)
        >>> [y.tolist() for x, y in loader.epoch_batches(0)]
        [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int = 0,
        transform: Callable[[Any], Any] | None = None,
        ahead: int = 2,
        drop_last: bool = False,
    ) -> None:
        for name, value, least in (("batch_size", batch_size, 1), ("seed", seed, 0), ("ahead", ahead, 0)):
            check_count(name, value, least)
        self.arrays = _rows_of(x, y)
        self.batch_size, self.shuffle, self.seed = batch_size, shuffle, seed
        self.transform, self.ahead, self.drop_last = transform, ahead, drop_last
        if not len(self):
            raise DataError(
                f"{self.count} rows make no batch of {batch_size}",
                fix="a smaller batch_size, or drop_last=False",
            )

    @property
    def count(self) -> int:
        """The number of rows."""
        arrays = self.arrays.values() if isinstance(self.arrays, dict) else self.arrays
        return len(next(iter(arrays)))

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        return self.count // self.batch_size if self.drop_last else -(-self.count // self.batch_size)

    def epoch_batches(self, epoch: int) -> Iterator[Any]:
        """The batches of an epoch, counted from 0."""
        if not self.ahead:
            return self._batches(epoch)
        return _fetched(lambda: self._batches(epoch), self.ahead)

    def __iter__(self) -> Iterator[Any]:
        return self.epoch_batches(0)

    def _batches(self, epoch: int) -> Iterator[Any]:
        order = np.arange(self.count)
        if self.shuffle:
            generator = np.random.Generator(np.random.PCG64([self.seed, name_seed("shuffle"), epoch]))
            order = generator.permutation(self.count)
        for i in range(len(self)):
            batch = _taken(self.arrays, order[i * self.batch_size : (i + 1) * self.batch_size])
            yield batch if self.transform is None else self.transform(batch)


def _rows_of(x: Any, y: Any) -> Any:
    arrays: Any = (x,) if y is None else (x, y)
    if hasattr(x, "keys"):
        arrays = {name: _rows(x[name]) for name in x.keys()}  # noqa: SIM118  an archive of NumPy is no dict
    else:
        arrays = tuple(_rows(a) for a in arrays)
    lengths = [len(a) for a in (arrays.values() if isinstance(arrays, dict) else arrays)]
    if y is not None and isinstance(arrays, dict):
        raise ArgumentError("arrays by name come in one dict", fix="put the target into the dict")
    if not lengths or len(set(lengths)) > 1 or not lengths[0]:
        raise DataError(
            "the arrays have different numbers of rows, or none",
            given=", ".join(map(str, lengths)) or "no array",
        )
    return arrays


def _rows(array: Any) -> Any:
    """What has a shape as it is (it may be a file larger than memory); a list as an array.

    Raises:
        DataError: what has no rows.
    """
    found = array if hasattr(array, "shape") else np.asarray(array)
    if not len(found.shape):
        raise DataError("an array of a loader has rows", given=f"{array!r:.60}")
    return found


def _taken(arrays: Any, rows: Any) -> Any:
    if isinstance(arrays, dict):
        return {name: np.asarray(a[rows]) for name, a in arrays.items()}
    if len(arrays) == 1:
        return np.asarray(arrays[0][rows])
    return tuple(np.asarray(a[rows]) for a in arrays)
