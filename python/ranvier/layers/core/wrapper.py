"""Wrapper: the base of layers that hold another layer."""

from __future__ import annotations

from typing import Any

from ranvier.core import registry
from ranvier.layers.layer import Layer


class Wrapper(Layer):
    """A layer around another layer, which subclasses call in some way of their own.

    Args:
        layer: the layer.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: if `layer` is not a layer.
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(f"Layer {layer!r} supplied to Wrapper isn't a supported layer type.")
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"layer": registry.serialize_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """The layer that `get_config` described.

        Args:
            config: the config.
            custom_objects: name -> class, for an inner layer that is not registered.
        """
        config = dict(config)
        layer = registry.deserialize_object(config.pop("layer"), custom_objects)
        return cls(layer, **config)
