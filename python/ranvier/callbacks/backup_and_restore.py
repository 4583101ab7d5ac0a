"""BackupAndRestore: training that goes on where it was interrupted."""

from __future__ import annotations

import json
import os

from ranvier.callbacks.callback import Callback, Logs
from ranvier.callbacks.save_frequency import SaveFrequency
from ranvier.core.files import copy_whole, write_whole

_BEFORE = ".bkp"  # the ending of the state before; the names are Keras's


class BackupAndRestore(Callback):
    """Keeps the state of training in a folder, from which the next `fit` goes on.

    The state is the weights, those of the optimizer included, and the number of the epoch. It is written anew
    after each epoch, or after so many batches; a `fit` with the same folder begins with it, in the epoch
    after the last whole one. When `fit` comes to its end, the state is deleted.

    Args:
        backup_dir: the folder, for this callback of one training alone.
        save_freq: "epoch"; a number of batches (the loop then returns to Python after every batch); or False
            for never: what is there is restored all the same.
        double_checkpoint: whether the state before is kept too, and taken if the last one cannot be read.
        delete_checkpoint: whether the state is deleted when `fit` comes to its end.

    Raises:
        ValueError: without a folder, or for another `save_freq`.
        OSError: from `fit`, if the state cannot be read or written.
        ValueError: from `fit`, if the state is damaged or does not fit the model.

    Example:
        >>> model.fit(x, y, epochs=100, callbacks=[rv.callbacks.BackupAndRestore("backup")])
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not backup_dir:
            raise ValueError("Empty `backup_dir` argument passed")
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._frequency = None if save_freq is False else SaveFrequency(save_freq)
        self._weights = os.path.join(self.backup_dir, "latest.weights.h5")
        self._metadata = os.path.join(self.backup_dir, "training_metadata.json")
        self._epoch = 0  # that a state which is written now goes on with
        self._batch = 0

    def idle_in(self, kind: str) -> bool:
        """Whether there is nothing to do between the batches of a loop: "train", "test" or "predict"."""
        return kind != "train" or self._frequency is None or self._frequency.by_epoch

    def on_train_begin(self, logs: Logs | None = None) -> None:
        if not os.path.exists(self._metadata):
            return
        try:
            self._restore()
        except (OSError, ValueError):
            if not os.path.exists(self._weights + _BEFORE):
                raise
            for path in (self._weights, self._metadata):
                copy_whole(path + _BEFORE, path)
            self._restore()

    def _restore(self) -> None:
        with open(self._metadata, "rb") as file:
            text = file.read(1 << 16)
        try:
            epoch = int(json.loads(text)["epoch"])
            if epoch < 0:
                raise ValueError(f"epoch {epoch}")
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
            raise ValueError(
                f"{self._metadata} is damaged: it does not say in which epoch to go on. Delete the folder to "
                f"begin anew. ({type(error).__name__}: {error})"
            ) from None
        optimizer = self.model.optimizer
        if optimizer is not None and not optimizer.built:
            optimizer.build(self.model.trainable_variables)  # so that there is what the weights go into
        self.model.load_weights(self._weights)
        self.model._rv_initial_epoch = epoch

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch
        if self._frequency is not None:
            self._frequency.begin_epoch()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch, self._batch = epoch + 1, 0
        if self._frequency is not None and self._frequency.by_epoch:
            self._save()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._batch = batch
        if self._frequency is not None and self._frequency.is_due(batch):
            self._save()

    def _save(self) -> None:
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint and os.path.exists(self._metadata):
            for path in (self._weights, self._metadata):
                copy_whole(path, path + _BEFORE)
        self.model.save_weights(self._weights, overwrite=True)
        state = json.dumps({"epoch": self._epoch, "batch": self._batch})
        write_whole(self._metadata, lambda file: file.write(state.encode()))

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.delete_checkpoint:
            import shutil  # loads the compression libraries

            shutil.rmtree(self.backup_dir, ignore_errors=True)
