"""Sequential: a model whose layers follow one another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from ranvier.core import registry, tree
from ranvier.core.keras_tensor import KerasTensor, Shape, standardize_shape
from ranvier.core.masks import masked
from ranvier.core.operation import Node
from ranvier.core.scope import get_uid
from ranvier.core.shape_inference import placeholders
from ranvier.core.user_code import short_traceback
from ranvier.layers import InputLayer, Layer
from ranvier.layers.input_spec import shape_hint
from ranvier.models.graph_model import cast_input, fits, handed_down, squeeze_or_expand
from ranvier.models.model import Model


class Sequential(Model):
    """A stack of layers: each one's output is the next one's input.

    Without an `Input` at the front the model is built when it first sees data, or by `build(input_shape)`.
    Layers that a subclass assigns to attributes are no part of the stack, and their weights none of the
    model's, as in Keras.

    Args:
        layers: the layers; the first item may be an `Input`.
        trainable: whether the layers are trained.
        name: the model's name.
        **kwargs: further arguments of `Layer`.
    """

    _rv_untracked = Model._rv_untracked | {"_rv_input_shape", "_rv_nodes"}
    _rv_layers_lead = True
    _rv_assigned = "_rv_assigned_layers"

    @short_traceback
    def __init__(
        self,
        layers: Sequence[Any] | None = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable=trainable, name=name, **kwargs)
        self._rv_input_shape: Shape | None = None  # what the layers are built for
        self._rv_nodes: list[Node] = []  # the calls that the last build noted
        self._rv_casts_input = True  # to the dtype of the Input; not if that was made up from the first data
        if isinstance(layers, Layer) and not isinstance(layers, Iterable):
            raise TypeError(
                f"Argument `layers` must be a list of layers. Received: {layers!r} (of type {type(layers)})"
            )
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._rv_rebuild()

    # --- the stack ---

    @short_traceback
    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Puts a layer on top of the stack.

        Args:
            layer: a layer, or an `Input` as the first.
            rebuild: whether to build the model at once, if its input shape is known.

        Raises:
            ValueError: for something else, for a second `Input`, and for a name that another layer has.
            RuntimeError: for a layer whose constructor did not call that of its base class.
        """
        if isinstance(layer, KerasTensor):
            history = layer._keras_history
            layer = history.operation if history is not None else InputLayer(input_tensor=layer)
        if not isinstance(layer, Layer):
            raise ValueError(
                f"Only instances of `Layer` can be added to a Sequential model. Received: {layer!r} "
                f"(of type {type(layer)})"
            )
        layer._rv_check_initialized()
        if layer._rv_holds(self):
            inside = "itself" if layer is self else f"its own layer '{layer.name}'"
            raise ValueError(f"Model '{self.name}' cannot be a layer of {inside}: that is a cycle.")
        if any(other.name == layer.name and other is not layer for other in self._rv_layers):
            raise ValueError(
                f"All layers added to a Sequential model should have unique names. Name '{layer.name}' is "
                "already the name of a layer in this model. Update the `name` argument to pass a unique name."
            )
        if isinstance(layer, InputLayer) and self._rv_layers:
            shape = getattr(self._rv_layers[0], "batch_shape", None)
            how = "with other layers" if shape is None else f"to use input shape {shape}"
            raise ValueError(
                f"Sequential model '{self.name}' has already been configured {how}. "
                "You cannot add a different Input layer to it."
            )
        if not self._rv_layers and layer._rv_input_shape_arg is not None:
            self._rv_layers.append(InputLayer(batch_shape=layer._rv_input_shape_arg))
        self._rv_layers.append(layer)
        self._rv_call_context_args = self._rv_call_context_args | handed_down([layer])
        if rebuild:
            self._rv_rebuild()
        else:
            self.built = False

    def pop(self, rebuild: bool = True) -> Layer:
        """Takes the last layer off the stack.

        Args:
            rebuild: whether to build the model at once, if its input shape is known.

        Returns:
            The layer.

        Raises:
            IndexError: if there is none.
        """
        if not self.layers:
            raise IndexError(f"Sequential model '{self.name}' has no layer to take off.")
        layer: Layer = self._rv_layers.pop()
        self.built = False
        if rebuild:
            self._rv_rebuild()
        return layer

    def _rv_has_input(self) -> bool:
        return bool(self._rv_layers) and isinstance(self._rv_layers[0], InputLayer)

    def _rv_rebuild(self) -> None:
        """Builds the model anew if the shape of its input is known."""
        self.built = False
        self._rv_input_shape = None
        self._rv_forget_functions()
        if self._rv_has_input() and len(self._rv_layers) > 1:
            self.build(self._rv_layers[0].batch_shape)

    def build(self, input_shape: Any = None) -> None:
        """Builds every layer.

        Args:
            input_shape: the input's shape with the batch dimension; None: that of the `Input`.

        Raises:
            ValueError: if there are no layers, or the shape is unknown, invalid, or not that of the `Input`.
        """
        if not self._rv_layers:
            raise ValueError(
                f"Sequential model {self.name} cannot be built because it has no layers. Call "
                "`model.add(layer)`."
            )
        if input_shape is None:
            if not self._rv_has_input():
                raise ValueError("You must provide an `input_shape` argument: the model has no Input.")
            input_shape = self._rv_layers[0].batch_shape
        if tree.is_nested(input_shape) and any(tree.is_nested(item) for item in _items(input_shape)):
            self._rv_build_on_nest(input_shape)
            return
        input_shape = standardize_shape(input_shape)
        if not self._rv_has_input():
            self._rv_layers.insert(
                0, InputLayer(batch_shape=(None, *input_shape[1:]), dtype=self.compute_dtype)
            )
            self._rv_casts_input = False
        batch_shape = self._rv_layers[0].batch_shape
        if not fits(input_shape, batch_shape):
            raise ValueError(
                f"Sequential model '{self.name}' has already been configured to use input shape "
                f"{batch_shape}. You cannot build it with input_shape {input_shape}"
            )
        self._rv_build_layers(batch_shape)

    def _rv_build_on_nest(self, shapes: Any) -> None:
        """Builds the layers for several inputs, which the first layer takes as they come."""
        if self._rv_has_input():
            raise ValueError(
                f"Sequential model '{self.name}' begins with an Input, so it takes one input. Received the "
                f"shapes {shapes}"
            )
        any_batch = tree.map_shape_structure(lambda shape: (None, *shape[1:]), shapes)
        self._rv_forget_nodes()
        self._rv_call_layers(placeholders(any_batch, self.compute_dtype), self._rv_layers)

    def _rv_build_layers(self, shape: Any) -> None:
        self._rv_input_shape = shape
        self._rv_forget_nodes()
        get_uid("functional")  # Keras makes a model inside, which counts in the names that come after
        self._rv_call_layers(self._rv_layers[0].output, self._rv_layers[1:])

    def _rv_call_layers(self, x: Any, layers: Sequence[Layer]) -> None:
        """Calls the layers on symbolic inputs."""
        for layer in layers:
            x = layer(x)
            if layer._rv_inbound_nodes:
                self._rv_nodes.append(layer._rv_inbound_nodes[-1])
        self._rv_output_spec = x
        self._rv_forget_functions()

    def _rv_forget_nodes(self) -> None:
        """Takes back what an earlier build noted, so that each layer has one symbolic output."""
        for node in self._rv_nodes:
            nodes = node.operation._rv_inbound_nodes
            nodes[:] = [other for other in nodes if other is not node]
        self._rv_nodes = []

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_rv_nodes": [], "_rv_output_spec": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if self.__dict__.get("built") and self._rv_has_input():
            self._rv_build_layers(self._rv_layers[0].batch_shape)

    def _rv_finish_build(self) -> None:
        super()._rv_finish_build()
        self._rv_tracker.locked = False  # layers may still be added

    # --- calling ---

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Hands the inputs through the layers.

        Args:
            inputs: a tensor of the model's input shape; without an `Input`, whatever the first layer takes.
            training: handed to the layers that ask for it.
            mask: the input's mask, or None.

        Raises:
            ValueError: if the shape does not fit; the message names the layer, what it expected and what
                came.
        """
        if mask is not None:
            inputs = masked(self._rv_only_input(inputs), tree.flatten(mask)[0])
        x = self._rv_fit_input(inputs)
        try:
            for layer in self._rv_layers:
                if not isinstance(layer, InputLayer):
                    x = layer(x)
        except ValueError as error:
            self._rv_blame_input(inputs, error)
            raise
        return x

    def _rv_fit_input(self, given: Any) -> Any:
        """The input in the model's rank and dtype: a last axis of size 1 may be missing or too many."""
        if not self._rv_has_input():
            return given
        entry = self._rv_layers[0]
        given = self._rv_only_input(given)
        expected = entry.batch_shape
        x = squeeze_or_expand(given, len(expected))
        if len(given.shape) != len(expected) and not fits(tuple(x.shape)[1:], expected[1:]):
            self._rv_refuse_input(given)
        return cast_input(given, x, entry.dtype if self._rv_casts_input else None)

    def _rv_refuse_input(self, given: Any, error: ValueError | None = None) -> NoReturn:
        entry = self._rv_layers[0]
        first = next((layer for layer in self._rv_layers if layer is not entry), entry)
        raise ValueError(
            f'Input 0 of layer "{first.name}", the first of model "{self.name}", is incompatible with '
            "the layer: "
            f"expected shape={entry.batch_shape}, found shape={tuple(given.shape)}."
            f"{shape_hint(tuple(given.shape), entry.batch_shape)}"
        ) from error

    def _rv_blame_input(self, given: Any, error: ValueError) -> None:
        """Names the input's shape as the cause of an error, if it is another than the model was built for.

        Layers may take such an input, as a recurrent one takes sequences of any length.
        """
        if self._rv_has_input():
            given, expected = self._rv_only_input(given), self._rv_layers[0].batch_shape
            if not fits(tuple(squeeze_or_expand(given, len(expected)).shape)[1:], expected[1:]):
                self._rv_refuse_input(given, error)

    def _rv_only_input(self, x: Any) -> Any:
        """The input, which may be in a list or tuple of one."""
        if not tree.is_nested(x):
            return x
        items = tree.flatten(x)
        if isinstance(x, dict) and self._rv_layers[0].name in x:
            return x[self._rv_layers[0].name]
        if isinstance(x, dict):
            names = ", ".join(map(repr, x))
            raise ValueError(
                f"The structure of the inputs is wrong: model '{self.name}' takes one input tensor, but it "
                f"received a dict with the keys {names}."
            )
        if len(items) != 1:
            raise ValueError(f"Model '{self.name}' takes one input tensor, but it received {len(items)}.")
        return items[0]

    def _rv_output_description(self) -> str:
        return f"the output of layer '{self._rv_layers[-1].name}', the last of model '{self.name}',"

    # --- shapes ---

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the `Input`."""
        return [layer for layer in self._rv_layers if not isinstance(layer, InputLayer)]

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic input, in a list.

        Raises:
            AttributeError: before the input shape is known.
        """
        return [self.input]

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic output.

        Raises:
            AttributeError: before the model is built.
        """
        return tree.flatten(self._rv_known_output())

    @property
    def input(self) -> KerasTensor:
        """The symbolic input.

        Raises:
            AttributeError: before the input shape is known.
        """
        if not self._rv_has_input():
            raise AttributeError(f"Sequential model '{self.name}' has no defined input yet.")
        symbol: KerasTensor = self._rv_layers[0].output
        return symbol

    @property
    def output(self) -> Any:
        """The symbolic output.

        Raises:
            AttributeError: before the model is built.
        """
        return self._rv_known_output()

    @property
    def input_shape(self) -> Shape:
        """The shape of the input.

        Raises:
            AttributeError: before it is known.
        """
        if not self._rv_has_input():
            raise AttributeError(f"Sequential model '{self.name}' has no defined input shape yet.")
        shape: Shape = self._rv_layers[0].batch_shape
        return shape

    @property
    def output_shape(self) -> Any:
        """The shape of the output.

        Raises:
            AttributeError: before the model is built.
        """
        return tree.map_structure(lambda t: t.shape, self._rv_known_output())

    def _rv_known_outputs(self) -> Any:
        return self._rv_output_spec if self.built else None

    def _rv_output_names(self) -> list[str] | None:
        single = isinstance(self._rv_known_outputs(), KerasTensor)
        return [self._rv_layers[-1].name] if single else None

    def _rv_known_output(self) -> Any:
        if not self.built or self._rv_output_spec is None:
            raise AttributeError(f"Sequential model '{self.name}' has no defined output shape yet.")
        return self._rv_output_spec

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The output's shape for an input of shape `input_shape`."""
        shape = input_shape
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return shape

    def compute_output_spec(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        x = self._rv_only_input(inputs) if self._rv_has_input() else inputs
        for layer in self.layers:
            x = layer.compute_output_spec(x)
        return x

    # --- configs ---

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": registry.serialize_object(self.dtype_policy),
            "layers": [registry.serialize_object(layer) for layer in self._rv_layers],
        }
        if self._rv_input_shape is not None:
            config["build_input_shape"] = self._rv_input_shape
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Sequential:
        """The model that `get_config` (or Keras) described.

        Args:
            config: the config.
            custom_objects: name -> class, for layers that are not registered.

        Raises:
            TypeError: for an unknown class.
        """
        kwargs = {k: config[k] for k in ("name", "trainable", "dtype") if k in config}
        model = cls(**kwargs)
        for layer_config in config["layers"]:
            model.add(registry.deserialize_object(layer_config, custom_objects), rebuild=False)
        model._rv_rebuild()
        shape = config.get("build_input_shape")
        if not model.built and shape is not None and model._rv_layers:
            model.build(tuple(shape))
        return model


def _items(structure: Any) -> list[Any]:
    """The items of a list, tuple or dict."""
    return list(structure.values()) if isinstance(structure, dict) else list(structure)
