"""ReduceLROnPlateau: lowers the learning rate when a metric no longer gets better."""

from __future__ import annotations

import numpy as np

from ranvier.callbacks.callback import Logs
from ranvier.callbacks.monitor_callback import MonitorCallback
from ranvier.callbacks.rates import log_rates, with_rates


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` after `patience` epochs without improvement of a metric;
    of a `MultiOptimizer` that of each optimizer.

    Args:
        monitor: the metric's name in the logs.
        factor: the factor, less than 1.
        patience: how many epochs may pass without improvement.
        verbose: 1: says what it does; 0: is silent.
        mode: "min", "max", or "auto": known from the metric.
        min_delta: a change must be larger than this to count as an improvement.
        cooldown: how many epochs after a reduction are not looked at.
        min_lr: the learning rate is not lowered below this.

    Raises:
        ValueError: for a factor of 1 or more; in training, if the optimizer's learning rate is a schedule.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau does not support a factor >= 1.0. Received factor={factor}")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.resolve_mode()
        optimizer = self.model.optimizer
        if logs is not None:
            log_rates(optimizer, logs)
        value = self.monitored(logs)
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_improvement(value, self.best):
            self.best = value
            self.wait = 0
            return
        if self.cooldown_counter > 0:
            return
        self.wait += 1
        if self.wait < self.patience:
            return
        for what, one in with_rates(optimizer).items():
            old = float(one.learning_rate)
            if old <= np.float32(self.min_lr):  # as the optimizer keeps it
                continue
            new = max(old * self.factor, self.min_lr)
            one.learning_rate = new
            if self.verbose > 0:
                print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing {what} to {new}.")
            self.cooldown_counter = self.cooldown
            self.wait = 0
