"""Lambda: a function as a layer."""

from __future__ import annotations

import inspect
import types
from typing import Any

from ranvier.core import registry, tree
from ranvier.core.keras_tensor import KerasTensor, standardize_shape
from ranvier.layers.layer import Layer


class Lambda(Layer):
    """A function of the inputs as a layer. It has no weights.

    Args:
        function: `(inputs, **arguments)`; it may take `mask` and `training`.
        output_shape: the output's shape without the batch axis, or a function of the input's shape that gives
            the whole shape; None: found by tracing the function.
        mask: the output's mask, or a function `(inputs, mask)` that gives it; None: there is none.
        arguments: further keyword arguments of the function.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: (when its config is asked for) for a function without a name, and (when a config is read)
            for one that holds the code of a function: code from a file is not run.
    """

    def __init__(
        self,
        function: Any,
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.function = function
        self.arguments = arguments or {}
        self._output_shape = output_shape
        self.mask = mask
        if mask is not None:
            self.supports_masking = True
        names = set(inspect.signature(function).parameters)
        self._takes = {name for name in ("mask", "training") if name in names}

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        given = {"mask": mask, "training": training}
        return self.function(
            inputs, **dict(self.arguments), **{k: v for k, v in given.items() if k in self._takes}
        )

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return tuple(self._output_shape(input_shape))
        batch = input_shape[0] if input_shape and not tree.is_nested(input_shape[0]) else None
        return (batch, *standardize_shape(self._output_shape))

    def compute_output_spec(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if self._output_shape is None or tree.is_nested(inputs):
            return self._rv_infer(inputs, *args, **kwargs)
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config() | {"arguments": self.arguments}
        for key, value in (
            ("function", self.function),
            ("mask", self.mask),
            ("output_shape", self._output_shape),
        ):
            if value is not None:
                config[key] = registry.serialize_object(value)
        return config

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None, safe_mode: Any = None
    ) -> Lambda:
        """The layer that `get_config` described.

        Args:
            config: the config.
            custom_objects: name -> function, for functions that are not registered.
            safe_mode: accepted as in Keras; code in a config is refused in either mode.

        Raises:
            ValueError: for a config that holds code.
            TypeError: for an unknown function.
        """
        config = dict(config)
        for key in ("function", "mask", "output_shape"):
            value = config.get(key)
            if isinstance(value, dict) or isinstance(value, types.FunctionType):
                config[key] = (
                    registry.deserialize_object(value, custom_objects) if isinstance(value, dict) else value
                )
        return cls(**config)
