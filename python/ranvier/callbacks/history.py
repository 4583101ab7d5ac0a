"""History: the results of every epoch."""

from __future__ import annotations

from typing import Any

from ranvier.callbacks.callback import Callback, Logs


class History(Callback):
    """Records what `fit` returns.

    Attributes:
        history: metric name -> its values, one for each epoch.
        epoch: the numbers of the epochs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch = []
        self.model.history = self

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
