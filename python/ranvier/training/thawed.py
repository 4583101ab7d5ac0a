"""Layers that are thawed after the optimizer was built, for example by a callback in the middle of `fit`.

As in Keras, `compile` decides what is trained: an optimizer has state for the variables it was built for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ranvier.core.user_code import warn
from ranvier.optimizers import Optimizer


def thawed(trainer: Any) -> list[Any]:
    """The trainable variables of a model that its only optimizer was not built for.

    Where a step has several optimizers it shares the variables out among them itself.
    """
    optimizer = trainer.optimizer
    if optimizer is None or not optimizer.built:
        return []
    found = [v for v in trainer.trainable_variables if v not in optimizer._rv_index]
    if not found:
        return []
    held = [value for layer in trainer._rv_flatten_layers() for value in list(vars(layer).values())]
    others = any(isinstance(value, Optimizer) and value is not optimizer for value in held)
    return [] if others else found


@contextmanager
def left_frozen(trainer: Any) -> Iterator[None]:
    """A block in which thawed variables are not trainable. Warns if there are any."""
    variables = thawed(trainer)
    if variables:
        layers = [
            layer.name
            for layer in trainer._rv_flatten_layers()
            if any(v is own for v in variables for own in layer._rv_trainable_variables)
        ]
        warn(
            f"Layers {layers} were made trainable after the optimizer was built, so they are not trained. "
            "Call `compile()` after setting `trainable`, and then `fit()`."
        )
    for variable in variables:
        variable.trainable = False
    try:
        yield
    finally:
        for variable in variables:
            variable.trainable = True
