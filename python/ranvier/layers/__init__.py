"""Layers: the building blocks of models."""

from __future__ import annotations

from typing import Any

from ranvier.core import registry
from ranvier.layers.activations.activation import Activation
from ranvier.layers.activations.elu import ELU
from ranvier.layers.activations.leaky_relu import LeakyReLU
from ranvier.layers.activations.prelu import PReLU
from ranvier.layers.activations.relu import ReLU
from ranvier.layers.activations.softmax import Softmax
from ranvier.layers.core.dense import Dense
from ranvier.layers.core.identity import Identity
from ranvier.layers.core.input_layer import Input, InputLayer
from ranvier.layers.input_spec import InputSpec
from ranvier.layers.layer import Layer
from ranvier.layers.preprocessing.rescaling import Rescaling
from ranvier.layers.regularization.activity_regularization import ActivityRegularization
from ranvier.layers.regularization.dropout import Dropout
from ranvier.layers.regularization.gaussian_dropout import GaussianDropout
from ranvier.layers.regularization.gaussian_noise import GaussianNoise
from ranvier.layers.reshaping.flatten import Flatten
from ranvier.layers.reshaping.permute import Permute
from ranvier.layers.reshaping.repeat_vector import RepeatVector
from ranvier.layers.reshaping.reshape import Reshape

__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "Dense",
    "Dropout",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "Layer",
    "LeakyReLU",
    "PReLU",
    "Permute",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Softmax",
    "deserialize",
    "serialize",
]


def serialize(layer: Layer) -> dict[str, Any]:
    """The config of a layer, in Keras's format."""
    return registry.serialize_object(layer)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Layer:
    """The layer that `serialize` (or Keras) described.

    Args:
        config: the config.
        custom_objects: name -> class, for classes that are not registered.

    Raises:
        ValueError: for the config of something that is not a layer.
        TypeError: for an unknown class.
    """
    layer = registry.deserialize_object(config, custom_objects, module_objects=globals())
    if not isinstance(layer, Layer):
        raise ValueError(
            f"`layers.deserialize` was passed a `config` that is not of a layer. Received: {config}"
        )
    return layer
