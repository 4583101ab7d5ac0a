"""Callback: the base class of objects that are told how training goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ranvier.core.names import Alias
from ranvier.core.shown import Shown

Logs = dict[str, Any]


class Callback(Shown):
    """Something that `fit`, `evaluate` and `predict` call at the turns of their loops.

    A subclass overrides the hooks it needs. An epoch runs in one piece inside the native engine unless a
    callback overrides a batch hook; the loop then comes back to Python after every batch (or after
    `steps_per_execution` batches).

    Attributes:
        params: a dict with "verbose", "epochs" and "steps".
        model: the model that is being trained.
    """

    # None: the batch hooks are called for every batch. A number of seconds: the callback is content with
    # being told about the last finished batch that often.
    _rv_batch_interval: float | None = None

    _model = Alias("_rv_model")  # Keras's name

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self._rv_model: Any = None

    def _rv_shown_arguments(self) -> Mapping[str, Any]:
        return vars(self)

    @property
    def model(self) -> Any:
        """The model that is being trained."""
        return self._rv_model

    def set_params(self, params: dict[str, Any]) -> None:
        """Receives the loop's parameters."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Receives the model."""
        self._rv_model = model

    # The hooks. `logs` holds metric results under their names; the begin hooks get an empty dict.

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called when `fit` begins."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called when `fit` ends, with the logs of the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called at the beginning of an epoch (counted from 0)."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called at the end of an epoch, with its results; those of the validation begin with "val_".

        What is added to `logs` here is seen by the callbacks that follow.
        """

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """An older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """An older name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a training batch (counted from 0 in each epoch)."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a training batch, with the results of the epoch so far."""
        self.on_batch_end(batch, logs=logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called when `evaluate`, or the validation inside `fit`, begins."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called when `evaluate`, or the validation inside `fit`, ends."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a test batch."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a test batch, with the results so far."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called when `predict` begins."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called when `predict` ends."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a prediction batch."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a prediction batch; `logs["outputs"]` holds the batch's predictions."""
