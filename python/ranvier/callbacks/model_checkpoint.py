"""ModelCheckpoint: the model in a file, again and again while it is trained."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ranvier.callbacks.callback import Logs
from ranvier.callbacks.monitor_callback import MonitorCallback
from ranvier.callbacks.save_frequency import SaveFrequency
from ranvier.core.user_code import warn


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after every epoch or every few batches.

    Args:
        filepath: the file, ".keras" for models and ".weights.h5" for weights. It may hold the fields
            `{epoch}` (counted from 1), `{batch}` (likewise, if `save_freq` is a number) and those of the
            logs: "{epoch:02d}-{val_loss:.2f}.keras".
        monitor: the metric to watch, by its name in the logs.
        verbose: 1: says what it does; 0: is silent.
        save_best_only: whether it saves only if the metric is better than ever before.
        save_weights_only: whether it saves the weights alone.
        mode: "min", "max", or "auto": known from the metric.
        save_freq: "epoch", or a number of batches. The loop then returns to Python after every batch.
        initial_value_threshold: with `save_best_only`, the value to be better than at first.

    Raises:
        ValueError: for a file with another ending, or another `save_freq`.

    Attributes:
        best: the best value so far.

    Example:
        >>> best = rv.callbacks.ModelCheckpoint("best.keras", save_best_only=True)
        >>> model.fit(x, y, validation_split=0.1, epochs=20, callbacks=[best])
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self.best = initial_value_threshold
        self._frequency = SaveFrequency(save_freq)
        ending = ".weights.h5" if save_weights_only else ".keras"
        if not self.filepath.endswith(ending):
            when = (
                "When using `save_weights_only=True` in `ModelCheckpoint`, the"
                if save_weights_only
                else "The"
            )
            raise ValueError(
                f"{when} filepath provided must end in `{ending}`. Received: filepath={self.filepath}"
            )
        self._epoch = 0

    def idle_in(self, kind: str) -> bool:
        """Whether there is nothing to do between the batches of a loop: "train", "test" or "predict"."""
        return kind != "train" or self._frequency.by_epoch

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch
        self._frequency.begin_epoch()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self._frequency.is_due(batch):
            self._save(self._epoch, batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self._frequency.by_epoch:
            self._save(epoch, None, logs)

    def _save(self, epoch: int, batch: int | None, logs: Logs | None) -> None:
        path = self._path(epoch, batch, logs or {})
        if self.save_best_only and not self._is_best(epoch, path, logs or {}):
            return
        if not self.save_best_only:
            self._say(f"\nEpoch {epoch + 1}: saving model to {path}")
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        self._say(f"\nEpoch {epoch + 1}: finished saving model to {path}")

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> str:
        fields = {"epoch": epoch + 1} | ({} if batch is None else {"batch": batch + 1}) | logs
        try:
            return self.filepath.format(**fields)
        except KeyError as error:
            raise KeyError(
                f'Failed to format this callback filepath: "{self.filepath}". Reason: {error}. '
                f"Known fields: {', '.join(fields)}"
            ) from None

    def _is_best(self, epoch: int, path: str, logs: dict[str, Any]) -> bool:
        value = logs.get(self.monitor)
        if value is None:
            warn(
                f"Can save best model only with {self.monitor} available, skipping. "
                f"Available metrics are: {','.join(logs)}",
            )
            return False
        if np.ndim(value) > 0:
            warn(
                f"The best model has a scalar as its metric, and `{self.monitor}` has the shape "
                f"{np.shape(value)}: every model is saved, as with `save_best_only=False`.",
            )
            return True
        self.resolve_mode()
        if not self.is_improvement(value, self.best):
            self._say(f"\nEpoch {epoch + 1}: {self.monitor} did not improve from {self.best:0.5f}")
            return False
        before = "None" if self.best is None else f"{self.best:0.5f}"
        self._say(
            f"\nEpoch {epoch + 1}: {self.monitor} improved from {before} to {value:0.5f}, "
            f"saving model to {path}"
        )
        self.best = value
        return True

    def _say(self, text: str) -> None:
        if self.verbose > 0:
            print(text)
