"""LearningRateScheduler: a learning rate for each epoch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ranvier.callbacks.callback import Callback, Logs
from ranvier.callbacks.rates import log_rates, with_rates
from ranvier.core import arguments


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch; of a `MultiOptimizer` that of each optimizer.

    Args:
        schedule: `f(epoch, learning_rate)`, or `f(epoch)`, gives the new learning rate.
        verbose: 1: says what it does; 0: is silent.

    Raises:
        ValueError: in training, if the schedule gives something that is not a number, or if the model's
            optimizer has no learning rate to set.
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        for what, optimizer in with_rates(getattr(self.model, "optimizer", None)).items():
            if not hasattr(optimizer, "learning_rate"):
                raise ValueError('Optimizer must have a "learning_rate" attribute.')
            old = float(optimizer.learning_rate)
            new = self.schedule(epoch, old) if _takes_two(self.schedule) else self.schedule(epoch)
            if not arguments.is_number(new) and getattr(new, "shape", None) != ():
                raise ValueError(f"The output of the `schedule` function should be a float. Got: {new}")
            optimizer.learning_rate = float(new)
            if self.verbose > 0:
                print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting {what} to {new}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            log_rates(self.model.optimizer, logs)


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(0, 0.0)
    except TypeError:
        return False
    return True
