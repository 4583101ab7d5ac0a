"""PyDataset: batches by their number."""

from __future__ import annotations

from typing import Any


class PyDataset:
    """The base of data sets that give whole batches by their number.

    A subclass implements `__getitem__(index)`, which returns a batch `(inputs, targets)` or
    `(inputs, targets, sample_weights)`, and `__len__()`, the number of batches. It may override
    `on_epoch_end()`.
    `fit(dataset)` reads the batches in a new order in each epoch, unless `shuffle=False`.

    Args:
        workers: how many threads make batches ahead of the training; 0 or 1: the thread that trains makes
            them. With several, `__getitem__` must be safe to call from several threads.
        use_multiprocessing: whether the workers are processes. Each works on a copy of the data set, and
            sends its batches; it is for batches that Python computes for long.
        max_queue_size: the most batches that wait to be used.

    Raises:
        ValueError: for a number of workers that is negative, or a queue that holds nothing.
    """

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

    def __len__(self) -> int:
        """The number of batches."""
        raise NotImplementedError("PyDataset subclasses must implement the `__len__()` method.")

    @property
    def num_batches(self) -> int:
        """The number of batches."""
        return len(self)

    def on_epoch_begin(self) -> None:
        """Called before an epoch."""

    def on_epoch_end(self) -> None:
        """Called after an epoch."""
