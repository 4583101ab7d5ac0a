"""Model: a layer that can be trained."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from ranvier import saving
from ranvier.callbacks.screen import find_screen
from ranvier.core import old_attributes, registry
from ranvier.core.keywords import suggest_keywords
from ranvier.core.missing_names import retired
from ranvier.core.stateless_scope import assign_all
from ranvier.core.user_code import short_traceback
from ranvier.layers import Layer
from ranvier.models import state_tree as state_tree_module
from ranvier.models import summary as summary_module
from ranvier.models.graph_config import graph_config, model_from_graph_config
from ranvier.models.graph_model import GraphModel, is_functional_call, takes_inputs_and_outputs


@retired(old_attributes.MODEL)
class Model(GraphModel):
    """The base class of models: layers grouped into one, with `fit`, `evaluate` and `predict`.

    There are two ways to make one. `Model(inputs, outputs)` is the computation that leads from symbolic
    inputs to symbolic outputs. A subclass makes its layers in `__init__` and calls them in `call(inputs)`,
    which may take the arguments `training` and `mask`. Both go together: a subclass may hand `inputs` and
    `outputs` to the constructor and override `train_step`.

    Args:
        *args: `inputs` and `outputs`, KerasTensors or nests (lists, tuples, dicts) of them; or nothing.
        **kwargs: the same by name, and the arguments of `Layer`: `name`, `trainable`, `dtype`.

    Raises:
        ValueError: if an input or output is no KerasTensor, an output cannot be computed from the inputs, or
            layers share a name.

    Example:
        >>> x = rv.Input((4,))
        >>> h = rv.layers.Dense(4, activation="relu")(x)
        >>> model = rv.Model(x, rv.layers.Dense(1)(h + x))
    """

    functional_class: type[Model]  # what `Model(inputs, outputs)` becomes; defined in a module above this one

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and is_functional_call(args, kwargs):
            return super().__new__(cls.functional_class, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not is_functional_call(args, kwargs):
            half = [*args, *(name for name in ("inputs", "outputs", "input", "output") if name in kwargs)]
            if half:
                unknown = [name for name in ("input", "output") if name in kwargs]
                near = suggest_keywords(unknown, ("inputs", "outputs")) if unknown else ""
                raise ValueError(
                    "A model is made from `inputs` and `outputs`, or, as a subclass with a `call`, from "
                    f"neither. Received only: {', '.join(map(str, half))}.{near}"
                )
            super().__init__(**kwargs)
            return
        given = dict(zip(("inputs", "outputs", "name"), args, strict=False)) | kwargs
        inputs, outputs = given.pop("inputs"), given.pop("outputs")
        trainable = given.pop("trainable", None)
        super().__init__(**given)
        self._rv_set_graph(inputs, outputs)
        if trainable is not None:
            self.trainable = trainable

    @property
    def _rv_layers_lead(self) -> bool:
        """Whether `layers` says it all: weight files name what is in there after it, not after attributes."""
        return self._rv_graph is not None

    @property
    def layers(self) -> list[Layer]:
        """The layers of the model: those of a functional model's graph, in its order (its inputs included),
        or all in the order in which they were assigned."""
        if self._rv_graph is None:
            return list(self._rv_layers)
        return [operation for operation in self._rv_graph.operations if isinstance(operation, Layer)]

    @short_traceback
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

    @short_traceback
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

        On a terminal and in a notebook it has colours, unless the variable `NO_COLOR` is set.

        Args:
            line_length: the table's width; None: 80 characters, or the terminal's width if that is less.
            positions: the ends of the columns, as shares of the width; None: chosen.
            print_fn: called with the whole text in place of printing it.
            expand_nested: whether the layers inside of layers are listed too.
            show_trainable: whether there is a column that says if a layer is trained.
            layer_range: regular expressions for the names of the first and the last layer to list.

        Raises:
            ValueError: if `layer_range` does not fit the layers, or `line_length` or `positions` the columns.
        """
        text = summary_module.summarize(
            self,
            line_length=line_length,
            positions=positions,
            expand_nested=expand_nested,
            show_trainable=show_trainable,
            layer_range=layer_range,
            styled=print_fn is None and find_screen().is_styled,
        )
        if print_fn is None:
            print(summary_module.printable(text, getattr(sys.stdout, "encoding", None)))
        else:
            print_fn(text)

    @short_traceback
    def save(
        self,
        filepath: str | os.PathLike[str],
        overwrite: bool = True,
        zipped: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Writes the model into a ".keras" file; see `saving.save_model`."""
        saving.save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    @short_traceback
    def save_weights(
        self,
        filepath: str | os.PathLike[str],
        overwrite: bool = True,
        max_shard_size: float | None = None,
    ) -> None:
        """Writes the weights into a ".weights.h5" file; see `saving.save_weights`."""
        saving.save_weights(self, filepath, overwrite=overwrite, max_shard_size=max_shard_size)

    @short_traceback
    def load_weights(
        self, filepath: str | os.PathLike[str], skip_mismatch: bool = False, **kwargs: Any
    ) -> None:
        """Reads weights from a ".weights.h5" or ".keras" file; see `saving.load_weights`."""
        saving.load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """The values of all variables, as nested dicts by the parts of their paths.

        Args:
            value_format: "backend_tensor": what computations take; "numpy_array": NumPy arrays.

        Returns:
            A dict with "trainable_variables", "non_trainable_variables", "optimizer_variables" and
            "metrics_variables".

        Raises:
            ValueError: for another format, and if two variables have the same path.
        """
        if value_format not in ("backend_tensor", "numpy_array"):
            raise ValueError(
                "Argument `value_format` must be 'backend_tensor' or 'numpy_array'. "
                f"Received: value_format={value_format!r}"
            )
        groups = self._rv_state_groups().items()
        return {kind: state_tree_module.tree_of(v, value_format == "numpy_array") for kind, v in groups}

    def set_state_tree(self, state_tree: dict[str, Any]) -> None:
        """Gives variables the values of a tree as `get_state_tree` gives it; those left out keep theirs.

        Args:
            state_tree: the tree.

        Raises:
            ValueError: for a name or a shape that does not fit; nothing is changed then.
            TypeError: for values that are not numbers; nothing is changed then.
        """
        groups = self._rv_state_groups()
        unknown = [kind for kind in state_tree if kind not in groups]
        if unknown:
            raise ValueError(f"Unknown variable name: {unknown[0]}. Known names: {list(groups)}")
        assign_all(
            pair
            for kind, state in state_tree.items()
            for pair in state_tree_module.assignments(kind, groups[kind], state)
        )

    def _rv_state_groups(self) -> dict[str, list[Any]]:
        return {
            "trainable_variables": self.trainable_variables,
            "non_trainable_variables": self.non_trainable_variables,
            "optimizer_variables": [] if self.optimizer is None else list(self.optimizer.variables),
            "metrics_variables": self.metrics_variables,
        }

    @short_traceback
    def to_json(self, **kwargs: Any) -> str:
        """The model's config as JSON; `models.model_from_json` reads it.

        Args:
            **kwargs: arguments of `json.dumps`.
        """
        import json

        return json.dumps(registry.serialize_object(self), **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, or the graph of a functional model, as JSON-like values."""
        if self._rv_graph is None or not takes_inputs_and_outputs(type(self)):
            return super().get_config()
        return graph_config(self)

    @classmethod
    @short_traceback
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """The model that `get_config` (or Keras) described.

        Args:
            config: the config.
            custom_objects: name -> class, for layers that are not registered.

        Raises:
            TypeError: for an unknown class.
            ValueError: if the config's graph does not hold together.
        """
        if {"layers", "input_layers", "output_layers"} <= config.keys():
            return model_from_graph_config(cls, config, custom_objects)
        with registry.custom_object_scope(custom_objects):
            return super().from_config(config)
