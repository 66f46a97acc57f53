"""Where the batches of an epoch come from: arrays in an order drawn for each epoch, or a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np

from graphc.errors import DataError, GraphcError
from graphc.ops.init import name_seed
from graphc.train.data import Arrays, batches, example_count

DEFAULT_BATCH = 32


class Source(Protocol):
    """What a run takes its batches from."""

    @property
    def steps(self) -> int | None:
        """The number of batches in an epoch, where it is known."""

    @property
    def settings(self) -> dict[str, Any]:
        """What must be the same for the batches to be the same."""

    def batches(self, epoch: int, skip: int) -> Iterator[Arrays]:
        """The batches of an epoch, counted from 0, without the first ``skip``."""


@dataclass(frozen=True)
class ArraySource:
    """Arrays in memory.

    Attributes:
        arrays: by input name.
        batched: the inputs that are cut along their first axis.
        batch_size: examples per batch; the last of an epoch may be smaller.
        seed: decides the order of each epoch; None for the order as it is.
        limit: batches per epoch, where that is less than there are.
    """

    arrays: Arrays
    batched: list[str]
    batch_size: int
    seed: int | None
    limit: int | None = None

    @property
    def count(self) -> int:
        """The number of examples."""
        return example_count(self.arrays, self.batched)

    @property
    def steps(self) -> int:
        """See ``Source``."""
        return self.limit or -(-self.count // self.batch_size)

    @property
    def settings(self) -> dict[str, Any]:
        """See ``Source``."""
        return {"examples": self.count, "batch_size": self.batch_size, "shuffle_seed": self.seed}

    def order(self, epoch: int) -> Any:
        """The rows that an epoch takes, in its order."""
        order = np.arange(self.count)
        if self.seed is not None:
            generator = np.random.Generator(np.random.PCG64([self.seed, name_seed("shuffle"), epoch]))
            order = generator.permutation(self.count)
        return order[: self.steps * self.batch_size]

    def batches(self, epoch: int, skip: int) -> Iterator[Arrays]:
        """See ``Source``."""
        order = self.order(epoch)[skip * self.batch_size :]
        return batches(self.arrays, order, self.batch_size, self.batched)


@dataclass
class StreamSource:
    """Batches made elsewhere: an iterable, a function that returns one, or an object with ``epoch_batches(epoch)``.

    Each epoch asks for a new iterator. Of an iterator itself there is only one: an epoch takes ``limit`` batches of it.
    """

    model: Any
    stream: Any
    limit: int | None = None

    @property
    def steps(self) -> int | None:
        """See ``Source``."""
        return self.limit

    @property
    def settings(self) -> dict[str, Any]:
        """See ``Source``."""
        return {"steps_per_epoch": self.limit}

    def batches(self, epoch: int, skip: int) -> Iterator[Arrays]:
        """See ``Source``; every batch is checked. An iterator goes on where it stands.

        Raises:
            DataError: fewer batches than ``limit``, or a batch that does not fit.
        """
        found = iter(epoch_of(self.stream, epoch))
        own = found is not self.stream
        count = 0
        try:
            for batch in found if self.limit is None else islice(found, self.limit - (0 if own else skip)):
                count += 1
                if not own or count > skip:
                    yield self._checked(batch, epoch, count)
        finally:
            if own and hasattr(found, "close"):
                found.close()
        if self.limit is not None and count < self.limit - (0 if own else skip):
            raise _ended_early(count, self.limit, epoch)

    def _checked(self, batch: Any, epoch: int, count: int) -> Arrays:
        x, y = batch if isinstance(batch, tuple) and len(batch) == 2 else (batch, None)
        try:
            found: Arrays = self.model.checked_data(x, y)
        except GraphcError as error:
            place = f"batch {count} of epoch {epoch + 1}"
            given = f"{error.given}, in {place}" if error.given else place
            raise type(error)(
                error.what, given=given, expected=error.expected, where=error.where, fix=error.fix
            ) from error
        return found


def epoch_of(stream: Any, epoch: int) -> Iterable[Any]:
    """The batches of an epoch of a stream, in any of its forms.

    Raises:
        DataError: a function that returns nothing to take batches from.
    """
    if hasattr(stream, "epoch_batches"):
        batches_of_it: Iterable[Any] = stream.epoch_batches(epoch)
        return batches_of_it
    found = stream() if callable(stream) else stream
    if not isinstance(found, Iterable):
        raise DataError(
            "the function of a stream returned nothing to take batches from",
            given=f"{found!r:.60}",
            fix="return an iterator, or write it as a generator with yield",
        )
    return found


def _ended_early(count: int, limit: int, epoch: int) -> DataError:
    return DataError(
        f"the batches ended after {count} of {limit} in epoch {epoch + 1}",
        expected=f"{limit} batches, as steps_per_epoch says",
        fix="pass a function that returns a new iterator for each epoch, or a smaller steps_per_epoch",
    )


def one_epoch_alone(epochs: int) -> DataError:
    """The error for an iterator that several epochs would need."""
    return DataError(
        f"an iterator serves one epoch alone, and {epochs} are asked for",
        fix="pass a function that returns a new iterator for each epoch, or steps_per_epoch",
    )
