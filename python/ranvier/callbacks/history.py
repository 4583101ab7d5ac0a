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

    def __repr__(self) -> str:
        epochs = "1 epoch" if len(self.epoch) == 1 else f"{len(self.epoch)} epochs"
        last = [f"{name}={values[-1]:.6g}" for name, values in self.history.items() if _is_number(values)]
        return f"<History: {epochs}{'; at the end ' if last else ''}{', '.join(last)}>"

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch = []
        self.model.history = self

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


def _is_number(values: list[Any]) -> bool:
    return bool(values) and isinstance(values[-1], (int, float))
