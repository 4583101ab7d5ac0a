"""Helpers: labels, sequences, seeds, configs, progress bars."""

from __future__ import annotations

from ranvier.callbacks.progbar import Progbar
from ranvier.core.dtypes import standardize_dtype
from ranvier.core.keras_tensor import is_keras_tensor
from ranvier.core.registry import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
)
from ranvier.core.scope import clear_session
from ranvier.core.settings import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from ranvier.saving import (
    CustomObjectScope,
    deserialize_keras_object,
    register_keras_serializable,
    serialize_keras_object,
)
from ranvier.training.data import pack_x_y_sample_weight, unpack_x_y_sample_weight
from ranvier.utils.batches import PyDataset
from ranvier.utils.numerical import normalize, to_categorical
from ranvier.utils.seeds import set_random_seed
from ranvier.utils.sequences import pad_sequences

Sequence = PyDataset  # the name in Keras 2

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "standardize_dtype",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
