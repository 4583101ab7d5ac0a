"""Functional: the class of models that are made from inputs and outputs."""

from __future__ import annotations

from typing import Any

from ranvier.models.model import Model


class Functional(Model):
    """A model that was made from symbolic inputs and outputs: what `Model(inputs, outputs)` returns.

    Args:
        inputs: a KerasTensor, or a list, tuple or dict of them.
        outputs: a KerasTensor or a nest of them, computed from the inputs.
        name: the model's name.
        **kwargs: further arguments of `Layer`.
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(inputs, outputs, name=name, **kwargs)


Model.functional_class = Functional
