"""Model: a layer that can be trained."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from ranvier.core import registry
from ranvier.layers import InputLayer, Layer
from ranvier.models import summary as summary_module
from ranvier.training.trainer import Trainer


class Model(Trainer):
    """The base class of models: layers grouped into one, with `fit`, `evaluate` and `predict`.

    A subclass makes its layers in `__init__` and calls them in `call(inputs)`, which may take the arguments
    `training` and `mask`.

    Args:
        *args: none yet; models made from `inputs` and `outputs` are not offered.
        **kwargs: the arguments of `Layer`: `name`, `trainable`, `dtype`.

    Raises:
        NotImplementedError: for `Model(inputs, outputs)`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args or "inputs" in kwargs or "outputs" in kwargs:
            raise NotImplementedError(
                "Functional models, `Model(inputs, outputs)`, are not offered yet. Use `Sequential`, or "
                "subclass `Model` and call layers in its `call` method."
            )
        super().__init__(**kwargs)

    def _build_on(self, feed: Any) -> None:
        # A model without a `call` has steps of its own, which build its parts when they call them.
        if type(self).call is not Model.call:
            super()._build_on(feed)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"Model {type(self).__name__} does not have a `call()` method implemented.")

    @property
    def layers(self) -> list[Layer]:
        """The layers of the model, in the order in which they were assigned."""
        return [layer for layer in self._layers if not isinstance(layer, InputLayer)]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or its place.

        Args:
            name: the layer's name.
            index: its place in `layers`.

        Raises:
            ValueError: if there is no such layer, or not exactly one argument is given.
        """
        if (name is None) == (index is None):
            raise ValueError("Provide either a layer name or layer index at `get_layer`.")
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(layers)} layers."
                )
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}. Existing layers are: {[layer.name for layer in layers]}.")

    def summary(
        self,
        line_length: int | None = None,
        positions: list[float] | None = None,
        print_fn: Callable[..., Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: list[str] | tuple[str, str] | None = None,
    ) -> None:
        """Prints a table of the layers, their output shapes and their numbers of parameters.

        Args:
            line_length: the table's width; None: 80 characters, or the terminal's width if that is less.
            positions: the ends of the columns, as shares of the width; None: chosen.
            print_fn: called with the whole text in place of printing it.
            expand_nested: whether the layers inside of layers are listed too.
            show_trainable: whether there is a column that says if a layer is trained.
            layer_range: regular expressions for the names of the first and the last layer to list.

        Raises:
            ValueError: if `layer_range` does not fit the layers.
        """
        text = summary_module.summarize(
            self,
            line_length=line_length,
            positions=positions,
            expand_nested=expand_nested,
            show_trainable=show_trainable,
            layer_range=layer_range,
        )
        if print_fn is None:
            print(summary_module.printable(text, getattr(sys.stdout, "encoding", None)))
        else:
            print_fn(text)

    def to_json(self, **kwargs: Any) -> str:
        """The model's config as JSON; `models.model_from_json` reads it.

        Args:
            **kwargs: arguments of `json.dumps`.
        """
        import json

        return json.dumps(registry.serialize_object(self), **kwargs)
