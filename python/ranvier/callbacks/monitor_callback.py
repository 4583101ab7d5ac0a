"""MonitorCallback: what callbacks that watch one metric share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ranvier.callbacks.callback import Callback, Logs
from ranvier.core.scope import to_snake_case
from ranvier.core.user_code import warn

# Classes of metrics that do not state a direction themselves, in snake case: what their names end with.
_UP_WORDS = ("accuracy", "similarity", "score", "auc", "precision", "recall", "io_u")
_DOWN_WORDS = ("error", "crossentropy", "hinge", "divergence", "poisson")


class MonitorCallback(Callback):
    """A callback that watches whether a metric gets better.

    Args:
        monitor: the metric's name in the logs.
        mode: "min" (less is better), "max", or "auto": known from the metric.
        min_delta: a change must be larger than this to count; its sign does not matter.
    """

    def __init__(self, monitor: str = "val_loss", mode: str = "auto", min_delta: float = 0.0) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warn(
                f"{type(self).__name__} mode '{mode}' is unknown, fallback to auto mode.",
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        self.best: float | None = None
        self._sign: float | None = {"min": -1.0, "max": 1.0}.get(mode)

    def resolve_mode(self) -> None:
        """Finds out, in mode "auto", which direction is better.

        Raises:
            ValueError: if the metric is not known to have one.
        """
        if self._sign is not None:
            return
        name = self.monitor.removeprefix("val_")
        if name == "loss" or name.endswith("_loss"):
            self._sign = -1.0
            return
        direction = next((_direction(m) for m in _leaf_metrics(self.model.metrics) if m.name == name), None)
        if direction is None:
            raise ValueError(
                f"{type(self).__name__} callback received monitor={self.monitor}, and it is not known "
                "whether that metric should be maximized or minimized. Pass `mode='max'` to look for the "
                "highest value, or `mode='min'` to look for the lowest."
            )
        self._sign = direction

    def is_improvement(self, value: float, reference: float | None) -> bool:
        """Whether `value` is better than `reference` by more than `min_delta`; always, if that is None."""
        if reference is None:
            return True
        return self._sign is not None and self._sign * (value - reference) > self.min_delta

    def monitored(self, logs: Logs | None) -> float | None:
        """The metric's value in `logs`; None, after a warning, if it is not there."""
        logs = logs or {}
        value = logs.get(self.monitor)
        if value is None:
            warn(
                f"{type(self).__name__} needs the metric `{self.monitor}`, which is not available. "
                f"Available metrics are: {','.join(logs)}",
            )
        elif np.ndim(value) > 0:
            raise ValueError(
                f"{type(self).__name__} watches a scalar, but `{self.monitor}` has the shape "
                f"{np.shape(value)}. Monitor another metric, or one whose `result` is a scalar."
            )
        return value


def _leaf_metrics(metrics: Iterable[Any]) -> Iterable[Any]:
    for metric in metrics:
        yield metric
        yield from _leaf_metrics(getattr(metric, "metrics", None) or ())


def _direction(metric: Any) -> float | None:
    """1 where more is better, -1 where less is better, None where it is not known."""
    stated = getattr(metric, "_rv_direction", None)
    if stated in ("up", "down"):
        return 1.0 if stated == "up" else -1.0
    kind = to_snake_case(type(metric).__name__)
    if kind.endswith(_UP_WORDS):
        return 1.0
    return -1.0 if kind.endswith(_DOWN_WORDS) else None
