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
        workers: must be 1 (or 0): batches are made in the thread that trains.
        use_multiprocessing: must be False.
        max_queue_size: accepted as in Keras; without further workers there is no queue.

    Raises:
        ValueError: for an argument that is not offered.
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        if workers not in (0, 1):
            raise ValueError(f"PyDataset does not support more than one worker. Received: workers={workers}")
        if use_multiprocessing:
            raise ValueError("PyDataset does not support `use_multiprocessing=True`.")
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
