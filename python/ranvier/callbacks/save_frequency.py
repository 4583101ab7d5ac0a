"""When a callback that saves has to: after epochs, or after so many batches."""

from __future__ import annotations

from ranvier.core import arguments


class SaveFrequency:
    """Counts batches.

    Args:
        save_freq: "epoch", or a number of batches.

    Raises:
        ValueError: for anything else.
    """

    def __init__(self, save_freq: str | int) -> None:
        save_freq = arguments.plain(save_freq)
        is_number = arguments.is_integer(save_freq) and save_freq >= 1  # type: ignore[operator]
        if save_freq != "epoch" and not is_number:
            raise ValueError(
                f"Unrecognized save_freq: {save_freq}. Expected save_freq are 'epoch' or integer values"
            )
        self._batches = save_freq if isinstance(save_freq, int) else None
        self._last_batch = 0  # of this epoch, the number of batches that were seen
        self._unsaved = 0  # batches since the last time

    @property
    def by_epoch(self) -> bool:
        """Whether it is after every epoch."""
        return self._batches is None

    def begin_epoch(self) -> None:
        """Batches are counted from 0 again."""
        self._last_batch = 0

    def is_due(self, batch: int) -> bool:
        """Whether it is time, after the batch of this number."""
        if self._batches is None:
            return False
        # With several steps per execution, batches pass unseen.
        self._unsaved += batch + 1 - self._last_batch
        self._last_batch = batch + 1
        if self._unsaved < self._batches:
            return False
        self._unsaved = 0
        return True
