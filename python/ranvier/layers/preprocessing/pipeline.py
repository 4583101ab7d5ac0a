"""Pipeline: preprocessing layers one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ranvier.core import registry
from ranvier.layers.layer import Layer


class Pipeline(Layer):
    """Hands its inputs through a list of preprocessing layers.

    Args:
        layers: the layers.
        name: the layer's name.
    """

    def __init__(self, layers: Sequence[Layer], name: str | None = None) -> None:
        super().__init__(name=name)
        self._pipeline_layers = list(layers)

    @property
    def layers(self) -> list[Layer]:
        """The layers."""
        return list(self._pipeline_layers)

    def call(self, inputs: Any, training: bool = True, mask: Any = None) -> Any:
        x = inputs
        for layer in self._pipeline_layers:
            x = layer(x, training=training)
        return x

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "layers": [registry.serialize_object(layer) for layer in self._pipeline_layers],
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Pipeline:
        """The layer that `get_config` described.

        Args:
            config: the config.
        """
        config = dict(config)
        layers = [registry.deserialize_object(item) for item in config.pop("layers")]
        return cls(layers, name=config.get("name"))
