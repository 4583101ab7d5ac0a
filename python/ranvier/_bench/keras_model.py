"""A task's network in Keras's words, for every module that offers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ranvier._bench.tasks import Task

LAST_ACTIVATION = {"binary_crossentropy": "sigmoid", "sparse_categorical_crossentropy": "softmax"}


def build_model(keras: Any, task: Task) -> Any:
    """A compiled Sequential model with the task's initial weights.

    Args:
        keras: ranvier, or Keras itself.
        task: what it shall learn.
    """
    *hidden, last = task.sizes[1:]
    layers = [keras.layers.Dense(size, activation=task.hidden) for size in hidden]
    output = keras.layers.Dense(last, activation=LAST_ACTIVATION.get(task.loss))
    model = keras.Sequential([keras.Input((task.sizes[0],)), *layers, output])
    metrics = None if task.loss == "mse" else ["accuracy"]
    model.compile(optimizer=task.optimizer, loss=task.loss, metrics=metrics)
    model.set_weights(task.weights)
    return model


def fit(model: Any, task: Task, epochs: int) -> Any:
    """Trains it as the task says. Returns the History."""
    x, y = task.training
    batch, held_out = task.batch_size, task.validation
    return model.fit(x, y, batch_size=batch, epochs=epochs, validation_data=held_out, verbose=0)
