"""A task in the Keras workflow, for every module that offers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import definitions
import numpy as np

from contestants.contestant import Contestant

if TYPE_CHECKING:
    from ranvier._bench.tasks import Task

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

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.model.predict(x, verbose=0))


def _compact(value: np.ndarray) -> np.ndarray:
    """The same numbers; zeros take no memory, for a network's footprint is measured, too."""
    return value if value.any() else np.broadcast_to(np.zeros((), value.dtype), value.shape)
