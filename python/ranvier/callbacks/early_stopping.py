"""EarlyStopping: ends training when a metric no longer gets better."""

from __future__ import annotations

from typing import Any

from ranvier.callbacks.callback import Logs
from ranvier.callbacks.monitor_callback import MonitorCallback


class EarlyStopping(MonitorCallback):
    """Stops training after `patience` epochs without improvement of a metric.

    Args:
        monitor: the metric's name in the logs.
        min_delta: a change must be larger than this to count as an improvement.
        patience: how many epochs may pass without improvement.
        verbose: 1: says what it does; 0: is silent.
        mode: "min", "max", or "auto": known from the metric.
        baseline: a value that must be reached: epochs not better than it count as without improvement.
        restore_best_weights: whether the model gets the weights of its best epoch back when training ends, by
            this callback or not. Without it, it keeps the last epoch's.
        start_from_epoch: the epochs before this one are not looked at.

    Attributes:
        stopped_epoch: the epoch after which training was stopped; 0 if it was not.
        best: the best value so far.
        best_epoch: the epoch it is from.
        best_weights: that epoch's weights, with `restore_best_weights`.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch = 0
        self.best_weights: list[Any] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.resolve_mode()
        value = self.monitored(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            # There is something to restore even if no epoch ever improves.
            self.best_weights = self.model.get_weights()
            self.best_epoch = epoch
        self.wait += 1
        if self.is_improvement(value, self.best):
            self.best = value
            self.best_epoch = epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            # Only an epoch better than the baseline, too, earns new patience.
            if self.baseline is None or self.is_improvement(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)
