"""Layers: the building blocks of models."""

from __future__ import annotations

from typing import Any

from ranvier.core import registry
from ranvier.core.user_code import short_traceback
from ranvier.layers.activations.activation import Activation
from ranvier.layers.activations.elu import ELU
from ranvier.layers.activations.leaky_relu import LeakyReLU
from ranvier.layers.activations.prelu import PReLU
from ranvier.layers.activations.relu import ReLU
from ranvier.layers.activations.softmax import Softmax
from ranvier.layers.attention.additive_attention import AdditiveAttention
from ranvier.layers.attention.attention import Attention
from ranvier.layers.attention.group_query_attention import GroupQueryAttention
from ranvier.layers.attention.multi_head_attention import MultiHeadAttention
from ranvier.layers.core.dense import Dense
from ranvier.layers.core.einsum_dense import EinsumDense
from ranvier.layers.core.embedding import Embedding
from ranvier.layers.core.identity import Identity
from ranvier.layers.core.input_layer import Input, InputLayer
from ranvier.layers.core.lambda_layer import Lambda
from ranvier.layers.core.masking import Masking
from ranvier.layers.core.reversible_embedding import ReversibleEmbedding
from ranvier.layers.core.time_distributed import TimeDistributed
from ranvier.layers.core.wrapper import Wrapper
from ranvier.layers.input_spec import InputSpec
from ranvier.layers.layer import Layer
from ranvier.layers.merging.concatenate import Concatenate, concatenate
from ranvier.layers.merging.dot import Dot, dot
from ranvier.layers.merging.elementwise import (
    Add,
    Average,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    maximum,
    minimum,
    multiply,
    subtract,
)
from ranvier.layers.normalization.batch_normalization import BatchNormalization
from ranvier.layers.normalization.group_normalization import GroupNormalization
from ranvier.layers.normalization.layer_normalization import LayerNormalization
from ranvier.layers.normalization.rms_normalization import RMSNormalization
from ranvier.layers.normalization.spectral_normalization import SpectralNormalization
from ranvier.layers.normalization.unit_normalization import UnitNormalization
from ranvier.layers.pooling.adaptive_pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
)
from ranvier.layers.pooling.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from ranvier.layers.pooling.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from ranvier.layers.preprocessing.category_encoding import CategoryEncoding
from ranvier.layers.preprocessing.discretization import Discretization
from ranvier.layers.preprocessing.normalization import Normalization
from ranvier.layers.preprocessing.pipeline import Pipeline
from ranvier.layers.preprocessing.rescaling import Rescaling
from ranvier.layers.regularization.activity_regularization import ActivityRegularization
from ranvier.layers.regularization.alpha_dropout import AlphaDropout
from ranvier.layers.regularization.dropout import Dropout
from ranvier.layers.regularization.gaussian_dropout import GaussianDropout
from ranvier.layers.regularization.gaussian_noise import GaussianNoise
from ranvier.layers.regularization.spatial_dropout import SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from ranvier.layers.reshaping.cropping import Cropping1D, Cropping2D, Cropping3D
from ranvier.layers.reshaping.flatten import Flatten
from ranvier.layers.reshaping.permute import Permute
from ranvier.layers.reshaping.repeat_vector import RepeatVector
from ranvier.layers.reshaping.reshape import Reshape
from ranvier.layers.reshaping.up_sampling import UpSampling1D, UpSampling2D, UpSampling3D
from ranvier.layers.reshaping.zero_padding import ZeroPadding1D, ZeroPadding2D, ZeroPadding3D
from ranvier.layers.rnn.bidirectional import Bidirectional
from ranvier.layers.rnn.gru import GRU, GRUCell
from ranvier.layers.rnn.lstm import LSTM, LSTMCell
from ranvier.layers.rnn.recurrent import RNN
from ranvier.layers.rnn.simple_rnn import SimpleRNN, SimpleRNNCell
from ranvier.layers.rnn.stacked_rnn_cells import StackedRNNCells

AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
)
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = (
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)

__all__ = [
    "Activation",
    "ActivityRegularization",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Bidirectional",
    "CategoryEncoding",
    "Concatenate",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Dense",
    "Discretization",
    "Dot",
    "Dropout",
    "ELU",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GRU",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "GroupQueryAttention",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "LSTM",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "Pipeline",
    "RMSNormalization",
    "RNN",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "ReversibleEmbedding",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "StackedRNNCells",
    "Subtract",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "Wrapper",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]


@short_traceback
def serialize(layer: Layer) -> dict[str, Any]:
    """The config of a layer, in Keras's format."""
    return registry.serialize_object(layer)


def _classes() -> dict[str, type]:
    """The layers by name."""
    public = {name: globals()[name] for name in __all__}
    return {name: cls for name, cls in public.items() if isinstance(cls, type)}


@short_traceback
def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Layer:
    """The layer that `serialize` (or Keras) described.

    Args:
        config: the config.
        custom_objects: name -> class, for classes that are not registered.

    Raises:
        ValueError: for the config of something that is not a layer.
        TypeError: for an unknown class.
    """
    layer = registry.deserialize_object(config, custom_objects, module_objects=_classes())
    if not isinstance(layer, Layer):
        raise ValueError(
            f"`layers.deserialize` was passed a `config` that is not of a layer. Received: {config}"
        )
    return layer
