"""PyDataset: batches by their number."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from ranvier.core.user_code import ShortErrors


class PyDataset(ShortErrors):
    """The base of data sets that give whole batches by their number.

    A subclass implements `__getitem__(index)`, which returns a batch `(inputs, targets)` or
    `(inputs, targets, sample_weights)`, and `__len__()`, the number of batches; or the property
    `num_batches`, which is None for a data set without an end. It may override `on_epoch_begin()` and
    `on_epoch_end()`: the batches of an epoch are read after the one and before the other. A look at the first
    batch, to build a model for it, is an epoch of its own.
    `fit(dataset)` reads the batches in a new order in each epoch, unless `shuffle=False` or there is no end.

    Args:
        workers: how many threads make batches ahead of the training; 0 or 1: the thread that trains makes
            them. With several, `__getitem__` must be safe to call from several threads.
        use_multiprocessing: whether the workers are processes. Each works on a copy of the data set, and
            sends its batches; it is for batches that Python computes for long.
        max_queue_size: the most batches that wait to be used.

    Raises:
        ValueError: for a number of workers that is negative, or a queue that holds nothing.
    """

    # What a subclass has that does not call the constructor.
    workers = 1
    use_multiprocessing = False
    max_queue_size = 10

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        for name, number, least in (("workers", workers, 0), ("max_queue_size", max_queue_size, 1)):
            if isinstance(number, bool) or not isinstance(number, int) or number < least:
                raise ValueError(f"Argument `{name}` must be an int, at least {least}. Received: {number!r}")
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        """The batch of this number."""
        raise NotImplementedError("PyDataset subclasses must implement the `__getitem__()` method.")

    def __iter__(self) -> Iterator[Any]:
        """The batches in order."""
        try:
            count = self.num_batches
        except NotImplementedError:
            count = None
        return (self[i] for i in (itertools.count() if count is None else range(count)))

    @property
    def num_batches(self) -> int | None:
        """The number of batches; None: there is no end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(
            f"{type(self).__name__} does not say how many batches it has: implement `__len__()`, or the "
            "property `num_batches`, which may be None for data without an end."
        )

    def on_epoch_begin(self) -> None:
        """Called before the first batch of an epoch is read."""

    def on_epoch_end(self) -> None:
        """Called after an epoch."""
