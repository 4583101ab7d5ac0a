"""A task in the Keras workflow, for every module that offers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import definitions
import numpy as np

from contestants.contestant import Contestant

if TYPE_CHECKING:
    from ranvier._bench.tasks import Task

BATCH = 32  # rows of a batch whose call is measured

keras_model = definitions.load("keras_model")


class KerasApi(Contestant):
    """`fit`, `evaluate` and `predict` of a Sequential model.

    Args:
        keras: the module.
    """

    def __init__(self, keras: Any) -> None:
        self.keras = keras

    def prepare(self, task: Task) -> None:
        self.keras.utils.clear_session()
        self.keras.utils.set_random_seed(0)
        self.task = task
        self.model = keras_model.build_model(self.keras, task)
        self.model.optimizer.build(self.model.trainable_variables)
        self.fresh = [_compact(np.array(variable)) for variable in self.model.optimizer.variables]

    def reset(self) -> None:
        self.model.set_weights(self.task.weights)
        for variable, value in zip(self.model.optimizer.variables, self.fresh, strict=True):
            variable.assign(value)

    def fit(self, epochs: int) -> None:
        keras_model.fit(self.model, self.task, epochs)

    def loss(self) -> float:
        return float(self.model.evaluate(*self.task.training, verbose=0, return_dict=True)["loss"])

    def calls(self, task: Task) -> dict[str, Callable[[], Any]]:
        self.prepare(task)
        model, (x, y) = self.model, task.training
        row, batch, labels = x[:1], x[:BATCH], y[:BATCH]

        class Count(self.keras.callbacks.Callback):  # type: ignore[name-defined, misc]
            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                self.batches = batch

        callback = Count()
        return {
            "model(x), one row": lambda: np.asarray(model(row)),
            "predict_on_batch": lambda: np.asarray(model.predict_on_batch(batch)),
            "test_on_batch": lambda: model.test_on_batch(batch, labels),
            "train_on_batch": lambda: model.train_on_batch(batch, labels),
            "evaluate, one batch": lambda: model.evaluate(batch, labels, verbose=0),
            "fit, one batch": lambda: model.fit(batch, labels, batch_size=BATCH, verbose=0),
            "fit, all batches, with a Python callback at each": lambda: model.fit(
                x, y, batch_size=BATCH, verbose=0, callbacks=[callback]
            ),
        }

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.model.predict(x, verbose=0))


def _compact(value: np.ndarray) -> np.ndarray:
    """The same numbers; zeros take no memory, for a network's footprint is measured, too."""
    return value if value.any() else np.broadcast_to(np.zeros((), value.dtype), value.shape)
