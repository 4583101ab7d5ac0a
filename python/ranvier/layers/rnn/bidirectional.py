"""Bidirectional: a recurrent layer and its mirror image, which reads from the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ranvier import ops
from ranvier.core import registry
from ranvier.core.keras_tensor import KerasTensor
from ranvier.layers.layer import Layer

_MERGES: dict[Any, Any] = {
    "sum": ops.add,
    "mul": ops.multiply,
    "ave": lambda a, b: ops.multiply(ops.add(a, b), 0.5),
    "concat": lambda a, b: ops.concatenate([a, b], axis=-1),
    None: None,
}
_SHARED = ("stateful", "return_sequences", "return_state")


class Bidirectional(Layer):
    """Runs a recurrent layer forwards and a copy of it backwards, and merges their outputs.

    It is called as the layer is; `initial_state` has the states of both, the forward ones first, and so has
    the result with `return_state`. (Schuster & Paliwal, 1997.)

    Args:
        layer: a recurrent layer, such as `LSTM`. It is made anew from its config.
        merge_mode: "concat", "sum", "mul", "ave", or None: both outputs are returned.
        weights: the first values of the weights; None: the layers' initializers make them.
        backward_layer: the layer that reads from the end, which is taken as it is; None: a copy of `layer`.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for something that is not a recurrent layer, an unknown mode, or two layers that do not
            differ in `go_backwards` alone.
    """

    def __init__(
        self,
        layer: Layer,
        merge_mode: str | None = "concat",
        weights: Sequence[Any] | None = None,
        backward_layer: Layer | None = None,
        **kwargs: Any,
    ) -> None:
        for one in (layer, *([] if backward_layer is None else [backward_layer])):
            if not isinstance(one, Layer) or not all(hasattr(one, n) for n in (*_SHARED, "go_backwards")):
                raise ValueError(f"Please initialize `Bidirectional` with recurrent layers. Received: {one}")
        if merge_mode not in _MERGES:
            raise ValueError(
                f"Invalid merge mode. Received: {merge_mode}. Merge mode should be one of "
                '{"sum", "mul", "ave", "concat", None}'
            )
        super().__init__(**kwargs)
        forward: Any = layer
        self.forward_layer = _copy(forward, "forward", forward.go_backwards)
        if backward_layer is None:
            backward_layer = _copy(forward, "backward", not forward.go_backwards)
        self.backward_layer = backward_layer
        self._check_layers()
        for one in self._pair:
            # Repeated outputs of one way would be merged with the other's.
            if hasattr(one, "zero_output_for_mask"):
                one.zero_output_for_mask = one.return_sequences
        self.stateful = forward.stateful
        self.return_sequences = forward.return_sequences
        self.return_state = forward.return_state
        self.merge_mode = merge_mode
        self._initial_weights = weights
        self.supports_masking = True

    def _check_layers(self) -> None:
        pair: tuple[Any, Any] = (self.forward_layer, self.backward_layer)
        if pair[0].go_backwards == pair[1].go_backwards:
            raise ValueError(
                "Forward layer and backward layer should have different `go_backwards` value. Received: "
                f"forward_layer.go_backwards={pair[0].go_backwards}, "
                f"backward_layer.go_backwards={pair[1].go_backwards}"
            )
        for name in _SHARED:
            if getattr(pair[0], name) != getattr(pair[1], name):
                raise ValueError(
                    "Forward layer and backward layer are expected to have the same value for attribute "
                    f'"{name}", got "{getattr(pair[0], name)}" for forward layer and '
                    f'"{getattr(pair[1], name)}" for backward layer'
                )

    @property
    def _pair(self) -> tuple[Any, Any]:
        return self.forward_layer, self.backward_layer

    def build(self, sequences_shape: Any) -> None:
        for layer in self._pair:
            if not layer.built:
                layer.build(sequences_shape)
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = None
    ) -> Any:
        starts: list[Any] = [None, None]
        if initial_state is not None:
            if not isinstance(initial_state, (list, tuple)) or len(initial_state) % 2:
                raise ValueError(
                    "`initial_state` must be a list of the forward layer's states and as many of the "
                    f"backward layer's. Received: {initial_state}"
                )
            half = len(initial_state) // 2
            starts = [list(initial_state[:half]), list(initial_state[half:])]
        results = [
            layer(sequences, initial_state=start, mask=mask, training=training)
            for layer, start in zip(self._pair, starts, strict=True)
        ]
        states: list[Any] = []
        if self.return_state:
            states = [state for result in results for state in result[1:]]
            results = [result[0] for result in results]
        if self.return_sequences:
            results[1] = ops.flip(results[1], axis=1)
        merge = _MERGES[self.merge_mode]
        merged = results if merge is None else [merge(*results)]
        return merged[0] if len(merged) == 1 and not states else (*merged, *states)

    def reset_state(self) -> None:
        """Sets the states that stateful layers keep to zero."""
        for layer in self._pair:
            layer.reset_state()

    def reset_states(self) -> None:
        """`reset_state`."""
        self.reset_state()

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the outputs: the inputs' if there is an output for each step."""
        mask = self.forward_layer.compute_mask(inputs, previous_mask)
        first, *rest = mask if isinstance(mask, list) else [mask]
        outputs = [first] * (2 if self.merge_mode is None else 1)
        return outputs[0] if len(outputs) == 1 and not rest else [*outputs, *rest, *rest]

    def compute_output_shape(self, sequences_shape: Any) -> Any:
        shape = self.forward_layer.compute_output_shape(sequences_shape)
        states: tuple[Any, ...] = ()
        if self.return_state:
            shape, *rest = shape
            states = (*rest, *rest)
        if self.merge_mode == "concat":
            shape = (*shape[:-1], 2 * shape[-1])
        outputs = (shape, shape) if self.merge_mode is None else (shape,)
        return outputs[0] if len(outputs) == 1 and not states else (*outputs, *states)

    def compute_output_spec(self, sequences: Any, *args: Any, **kwargs: Any) -> Any:
        shapes = self.compute_output_shape(tuple(sequences.shape))
        if isinstance(shapes[-1], (int, type(None))):
            return KerasTensor(shapes, dtype=self.compute_dtype)
        return tuple(KerasTensor(shape, dtype=self.compute_dtype) for shape in shapes)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "merge_mode": self.merge_mode,
            "layer": registry.serialize_object(self.forward_layer),
            "backward_layer": registry.serialize_object(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """The layer that `get_config` described.

        Args:
            config: the config.
            custom_objects: name -> class, for layers that are not registered.
        """
        config = dict(config)
        for key in ("layer", "backward_layer"):
            if config.get(key) is not None:
                config[key] = registry.deserialize_object(config[key], custom_objects)
        return cls(**config)


def _copy(layer: Any, prefix: str, go_backwards: bool) -> Layer:
    """A new layer like `layer`, named for its direction."""
    config = layer.get_config()
    bare = config["name"].removeprefix("forward_").removeprefix("backward_")
    return type(layer).from_config(config | {"name": f"{prefix}_{bare}", "go_backwards": go_backwards})
